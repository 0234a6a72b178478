"""The TensorRT engine, with ONNX Runtime computing the same graphs.

The executor here keeps "device" memory in numpy and refuses what TensorRT would: lengths outside a
profile, addresses that are not aligned, tensors left out. What it hands to graphs are views of that
memory, so a wrong offset is a wrong number.
"""

import threading
from dataclasses import replace

import numpy as np
import onnxruntime
import pytest
from PIL import Image

from kimi_export.checkpoint import open_checkpoint
from kimi_export.embeddings import write_embeddings
from kimi_export.progress import Progress
from kimi_export.tensorrt_build import write_graphs
from kimi_ros.vlm import VisionLanguageModel
from kimi_ros.vlm.errors import (
    Cancelled,
    DeviceNotAvailable,
    EngineError,
    ModelFolderError,
    VlmError,
)
from kimi_ros.vlm.folder import ModelFolder
from kimi_ros.vlm.quantization import QuantizationConfig
from kimi_ros.vlm.tokenizer import TextTokenizer
from kimi_ros.vlm.trt.bindings import PREFILL_CHUNK, engine_specs
from kimi_ros.vlm.trt.engine import TensorRtEngine, open_tensorrt
from kimi_ros.vlm.trt.kv_cache import ALIGNMENT

PICTURE = 3  # 378 x 378: one crop
LARGE = 0
HALF = QuantizationConfig('fp16', 'fp16', 'fp16', 128, 'fp16')


class Block:
    """Device memory in host memory."""

    def __init__(self, nbytes):
        self.nbytes = nbytes
        self.bytes = np.zeros(nbytes, np.uint8)


class NumpyExecutor:
    """Implements runners.Executor; `memory` limits the allocations."""

    def __init__(self, graphs, folder, memory=1 << 40):
        self.graphs, self.folder, self.memory = graphs, folder, memory
        self.taken, self.runs, self.uploads = 0, [], []
        self.failing, self.closed = None, False
        self.sessions = {}
        for name, graph in graphs.items():
            session = onnxruntime.InferenceSession(folder / f'{name}.onnx')
            found = {edge.name for edge in session.get_inputs() + session.get_outputs()}
            assert found == set(graph.tensors), name
            self.sessions[name] = session

    def allocate(self, nbytes):
        self.taken += nbytes
        if self.taken > self.memory:
            raise EngineError('the memory is too small')
        return Block(nbytes)

    def upload(self, values, memory):
        assert values.flags.c_contiguous
        memory.bytes[: values.nbytes] = values.reshape(-1).view(np.uint8)
        self.uploads.append(values.nbytes)

    def download(self, memory, shape, dtype, offset=0):
        count = int(np.prod(shape))
        return np.frombuffer(memory.bytes, dtype, count, offset).reshape(shape).copy()

    def copy(self, source, target, extent):
        for index in range(extent.slices):
            for row in range(extent.rows):
                here = (index * extent.source_rows + row) * extent.source_pitch
                there = (index * extent.target_rows + row) * extent.target_pitch
                there += extent.target_offset
                target.bytes[there : there + extent.width] = source.bytes[
                    here : here + extent.width
                ]

    def prepare(self, graph, profile, places, repeated):
        about = self.graphs[graph]
        assert set(places) == set(about.tensors)
        chosen = about.profiles[about.profile(profile)]
        for name, place in places.items():
            tensor = about.tensors[name]
            assert place.offset % ALIGNMENT == 0
            for side, asked in zip(place.shape, tensor.shape, strict=True):
                assert side in chosen if isinstance(asked, str) else side == asked, (name, place)

        def view(name):
            place, dtype = places[name], about.tensors[name].dtype
            count = int(np.prod(place.shape))
            return np.frombuffer(place.memory.bytes, dtype, count, place.offset).reshape(
                place.shape
            )

        def run():
            if self.failing == graph:
                raise EngineError(f'{graph}.engine: it could not be run: for once')
            outputs = [name for name, each in about.tensors.items() if not each.is_input]
            feeds = {name: view(name) for name, each in about.tensors.items() if each.is_input}
            for name, values in zip(outputs, self.sessions[graph].run(outputs, feeds), strict=True):
                view(name)[...] = values
            self.runs.append((graph, profile))

        return run

    def synchronize(self):
        pass

    def close(self):
        self.closed = True


def fake_folder(path, checkpoint, quantization):
    """A folder as kimi-export describes one, with ONNX graphs in place of engines."""
    write_graphs(checkpoint, quantization, path, Progress())
    write_embeddings(checkpoint, quantization, path / 'tables.safetensors')
    graphs = engine_specs(checkpoint.config, quantization, has_regions=True)
    files = ('tables.safetensors', *(f'{name}.engine' for name in graphs))
    return ModelFolder(
        path,
        'golden',
        checkpoint.config,
        quantization.decoder,
        quantization,
        'tensorrt',
        ('query', 'caption', 'point', 'detect'),
        ('en',),
        files,
        '',
    )


@pytest.fixture(scope='module')
def golden(golden_checkpoint):
    return open_checkpoint(golden_checkpoint)


@pytest.fixture(scope='module')
def folders(golden, tmp_path_factory):
    made = {}

    def folder(quantization):
        if quantization not in made:
            made[quantization] = fake_folder(
                tmp_path_factory.mktemp('engines'), golden, quantization
            )
        return made[quantization]

    return folder


@pytest.fixture
def make_engine(folders):
    def make(quantization=None, **options):
        folder = folders(quantization or QuantizationConfig())
        graphs = engine_specs(folder.config, folder.quantization, has_regions=True)
        executor = NumpyExecutor(graphs, folder.path, **options)
        return TensorRtEngine(folder, executor), executor

    return make


@pytest.fixture
def make_model(make_engine, golden):
    def make(quantization=None):
        engine, executor = make_engine(quantization)
        tokenizer = TextTokenizer.from_file(golden.tokenizer)
        model = VisionLanguageModel(
            engine, tokenizer, name='golden', tasks=('query', 'caption', 'point', 'detect')
        )
        return model, engine, executor

    return make


def picture(golden_checkpoint, index):
    with Image.open(golden_checkpoint / f'image_{index}.png') as image:
        return np.asarray(image.convert('RGB'))


def assert_close(found, expected, of_scale=1e-4):
    allowed = np.maximum(1e-3 * np.abs(expected), of_scale * np.abs(expected).max())
    assert found.shape == expected.shape
    assert (np.abs(found - expected) <= allowed).all()


def assert_same_places(found, expected):
    assert len(found) == len(expected)
    for place, wanted in zip(found, expected, strict=True):
        for name, value in wanted.items():
            assert getattr(place, name) == pytest.approx(value, rel=1e-3, abs=1e-4)


@pytest.mark.parametrize(('quantization', 'of_scale'), [(QuantizationConfig(), 1e-4), (HALF, 1e-2)])
@pytest.mark.parametrize('index', [LARGE, PICTURE])
def test_golden_arrays(make_model, golden_cases, golden_checkpoint, quantization, of_scale, index):
    cases, arrays = golden_cases
    model, _, executor = make_model(quantization)
    trace = model.trace(picture(golden_checkpoint, index), cases[index]['query']['prompt_ids'])
    for name, thinned in (
        ('vision_global', trace['vision_global'][::27]),
        ('image_embeds', trace['image_embeds'][::27]),
        ('k_last_norm', trace['k_last_norm'][:, ::27]),
        ('v_last', trace['v_last'][:, ::90]),
        ('query_logits', trace['query_logits']),
    ):
        assert_close(thinned, arrays[f'{name}_{index}'], of_scale)
    crops = [profile for graph, profile in executor.runs if graph == 'vision']
    assert crops == (['one'] if index == PICTURE else ['several'])


def test_golden_words_points_and_boxes(make_model, golden_cases, golden_checkpoint):
    case = golden_cases[0][PICTURE]
    model, _, _ = make_model()
    image = model.encode_image(picture(golden_checkpoint, PICTURE))
    caption = case['caption']['normal']
    assert list(model.caption(image, max_tokens=len(caption['ids'])).ids) == caption['ids']
    points = model.point(image, case['point']['object'], max_objects=5)
    assert_same_places(points, case['point']['free_max5'])
    boxes = model.detect(image, case['detect']['object'], max_objects=5)
    assert_same_places(boxes, case['detect']['free_max5'])
    text = model.query(None, golden_cases[0][0]['query']['question'], max_tokens=12).text
    assert text == golden_cases[0][0]['text_only']


def test_stream_equals_the_whole_answer_and_can_be_cancelled(
    make_model, golden_cases, golden_checkpoint
):
    model, _, _ = make_model()
    question = golden_cases[0][PICTURE]['query']['question']
    image = model.encode_image(picture(golden_checkpoint, PICTURE))
    stream = model.query(image, question, max_tokens=12, stream=True)
    assert ''.join(stream) == model.query(image, question, max_tokens=12).text
    cancel = threading.Event()
    cancel.set()
    with pytest.raises(Cancelled):
        model.query(image, question, cancel=cancel)
    assert model.query(image, question, max_tokens=2).ids


def embeddings(engine, count, seed=1):
    ids = np.random.default_rng(seed).integers(10, 600, count)
    return engine.embed_tokens(ids)


@pytest.mark.parametrize('count', [2, PREFILL_CHUNK, PREFILL_CHUNK + 1, 2 * PREFILL_CHUNK + 3])
def test_chunked_prefill_equals_token_by_token(make_engine, count):
    engine, executor = make_engine()
    tokens = embeddings(engine, count)
    whole = engine.step(tokens)
    assert [profile for _, profile in executor.runs] == ['piece'] * (count // PREFILL_CHUNK) + (
        [] if count % PREFILL_CHUNK == 0 else ['token' if count % PREFILL_CHUNK == 1 else 'piece']
    )
    caches = engine.read_cache(1)
    engine.rewind(0)
    for token in tokens:
        last = engine.step(token[None])
    assert_close(last, whole)
    for one, other in zip(engine.read_cache(1), caches, strict=True):
        assert_close(one, other)


def test_rewind_hides_later_positions(make_engine):
    engine, _ = make_engine()
    begin, rest, other = (embeddings(engine, count, count) for count in (5, 40, 7))
    engine.step(begin)
    expected = engine.step(other)
    engine.rewind(5)
    engine.step(rest)
    engine.rewind(5)
    assert engine.length == 5
    np.testing.assert_array_equal(engine.step(other), expected)
    assert engine.length == 12
    for wrong in (13, -1):
        with pytest.raises(VlmError, match='cannot rewind'):
            engine.rewind(wrong)


def test_step_fills_the_context_and_refuses_more(make_engine, golden):
    engine, _ = make_engine()
    room = golden.config.text.max_context
    tokens = embeddings(engine, room)
    engine.step(tokens[:-1])
    expected = engine.step(tokens[-1:])
    assert engine.length == room
    with pytest.raises(VlmError, match='0 are left'):
        engine.step(tokens[:1])
    engine.rewind(room - 1)
    with pytest.raises(VlmError, match='1 are left'):
        engine.step(tokens[:2])
    np.testing.assert_array_equal(engine.step(tokens[-1:]), expected)


def test_second_image_replaces_the_prefix(make_engine, golden):
    engine, _ = make_engine()
    prefix = golden.config.prefix_length
    ask = embeddings(engine, 4)
    answers = []
    for seed in (1, 2, 1):
        engine.prefill_image(embeddings(engine, prefix, seed))
        assert engine.length == prefix
        answers.append(engine.step(ask))
    np.testing.assert_array_equal(answers[0], answers[2])
    assert np.abs(answers[0] - answers[1]).max() > 1e-3
    with pytest.raises(VlmError, match=f'takes {prefix} positions'):
        engine.prefill_image(ask)


def test_greedy_token_is_never_the_answer_id(make_engine, golden):
    engine, _ = make_engine()
    hidden = engine.step(embeddings(engine, 3))
    logits = engine.logits(hidden)
    logits[golden.config.tokenizer.answer_id] = -np.inf
    assert engine.token(hidden) == int(logits.argmax())


def test_unchanged_values_are_not_uploaded_again(make_engine):
    engine, executor = make_engine()
    hidden = engine.step(embeddings(engine, 3))
    executor.uploads.clear()
    best = int(engine.coordinate_logits(hidden).argmax())
    engine.token(hidden)
    assert executor.uploads == []
    following = engine.embed_coordinates([best / 1024])
    length = engine.length
    expected = engine.step(following)
    assert executor.uploads == [ALIGNMENT + 1]  # where to write, and nothing more
    engine.rewind(length)
    engine.step(engine.embed_coordinates([(best + 1) % 1024 / 1024]))
    engine.rewind(length)
    np.testing.assert_allclose(engine.step(following), expected, rtol=1e-6)


def test_caller_may_modify_arrays_afterwards(make_engine):
    engine, _ = make_engine()
    hidden = engine.step(embeddings(engine, 3))
    expected = engine.logits(hidden.copy())
    changed = hidden.copy()
    engine.coordinate_logits(changed)
    changed[:] = 0
    assert np.abs(engine.logits(changed) - expected).max() > 1e-3
    np.testing.assert_array_equal(engine.logits(hidden), expected)


def test_failed_run_leaves_the_engine_unchanged(make_engine):
    engine, executor = make_engine()
    tokens = embeddings(engine, PREFILL_CHUNK + 5)
    engine.step(tokens[:4])
    expected = engine.step(tokens[4:])
    engine.rewind(4)
    executor.failing = 'decoder'
    with pytest.raises(EngineError, match='decoder'):
        engine.step(tokens[4:])
    assert engine.length == 4
    executor.failing = 'coordinate'
    with pytest.raises(EngineError, match='coordinate'):
        engine.coordinate_logits(expected)
    executor.failing = None
    np.testing.assert_array_equal(engine.step(tokens[4:]), expected)


def test_crops_are_split_into_batches(make_engine, golden):
    engine, executor = make_engine()
    side, most = golden.config.vision.crop_size, engine.crop_batch_size
    generator = np.random.default_rng(0)
    crops = generator.uniform(-1, 1, (most + 1, 3, side, side)).astype(np.float32)
    features = engine.encode(crops)
    assert [profile for _, profile in executor.runs] == ['several', 'one']
    np.testing.assert_allclose(features[-1:], engine.encode(crops[-1:]), atol=1e-5)


def test_all_memory_is_allocated_at_load(make_engine, golden):
    engine, executor = make_engine()
    taken = executor.taken
    for count in (1, 3, PREFILL_CHUNK, 1):
        hidden = engine.step(embeddings(engine, count))
        engine.logits(hidden), engine.size_logits(hidden)
    engine.prefill_image(embeddings(engine, golden.config.prefix_length))
    assert executor.taken == taken
    with pytest.raises(EngineError, match='too small'):
        make_engine(memory=taken - 1)


def test_closing_frees_the_device(make_engine):
    engine, executor = make_engine()
    engine.close()
    assert executor.closed
    engine.close()


def test_cpu_device_is_refused(folders, make_engine):
    with pytest.raises(DeviceNotAvailable, match='--target onnx'):
        open_tensorrt(folders(QuantizationConfig()), 'cpu')


def test_embeddings_of_another_shape_are_named(make_engine, folders, tmp_path):
    folder = folders(QuantizationConfig())
    (tmp_path / 'tables.safetensors').write_bytes(b'nothing')
    with pytest.raises(ModelFolderError, match='tables.safetensors cannot be read'):
        TensorRtEngine(replace(folder, path=tmp_path), make_engine()[1])
