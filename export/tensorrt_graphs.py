"""The graphs that TensorRT engines are built from."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from kimi_ros.vlm.config import ModelConfig
from kimi_ros.vlm.region import RegionEncoder, coordinate_of_bin
from kimi_ros.vlm.tables import REGION_TABLES

from . import graphs
from .layers import Layers


def coordinate(layers: Layers, config: ModelConfig) -> None:
    """As graphs.coordinate, with the best bin (1,) and the embedding (1, dim) that says it.

    So the next step's input is on the device before the host has read the logits.
    """
    graphs.coordinate(layers, config)
    graph, bins = layers.graph, config.region.coord_out_dim
    best = graph.add('ArgMax', 'logits', axis=1, keepdims=0)
    graph.output(best, 'bin', [1], TensorProto.INT64)

    def table() -> np.ndarray:
        encoder = RegionEncoder(
            *(layers.read(f'region.{name}') for name in REGION_TABLES), bins=bins
        )
        return encoder.coordinates([coordinate_of_bin(index, bins) for index in range(bins)])

    rows = graph.weight('region.coordinate_table', table)
    graph.output(graph.add('Gather', rows, best), 'embedding', [1, config.text.dim])


def graphs_for(has_regions: bool) -> dict[str, graphs.Build]:
    """The graphs that a checkpoint gets, by name."""
    builds = graphs.graphs_for(has_regions)
    if has_regions:
        builds['coordinate'] = coordinate
    return builds
