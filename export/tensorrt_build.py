"""From a checkpoint to TensorRT engines for this machine's GPU.

Written against the Python API that 10.3 and 11.1 have in common; docs/tensorrt.md compares every
call with both.
"""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

from kimi_ros.vlm.errors import VlmError
from kimi_ros.vlm.layout import Layout
from kimi_ros.vlm.trt.device_memory import open_device
from kimi_ros.vlm.trt.executor import import_tensorrt, machine, make_logger
from kimi_ros.vlm.trt.plan import Graph, Profile, plan

from .builder import GraphBuilder, WeightFile
from .checkpoint import Checkpoint
from .errors import BuildError
from .layers import Layers
from .portable import PortableLowering
from .progress import Progress
from .tensorrt_graphs import graphs_for
from .tensorrt_progress import BuildProgress, progress_monitor

# Of the memory, what a layer may take beside weights and activations: TensorRT's own limit is all
# of it, with which it has built output heads that an 8 GB board then could not load.
_WORKSPACE, _MOST_WORKSPACE = 10, 4 << 30
_PATIENCE = 0.2  # seconds between two looks at whether the user has had enough


class Builder:
    """Builds engines on the first GPU of this machine."""

    def __init__(self) -> None:
        """Raises BuildError where TensorRT or the GPU is missing."""
        try:
            self._tensorrt = import_tensorrt()
            device = open_device()
        except VlmError as error:
            raise BuildError(
                f'TensorRT engines are built on the machine that runs them: {error}'
            ) from error
        self.machine = machine(self._tensorrt, device)
        self._workspace = min(device.total // _WORKSPACE, _MOST_WORKSPACE)
        device.close()

    def build_all(
        self, checkpoint: Checkpoint, layout: Layout, folder: Path, progress: Progress
    ) -> None:
        """Build the engines of a checkpoint into the folder, NAME.engine each.

        Raises as `build` does.
        """
        graphs = plan(checkpoint.config, layout, checkpoint.has_regions)
        # Beside the engines: there is room for either, which cannot be said of a place for
        # temporary files.
        with tempfile.TemporaryDirectory(prefix='graphs', dir=folder) as place:
            sources = Path(place)
            write_graphs(checkpoint, layout, sources, progress)
            for name, graph in graphs.items():
                progress.say(f'building {name} for {self.machine.device}')
                source, engine = sources / f'{name}.onnx', folder / f'{name}.engine'
                self.build(graph, source, engine, layout, progress)

    def build(
        self, graph: Graph, source: Path, engine: Path, layout: Layout, progress: Progress
    ) -> None:
        """Build one ONNX file, with its weights beside it, into an engine file.

        Raises BuildError with TensorRT's reason, and KeyboardInterrupt when TensorRT has stopped.
        """
        work = BuildProgress(source.stem, progress)
        failures: list[BaseException] = []
        done = threading.Event()

        def run() -> None:
            try:
                _build(self._tensorrt, graph, source, engine, layout, self._workspace, work)
            except BaseException as error:  # handed to the thread that waits
                failures.append(error)
            finally:
                done.set()

        # TensorRT swallows an exception that a signal raises in its callbacks; so this thread
        # listens to the user while another builds.
        builder = threading.Thread(target=run, name=f'build {source.stem}')
        try:
            builder.start()
            # Not Thread.join: until Python 3.12 an interrupted one takes the thread for ended.
            while not done.wait(_PATIENCE):
                pass
        except KeyboardInterrupt:
            work.cancel()
            progress.say('stopping when TensorRT has done its present step')
            if builder.ident is not None:  # it may have been interrupted before it began
                done.wait()
            raise
        if failures:
            raise failures[0]


def write_graphs(checkpoint: Checkpoint, layout: Layout, folder: Path, progress: Progress) -> None:
    """Write the ONNX graphs, in primitive operators, and weights.bin into the folder."""
    config = checkpoint.config

    def read(name: str):
        progress.advance()
        return checkpoint.read(name)

    progress.begin('writing', len(checkpoint.tensors))
    with WeightFile(folder / 'weights.bin') as weights:
        for name, build in graphs_for(checkpoint.has_regions).items():
            progress.say(f'writing {name}')
            graph = GraphBuilder(name, weights)
            lowering = PortableLowering()
            build(Layers(graph, config, read, layout, lowering, checkpoint.branches), config)
            graph.save(folder / f'{name}.onnx')


def _build(
    tensorrt: ModuleType,
    graph: Graph,
    source: Path,
    engine: Path,
    layout: Layout,
    workspace: int,
    work: BuildProgress,
) -> None:
    logger = make_logger(tensorrt)
    builder = tensorrt.Builder(logger)
    network = builder.create_network(_strongly_typed(tensorrt))
    parser = tensorrt.OnnxParser(network, logger)
    # By its path, so that the weights beside it are found.
    if not parser.parse_from_file(str(source)):
        reasons = '; '.join(str(parser.get_error(index)) for index in range(parser.num_errors))
        raise BuildError(
            f'TensorRT {tensorrt.__version__} cannot read {source.name}: {reasons}'
            + _advice(layout)
        )
    config = builder.create_builder_config()
    config.set_memory_pool_limit(tensorrt.MemoryPoolType.WORKSPACE, workspace)
    # Further streams would each want memory of their own, and one graph keeps the GPU busy.
    config.max_aux_streams = 0
    if layout.activations == 'fp32':
        # Ten bits of a number instead of 23 are no fp32.
        config.clear_flag(tensorrt.BuilderFlag.TF32)
    for profile in graph.profiles:
        _add_profile(builder, config, graph, profile)
    monitor = progress_monitor(tensorrt, work)
    config.progress_monitor = monitor
    plan = builder.build_serialized_network(network, config)
    if work.cancelled:
        return
    if plan is None:
        raise BuildError(
            f'TensorRT {tensorrt.__version__} cannot build {source.stem}: {logger.last_error()}'
            + _advice(layout)
        )
    with engine.open('wb') as stream:
        stream.write(plan)


def _strongly_typed(tensorrt: ModuleType) -> int:
    """The flag for types as they are in the file: all there is from 11 on, where it is ignored."""
    flag = getattr(tensorrt.NetworkDefinitionCreationFlag, 'STRONGLY_TYPED', None)
    return 0 if flag is None else 1 << int(flag)


def _add_profile(builder: Any, config: Any, graph: Graph, profile: Profile) -> None:
    added = builder.create_optimization_profile()
    changing = 0
    for name, tensor in graph.tensors.items():
        if tensor.is_input and any(isinstance(side, str) for side in tensor.shape):
            lengths = (profile.least, profile.usual, profile.most)
            added.set_shape(name, *(tensor.at(length) for length in lengths))
            changing += 1
    # A graph of fixed shapes has the one profile that TensorRT makes itself.
    if changing and config.add_optimization_profile(added) < 0:
        raise BuildError(f'TensorRT refuses the profile {profile.name} ({profile.to_list()})')


def _advice(layout: Layout) -> str:
    if layout.decoder == 'int4':
        return '. Four bits need a TensorRT that reads opset 21; --precision fp16 does not'
    return ''
