"""Both runtimes on a GPU: `make test-gpu`."""

import json
import shutil
import threading

import numpy as np
import pytest
from PIL import Image

from kimi_ros.vlm import VisionLanguageModel
from kimi_ros.vlm.errors import Cancelled, ModelFolderError, VlmError
from kimi_ros.vlm.trt.device_memory import open_device

OF_SCALE = 1e-2  # of half precision, as export/selfcheck.py has it
FRAMES = 1000
GROWTH = 16 << 20  # bytes that a driver may take for itself
LEFT = 64 << 20
CASES = range(5)
EACH = pytest.mark.parametrize('index', CASES)


@pytest.fixture
def picture(golden_checkpoint):
    def read(index):
        with Image.open(golden_checkpoint / f'image_{index}.png') as image:
            return np.asarray(image.convert('RGB'))

    return read


@EACH
def test_golden_arrays(load, golden_cases, picture, index):
    cases, arrays = golden_cases
    trace = load().trace(picture(index), cases[index]['query']['prompt_ids'])
    for name, thinned in (
        ('vision_global', trace['vision_global'][::27]),
        ('image_embeds', trace['image_embeds'][::27]),
        ('k_last_norm', trace['k_last_norm'][:, ::27]),
        ('v_last', trace['v_last'][:, ::90]),
        ('query_logits', trace['query_logits']),
    ):
        expected = arrays[f'{name}_{index}']
        assert thinned.shape == expected.shape
        assert np.abs(thinned - expected).max() <= OF_SCALE * np.abs(expected).max(), name


@EACH
def test_first_words_points_and_boxes(load, golden_cases, picture, index):
    case, model = golden_cases[0][index], load()
    image = model.encode_image(picture(index))
    caption = case['caption']['normal']
    if caption['min_top2_margin'] > 0.1:
        answer = model.caption(image, max_tokens=len(caption['ids']))
        assert list(answer.ids) == caption['ids']
    for task, find in (('point', model.point), ('detect', model.detect)):
        # Half precision may find more or fewer objects; the first one is the same.
        for found, wanted in zip(
            find(image, case[task]['object'], max_objects=1), case[task]['free_max5'], strict=False
        ):
            for name, value in wanted.items():
                assert getattr(found, name) == pytest.approx(value, abs=0.02)


def test_a_streamed_answer_is_the_whole_answer(load, picture):
    model = load()
    image = model.encode_image(picture(3))
    stream = model.query(image, 'What is there?', max_tokens=24, stream=True)
    assert ''.join(stream) == model.query(image, 'What is there?', max_tokens=24).text


def test_cancelled_answer_leaves_the_model_usable(load, picture):
    model, cancel = load(), threading.Event()
    image = model.encode_image(picture(3))
    expected = model.query(image, 'What is there?', max_tokens=24).text
    stream = model.query(image, 'What is there?', max_tokens=24, stream=True, cancel=cancel)
    next(stream)
    cancel.set()
    with pytest.raises(Cancelled):
        for _ in stream:
            pass
    assert model.query(image, 'What is there?', max_tokens=24).text == expected


def test_call_from_another_thread(load, picture):
    model, answers = load(), []
    image = model.encode_image(picture(3))

    def ask():
        answers.append(model.query(image, 'What is there?', max_tokens=8).text)

    thread = threading.Thread(target=ask)
    thread.start()
    thread.join()
    ask()
    assert answers[0] == answers[1]


def test_two_models_at_once(load, picture):
    first, second = load(), load()
    answers = []
    for model in (first, second, first):
        image = model.encode_image(picture(3))
        answers.append(model.query(image, 'What is there?', max_tokens=8).text)
    assert len(set(answers)) == 1
    first.close()
    image = second.encode_image(picture(3))
    assert second.query(image, 'What is there?', max_tokens=8).text == answers[0]


@pytest.mark.parametrize('precision', ['fp32', 'int8', 'int4'])
def test_other_precisions(load, runtime, picture, precision):
    if (runtime, precision) == ('onnxruntime', 'fp32'):
        pytest.skip('onnxruntime has no decoder in fp32 on CUDA')
    model = load(precision)  # kimi-export has compared it with the checkpoint, on this GPU
    image = model.encode_image(picture(0))
    assert model.query(image, 'What is there?', max_tokens=4).ids


def test_out_of_memory_is_a_named_error(exported, picture):
    folder = exported()
    # The driver allocates memory of its own on first use, which is not measured.
    VisionLanguageModel.load(folder, device='cuda').close()
    other = open_device()
    try:
        with other.current():
            while (free := other.free()) > LEFT + (1 << 20):
                other.allocate(min(free - LEFT, 1 << 30))
        with pytest.raises(VlmError):
            models = [VisionLanguageModel.load(folder, device='cuda') for _ in range(8)]
            for model in models:
                model.encode_image(picture(0))
    finally:
        other.close()
    with VisionLanguageModel.load(folder, device='cuda') as model:
        assert model.encode_image(picture(3))


def test_memory_does_not_grow_with_frames(device, load, golden_checkpoint):
    model = load()
    random = np.random.default_rng(0)

    def look(count):
        for _ in range(count):
            image = model.encode_image(random.integers(0, 256, (120, 160, 3), np.uint8))
            model.point(image, 'cup', max_objects=2)

    def free():
        with device.current():
            return device.free()

    look(10)
    before = free()
    look(FRAMES)
    assert free() >= before - GROWTH


def test_close_frees_the_memory(device, exported, picture):
    folder = exported()
    free = []
    for _ in range(3):
        with VisionLanguageModel.load(folder, device='cuda') as model:
            model.query(model.encode_image(picture(0)), 'What is there?', max_tokens=2)
        with device.current():
            free.append(device.free())
    assert free[-1] >= free[0] - GROWTH


@pytest.mark.parametrize(
    ('key', 'value', 'words'),
    [
        ('version', '8.6.0', 'built with TensorRT 8.6.0'),
        ('compute_capability', '5.3', 'compute capability 5.3'),
    ],
)
def test_engines_of_another_machine_are_refused(exported, runtime, tmp_path, key, value, words):
    if runtime != 'tensorrt':
        pytest.skip('only engines belong to a machine')
    folder = tmp_path / 'moved'
    shutil.copytree(exported(), folder)
    about = json.loads((folder / 'model.json').read_text())
    about['tensorrt']['machine'][key] = value
    (folder / 'model.json').write_text(json.dumps(about))
    with pytest.raises(ModelFolderError, match=words) as refused:
        VisionLanguageModel.load(folder)
    assert 'kimi-export' in str(refused.value)


def test_modified_engine_is_refused(exported, runtime, tmp_path):
    folder = tmp_path / 'changed'
    shutil.copytree(exported(), folder)
    name = 'head.engine' if runtime == 'tensorrt' else 'head.onnx'
    data = bytearray((folder / name).read_bytes())
    data[len(data) // 2] ^= 1
    (folder / name).write_bytes(data)
    with pytest.raises(ModelFolderError, match=f'{name} is damaged'):
        VisionLanguageModel.load(folder, device='cuda')
