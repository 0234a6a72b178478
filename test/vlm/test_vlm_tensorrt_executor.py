"""The TensorRT executor: calls of TensorRT and CUDA, and their order.

Neither is here: helpers/tensorrt_stand_ins stands in for them, with real arithmetic.
"""

import json
import logging
from dataclasses import replace
from hashlib import sha256

import numpy as np
import pytest
import tensorrt_stand_ins as stand_ins
from tensorrt_stand_ins import Graph

from kimi_export import export_model
from kimi_ros.vlm.errors import DeviceNotAvailable, EngineError, ModelFolderError
from kimi_ros.vlm.folder import read_folder
from kimi_ros.vlm.trt import executor as tensorrt_executor
from kimi_ros.vlm.trt.build_info import KEY, Machine, read_build_info
from kimi_ros.vlm.trt.engine import open_tensorrt

HERE = Machine('10.3.0', '8.7', 'Orin')


@pytest.fixture(scope='module')
def built(golden_checkpoint, tmp_path_factory):
    """A folder as kimi-export --target tensorrt writes it, and its build info."""
    with pytest.MonkeyPatch.context() as patch:
        stand_ins.install(patch)
        out = tmp_path_factory.mktemp('built') / 'golden'
        folder = read_folder(
            export_model(golden_checkpoint, out, target='tensorrt', precision='fp32')
        )
    return folder, read_build_info(folder)


@pytest.fixture
def trt(monkeypatch):
    return stand_ins.install(monkeypatch)


@pytest.fixture
def changed(built, tmp_path):
    """The folder with another build info, or other bytes in some of its engines."""

    def change(identity=None, **engines):
        folder = built[0]
        for file in folder.path.iterdir():
            (tmp_path / file.name).write_bytes(file.read_bytes())
        for name, data in engines.items():
            (tmp_path / f'{name}.engine').write_bytes(data)
        if identity:
            (tmp_path / 'model.json').write_text(json.dumps({KEY: identity.to_dict()}))
        return replace(folder, path=tmp_path)

    return change


def test_token_step_replays_the_captured_cuda_graph(built, trt):
    engine = open_tensorrt(built[0], 'auto')
    assert trt.device.depth == 0
    for token in (5, 6, 7, 8):
        hidden = engine.step(engine.embed_tokens([token]))
    # The first run initializes the context, the second captures, all later ones launch.
    assert (Graph.made, Graph.launched) == (1, 3)
    for _ in range(3):
        logits = engine.coordinate_logits(hidden)
    assert (Graph.made, Graph.launched) == (2, 5)
    engine.rewind(0)
    expected = engine.step(engine.embed_tokens([5, 6, 7, 8]))
    np.testing.assert_allclose(hidden, expected, atol=1e-4)
    np.testing.assert_allclose(logits, engine.coordinate_logits(expected), atol=1e-3)
    assert len({context.scratch for context in trt.contexts}) == 1
    engine.close()
    assert Graph.closed == Graph.made and trt.device.closed and trt.device.depth == 0


def test_failed_capture_falls_back_to_launches(built, trt, monkeypatch, caplog):
    def refuse(stream, work):
        raise EngineError('CUDA: not permitted while capturing')

    monkeypatch.setattr(tensorrt_executor, 'CudaGraph', refuse)
    engine = open_tensorrt(built[0], 'cuda')
    with caplog.at_level(logging.WARNING):
        for token in (5, 6, 7, 8):
            hidden = engine.step(engine.embed_tokens([token]))
    assert len(caplog.records) == 1 and 'without a CUDA graph' in caplog.text
    engine.rewind(0)
    np.testing.assert_allclose(hidden, engine.step(engine.embed_tokens([5, 6, 7, 8])), atol=1e-4)


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        ({'machine': replace(HERE, version='11.1.0')}, 'TensorRT 11.1.0, this is 10.3.0'),
        ({'machine': replace(HERE, compute_capability='9.0', device='H200')}, r'H200 .*9\.0'),
        ({'precision': 'int4'}, 'built in int4'),
        ({'profiles': {'vision': {'one': [1, 1, 2]}}}, 'other optimization profiles'),
        ({'engines': {}}, 'without vision.engine'),
    ],
)
def test_mismatched_engines_are_refused_with_the_rebuild_command(
    built, trt, changed, change, words
):
    with pytest.raises(ModelFolderError, match=words) as refused:
        open_tensorrt(changed(replace(built[1], **change)), 'cuda')
    assert f'again on this machine: {built[1].rebuild}' in str(refused.value)
    assert trt.deserialised == [] and trt.device.closed


def test_modified_engine_is_never_deserialized(built, trt, changed):
    other = built[0].file('head.engine').read_bytes()
    with pytest.raises(ModelFolderError, match='decoder.engine is not the engine'):
        open_tensorrt(changed(decoder=other), 'cuda')
    assert trt.deserialised == ['vision', 'projection'] and trt.device.closed


def test_error_contains_the_tensorrt_message(built, trt, changed):
    digests = built[1].engines | {'vision.engine': sha256(b'rotten').hexdigest()}
    folder = changed(replace(built[1], engines=digests), vision=b'rotten')
    with pytest.raises(EngineError, match='could not load .*magicTag does not match'):
        open_tensorrt(folder, 'cuda')


def test_failed_run_names_the_engine_and_model_remains_usable(built, trt):
    engine = open_tensorrt(built[0], 'cuda')
    tokens = engine.embed_tokens([5, 6, 7])
    expected = engine.step(tokens)
    engine.rewind(0)
    trt.broken.add('decoder')
    with pytest.raises(EngineError, match='decoder.engine: .*out of memory'):
        engine.step(tokens)
    trt.broken.clear()
    np.testing.assert_array_equal(engine.step(tokens), expected)


def test_out_of_memory_is_reported_at_load(built, monkeypatch):
    trt = stand_ins.install(monkeypatch, room=1 << 20)
    with pytest.raises(EngineError, match='the memory of Orin is too small'):
        open_tensorrt(built[0], 'cuda')
    assert trt.device.closed and trt.device.depth == 0


def test_engines_with_other_tensors_are_refused(built, trt, changed):
    other = built[0].file('size.engine').read_bytes()
    digests = built[1].engines | {'coordinate.engine': sha256(other).hexdigest()}
    folder = changed(replace(built[1], engines=digests), coordinate=other)
    with pytest.raises(ModelFolderError, match='differs in bin, embedding, logits'):
        open_tensorrt(folder, 'cuda')
    assert trt.device.closed


def test_two_models_in_one_process(built, monkeypatch):
    stand_ins.install(monkeypatch)
    first = open_tensorrt(built[0], 'cuda')
    stand_ins.install(monkeypatch)
    second = open_tensorrt(built[0], 'cuda')
    tokens = first.embed_tokens([5, 6, 7])
    one = first.step(tokens)
    first.close()
    np.testing.assert_array_equal(second.step(tokens), one)


def test_missing_tensorrt_error_has_installation_hint(built):
    with pytest.raises(DeviceNotAvailable, match='JetPack'):
        open_tensorrt(built[0], 'cuda')


def test_folder_without_build_info_is_refused(built, trt, tmp_path):
    (tmp_path / 'model.json').write_text('{}')
    with pytest.raises(ModelFolderError, match="'tensorrt' is missing"):
        open_tensorrt(replace(built[0], path=tmp_path), 'cuda')
