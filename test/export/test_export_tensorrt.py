"""Exports for TensorRT: supported graphs, engine builds and their build info."""

import json
import os
import signal
import threading

import numpy as np
import onnx
import onnxruntime
import pytest
import tensorrt_stand_ins as stand_ins
from onnx import TensorProto

from kimi_export import FolderError, export_model
from kimi_export.checkpoint import open_checkpoint
from kimi_export.errors import BuildError
from kimi_export.graph_builder import GraphBuilder, WeightFile
from kimi_export.progress import Progress
from kimi_export.settings import PresetError
from kimi_export.tensorrt_build import write_graphs
from kimi_export.tensorrt_settings import resolve_tensorrt_settings
from kimi_export.tensorrt_weights import quantize
from kimi_ros.vlm import VisionLanguageModel
from kimi_ros.vlm.folder import read_folder
from kimi_ros.vlm.trt.bindings import engine_specs, profile_shapes

PRECISIONS = ('fp32', 'fp16', 'int8', 'int4')
NAMES = {'vision', 'projection', 'decoder', 'head', 'coordinate', 'size'}
# What TensorRT 10.3 imports, of onnx-tensorrt's docs/operators.md.
IMPORTED = {
    'Add', 'ArgMax', 'Cast', 'Concat', 'DequantizeLinear', 'Expand', 'Gather', 'Gelu', 'Identity',
    'LayerNormalization', 'Less', 'LessOrEqual', 'MatMul', 'Mul', 'Or', 'Range', 'Reshape', 'Shape',
    'Slice', 'Softmax', 'Split', 'Squeeze', 'Sub', 'Transpose', 'Unsqueeze', 'Where',
}  # fmt: skip


@pytest.fixture
def trt(monkeypatch):
    return stand_ins.install(monkeypatch)


@pytest.mark.parametrize('grouped', [False, True])
@pytest.mark.parametrize('precision', PRECISIONS)
def test_graphs_use_only_tensorrt_operators(
    make_checkpoint, make_config, tmp_path, precision, grouped
):
    sizes = {'dim': 128, 'n_heads': 4, 'n_kv_heads': 2} if grouped else {'dim': 128}
    checkpoint = open_checkpoint(make_checkpoint(config=make_config(text=sizes)))
    quantization = resolve_tensorrt_settings(precision, 'jetson_agx_orin').quantization
    write_graphs(checkpoint, quantization, tmp_path, Progress())
    expected = engine_specs(checkpoint.config, quantization, has_regions=True)
    assert {path.stem for path in tmp_path.glob('*.onnx')} == NAMES == set(expected)
    for path in tmp_path.glob('*.onnx'):
        onnx.checker.check_model(path, full_check=True)
        model = onnx.load(path, load_external_data=False)
        onnx.shape_inference.infer_shapes(model, strict_mode=True, data_prop=True)
        assert {opset.domain for opset in model.opset_import} == {''}
        kinds = {node.op_type for node in model.graph.node}
        assert kinds <= IMPORTED, kinds - IMPORTED
        few = any(each.data_type == TensorProto.INT4 for each in model.graph.initializer)
        # JetPack 6 has a parser for opset 20; int4 came with 21.
        assert model.opset_import[0].version == (21 if few else 20)
        assert few <= (precision == 'int4')
        found = {}
        for edges, is_input in ((model.graph.input, True), (model.graph.output, False)):
            for edge in edges:
                about = edge.type.tensor_type
                shape = tuple(side.dim_param or side.dim_value for side in about.shape.dim)
                dtype = onnx.helper.tensor_dtype_to_np_dtype(about.elem_type)
                found[edge.name] = (shape, np.dtype(dtype), is_input)
        wanted = expected[path.stem].tensors
        assert found == {n: (each.shape, each.dtype, each.is_input) for n, each in wanted.items()}


@pytest.mark.parametrize(('kind', 'bits', 'bound'), [('int8', 8, 0.006), ('int4', 4, 0.09)])
def test_quantized_weights_are_symmetric_with_positive_scales(kind, bits, bound):
    weight = np.random.default_rng(0).standard_normal((6, 256)).astype(np.float32)
    weight[0, 0], weight[1] = 40, 0
    found = quantize(weight, kind, 128)
    assert found.bits == bits and found.scales.shape == (6, 1 if bits == 8 else 2)
    assert (found.scales > 0).all()
    assert (found.scales == found.scales.astype(np.float16)).all()
    assert abs(found.values.astype(int)).max() <= 2 ** (bits - 1)
    assert (found.dequantize()[1] == 0).all()
    error = np.sqrt(np.square(found.dequantize()[2:] - weight[2:]).mean())
    assert error < bound * np.abs(weight[2:]).max() / 3


@pytest.mark.parametrize('shape', [(6, 100), (7, 128)])
def test_int4_falls_back_to_int8(shape):
    weight = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    assert quantize(weight, 'int4', 32).bits == 8


def test_int4_values_are_packed(tmp_path):
    values = np.arange(-8, 8, dtype=np.int8).reshape(4, 4)
    with WeightFile(tmp_path / 'weights.bin') as weights:
        graph = GraphBuilder('four', weights)
        graph.require_opset(21)
        stored = graph.weight('values', lambda: values, TensorProto.INT4)
        scale = graph.constant(0.5, np.float32)
        graph.input('unused', [1])
        graph.output(graph.add('DequantizeLinear', stored, scale), 'found', [4, 4])
        graph.save(tmp_path / 'four.onnx')
    session = onnxruntime.InferenceSession(tmp_path / 'four.onnx')
    (found,) = session.run(None, {'unused': np.zeros(1, np.float32)})
    np.testing.assert_array_equal(found, values * 0.5)
    assert (tmp_path / 'weights.bin').stat().st_size == 8


@pytest.mark.parametrize('precision', PRECISIONS)
def test_every_precision_is_built_and_checked(make_checkpoint, tmp_path, trt, precision):
    out = export_model(
        make_checkpoint(), tmp_path / 'exports' / 'out', target='tensorrt', precision=precision
    )
    files = {f'{name}.engine' for name in NAMES}
    files |= {'model.json', 'tables.safetensors', 'tokenizer.json'}
    assert {path.name for path in out.iterdir()} == files
    assert [path.name for path in out.parent.iterdir()] == ['out']
    with VisionLanguageModel.load(out) as model:
        image = model.encode_image(np.full((20, 30, 3), 99, np.uint8))
        model.point(image, 'w3', max_objects=2)
        model.query(image, 'w4', max_tokens=3)
    assert trt.device.closed


def test_model_json_records_the_build_info(make_checkpoint, tmp_path, trt):
    checkpoint = make_checkpoint()
    out = tmp_path / 'my out'
    export_model(checkpoint, out, target='tensorrt', preset='jetson_orin_nano')
    about = json.loads((out / 'model.json').read_text())
    identity = about['tensorrt']
    assert about['runtime'] == 'tensorrt'
    assert identity['machine'] == {
        'version': '10.3.0',
        'compute_capability': '8.7',
        'device': 'Orin',
    }
    assert identity['precision'] == about['precision'] == 'int4'
    folder = read_folder(out)
    assert folder.config.vision.max_crops == 4
    assert identity['profiles'] == profile_shapes(
        engine_specs(folder.config, folder.quantization, True)
    )
    assert identity['profiles']['vision'] == {'one': [1, 1, 1], 'several': [2, 5, 5]}
    assert identity['checkpoint'] == about['source']['sha256']
    engines = {name: digest for name, digest in about['files'].items() if 'engine' in name}
    assert identity['engines'] == engines and len(engines) == len(NAMES)
    assert identity['rebuild'] == (
        f"kimi-export {checkpoint} '{out}' --target tensorrt --precision int4 "
        '--preset jetson_orin_nano'
    )


def test_workspace_is_limited(make_checkpoint, tmp_path, trt):
    export_model(make_checkpoint(), tmp_path / 'out', target='tensorrt', precision='fp32')
    assert {config.pools['workspace'] for config in trt.configs} == {(8 << 30) // 10}
    assert {config.max_aux_streams for config in trt.configs} == {0}
    assert [config.cleared for config in trt.configs] == [['tf32']] * len(NAMES)
    shapes = [list(profile.shapes.values()) for profile in trt.configs[2].profiles]
    assert shapes == [
        [((1, 17, 64),) * 3],
        [((1, 2, 64), (1, 16, 64), (1, 64, 64))],
        [((1, 1, 64),) * 3],
    ]


def test_build_errors_are_reported_and_nothing_is_written(make_checkpoint, tmp_path, trt):
    checkpoint = make_checkpoint()
    exports = tmp_path / 'exports'
    trt.unreadable.add('decoder')
    with pytest.raises(BuildError, match='cannot read decoder.onnx: .*UNSUPPORTED_NODE.*fp16'):
        export_model(checkpoint, exports / 'out', target='tensorrt', precision='int4')
    trt.unreadable.clear()
    trt.unbuildable.add('head')
    with pytest.raises(BuildError, match='cannot build head: Could not find any implementation'):
        export_model(checkpoint, exports / 'out', target='tensorrt')
    assert list(exports.iterdir()) == []


def test_interrupted_while_building(make_checkpoint, tmp_path, trt):
    class Interrupts(Progress):
        """Sends Ctrl-C while the decoder is built, and waits for its effect."""

        def start(self, what, steps):
            if what == 'building decoder: Tactics' and threading.current_thread() is not main:
                os.kill(os.getpid(), signal.SIGINT)
                assert heard.wait(30)

        def log(self, line):
            if line.startswith('stopping'):
                heard.set()

    heard = threading.Event()
    main = threading.main_thread()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            export_model(
                make_checkpoint(),
                tmp_path / 'exports' / 'out',
                progress=Interrupts(),
                target='tensorrt',
            )
    finally:
        signal.signal(signal.SIGINT, before)
    assert list((tmp_path / 'exports').iterdir()) == []
    assert heard.is_set()


def test_progress_is_that_of_the_innermost_phase(make_checkpoint, tmp_path, trt):
    class Seen(Progress):
        def __init__(self):
            self.phases = []

        def start(self, what, steps):
            self.phases.append([what, steps, 0])

        def advance(self):
            self.phases[-1][2] += 1

    seen = Seen()
    export_model(make_checkpoint(), tmp_path / 'out', progress=seen, target='tensorrt')
    assert [phase for phase in seen.phases if phase[0].startswith('building size')] == [
        ['building size: Building Engine', 2, 0],
        ['building size: Tactics', 3, 3],
        ['building size: Building Engine', 2, 1],
    ]


def test_missing_gpu_is_reported_first(make_checkpoint, tmp_path):
    with pytest.raises(BuildError, match='on the machine that runs them'):
        export_model(make_checkpoint(), tmp_path / 'exports' / 'out', target='tensorrt')
    assert not (tmp_path / 'exports').exists()


def test_options_incompatible_with_tensorrt(make_checkpoint, tmp_path, trt):
    with pytest.raises(PresetError, match='--calibrate'):
        resolve_tensorrt_settings('int4', calibrated=True)
    assert resolve_tensorrt_settings().precision == 'fp16'
    assert resolve_tensorrt_settings(preset='cpu').quantization.vision == 'fp16'
    (tmp_path / 'home').mkdir()
    (tmp_path / 'home' / 'diary').write_text('mine')
    with pytest.raises(FolderError, match='nor a model folder'):
        export_model(make_checkpoint(), tmp_path / 'home', target='tensorrt')
