"""ONNX graphs for TensorRT engines."""

from __future__ import annotations

import numpy as np
from onnx import TensorProto

from kimi_ros.vlm.config import ModelConfig
from kimi_ros.vlm.coordinates import CoordinateEncoder, bin_to_coordinate
from kimi_ros.vlm.embeddings import REGION_TENSORS

from . import graphs
from .layers import Layers


def coordinate(layers: Layers, config: ModelConfig) -> None:
    """As graphs.coordinate, plus the best bin (1,) and its embedding (1, dim).

    So the input of the next step is on the device before the host has read the logits.
    """
    graphs.coordinate(layers, config)
    graph, bins = layers.graph, config.region.coord_out_dim
    best = graph.add('ArgMax', 'logits', axis=1, keepdims=0)
    graph.output(best, 'bin', [1], TensorProto.INT64)

    def table() -> np.ndarray:
        encoder = CoordinateEncoder(
            *(layers.read(f'region.{name}') for name in REGION_TENSORS), bins=bins
        )
        return encoder.coordinates([bin_to_coordinate(index, bins) for index in range(bins)])

    rows = graph.weight('region.coordinate_table', table)
    graph.output(graph.add('Gather', rows, best), 'embedding', [1, config.text.dim])


def graphs_for(has_regions: bool) -> dict[str, graphs.Build]:
    """The graphs of a checkpoint, by name."""
    builds = graphs.graphs_for(has_regions)
    if has_regions:
        builds['coordinate'] = coordinate
    return builds
