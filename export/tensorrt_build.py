"""Build TensorRT engines for this machine's GPU from a checkpoint.

Uses only the Python API that TensorRT 10.3 and 11.1 have in common; docs/tensorrt.md compares each
call.
"""

from __future__ import annotations

import tempfile
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

from kimi_ros.vlm.errors import VlmError
from kimi_ros.vlm.quantization import QuantizationConfig
from kimi_ros.vlm.trt.bindings import EngineSpec, OptimizationProfile, engine_specs
from kimi_ros.vlm.trt.device_memory import open_device
from kimi_ros.vlm.trt.executor import import_tensorrt, machine, make_logger

from .checkpoint import Checkpoint
from .errors import BuildError
from .graph_builder import GraphBuilder, WeightFile
from .layers import Layers
from .lowering_portable import PortableLowering
from .progress import Progress
from .tensorrt_graphs import graphs_for
from .tensorrt_progress import BuildProgress, progress_monitor

# The workspace limit as a fraction of GPU memory. TensorRT's default is all of it, which has led to
# engines that did not load on an 8 GB board.
_WORKSPACE_FRACTION, _MAX_WORKSPACE = 10, 4 << 30
_POLL_SECONDS = 0.2  # interval of the check for Ctrl-C


class EngineBuilder:
    """Builds engines on the first GPU of this machine."""

    def __init__(self) -> None:
        """Raises BuildError if TensorRT or a GPU is missing."""
        try:
            self._tensorrt = import_tensorrt()
            device = open_device()
        except VlmError as error:
            raise BuildError(
                f'TensorRT engines must be built on the machine that runs them: {error}'
            ) from error
        self.machine = machine(self._tensorrt, device)
        self._workspace = min(device.total // _WORKSPACE_FRACTION, _MAX_WORKSPACE)
        device.close()

    def build_all(
        self,
        checkpoint: Checkpoint,
        quantization: QuantizationConfig,
        folder: Path,
        progress: Progress,
    ) -> None:
        """Build all engines of a checkpoint into the folder, as NAME.engine; raises as `build`."""
        graphs = engine_specs(checkpoint.config, quantization, checkpoint.has_regions)
        # In the output folder, since the system's temporary folder may be too small.
        with tempfile.TemporaryDirectory(prefix='graphs', dir=folder) as place:
            sources = Path(place)
            write_graphs(checkpoint, quantization, sources, progress)
            for name, graph in graphs.items():
                progress.log(f'building {name} for {self.machine.device}')
                source, engine = sources / f'{name}.onnx', folder / f'{name}.engine'
                self.build(graph, source, engine, quantization, progress)

    def build(
        self,
        graph: EngineSpec,
        source: Path,
        engine: Path,
        quantization: QuantizationConfig,
        progress: Progress,
    ) -> None:
        """Build an engine file from an ONNX file with external weights.

        Raises BuildError with TensorRT's reason, and KeyboardInterrupt once TensorRT has stopped.
        """
        work = BuildProgress(source.stem, progress)
        failures: list[BaseException] = []
        done = threading.Event()

        def run() -> None:
            try:
                _build(self._tensorrt, graph, source, engine, quantization, self._workspace, work)
            except BaseException as error:  # raised in the waiting thread
                failures.append(error)
            finally:
                done.set()

        # TensorRT swallows exceptions that signals raise in its callbacks, so the build has its own
        # thread while this one handles Ctrl-C.
        builder = threading.Thread(target=run, name=f'build {source.stem}')
        try:
            builder.start()
            # Not Thread.join, which before Python 3.12 marks the thread as ended if interrupted.
            while not done.wait(_POLL_SECONDS):
                pass
        except KeyboardInterrupt:
            work.cancel()
            progress.log('stopping after the current build step of TensorRT')
            if builder.ident is not None:  # None if interrupted before the thread started
                done.wait()
            raise
        if failures:
            raise failures[0]


def write_graphs(
    checkpoint: Checkpoint, quantization: QuantizationConfig, folder: Path, progress: Progress
) -> None:
    """Write the ONNX graphs, in primitive operators, and weights.bin into the folder."""
    config = checkpoint.config

    def read(name: str):
        progress.advance()
        return checkpoint.read(name)

    progress.start('writing', len(checkpoint.tensors))
    with WeightFile(folder / 'weights.bin') as weights:
        for name, build in graphs_for(checkpoint.has_regions).items():
            progress.log(f'writing {name}')
            graph = GraphBuilder(name, weights)
            lowering = PortableLowering()
            build(
                Layers(graph, config, read, quantization, lowering, checkpoint.unmerged_blocks),
                config,
            )
            graph.save(folder / f'{name}.onnx')


def _build(
    tensorrt: ModuleType,
    graph: EngineSpec,
    source: Path,
    engine: Path,
    quantization: QuantizationConfig,
    workspace: int,
    work: BuildProgress,
) -> None:
    logger = make_logger(tensorrt)
    builder = tensorrt.Builder(logger)
    network = builder.create_network(_strongly_typed(tensorrt))
    parser = tensorrt.OnnxParser(network, logger)
    # By path, so that the external weights are found.
    if not parser.parse_from_file(str(source)):
        reasons = '; '.join(str(parser.get_error(index)) for index in range(parser.num_errors))
        raise BuildError(
            f'TensorRT {tensorrt.__version__} cannot read {source.name}: {reasons}'
            + _advice(quantization)
        )
    config = builder.create_builder_config()
    config.set_memory_pool_limit(tensorrt.MemoryPoolType.WORKSPACE, workspace)
    # Auxiliary streams need memory of their own, and one graph keeps the GPU busy.
    config.max_aux_streams = 0
    if quantization.activations == 'fp32':
        # TF32 has 10 bits of mantissa, fp32 has 23.
        config.clear_flag(tensorrt.BuilderFlag.TF32)
    for profile in graph.profiles:
        _add_profile(builder, config, graph, profile)
    monitor = progress_monitor(tensorrt, work)
    config.progress_monitor = monitor
    engine_specs = builder.build_serialized_network(network, config)
    if work.cancelled:
        return
    if engine_specs is None:
        raise BuildError(
            f'TensorRT {tensorrt.__version__} cannot build {source.stem}: {logger.last_error()}'
            + _advice(quantization)
        )
    with engine.open('wb') as stream:
        stream.write(engine_specs)


def _strongly_typed(tensorrt: ModuleType) -> int:
    """The flag for strongly typed networks; ignored from TensorRT 11 on, where they all are."""
    flag = getattr(tensorrt.NetworkDefinitionCreationFlag, 'STRONGLY_TYPED', None)
    return 0 if flag is None else 1 << int(flag)


def _add_profile(
    builder: Any, config: Any, graph: EngineSpec, profile: OptimizationProfile
) -> None:
    added = builder.create_optimization_profile()
    changing = 0
    for name, tensor in graph.tensors.items():
        if tensor.is_input and any(isinstance(side, str) for side in tensor.shape):
            lengths = (profile.min_length, profile.opt_length, profile.max_length)
            added.set_shape(name, *(tensor.at(length) for length in lengths))
            changing += 1
    # A graph with static shapes uses TensorRT's default profile.
    if changing and config.add_optimization_profile(added) < 0:
        raise BuildError(f'TensorRT rejects the profile {profile.name} ({profile.to_list()})')


def _advice(quantization: QuantizationConfig) -> str:
    if quantization.decoder == 'int4':
        return '. int4 needs a TensorRT that supports ONNX opset 21; --precision fp16 does not'
    return ''
