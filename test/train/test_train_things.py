"""Teaching scanned things: views, labels, names, questions, and a training that learns them."""

import json
import re
import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scan_files import write_scans
from scanned_things import THINGS, picture, some_picture, truth
from tokenizers import Tokenizer

from kimi_export import export_model
from kimi_ros.cli.main import main as kimi
from kimi_ros.eval.user_data import read_user_data
from kimi_ros.sim import CATEGORIES, COLORS
from kimi_ros.vlm import VisionLanguageModel
from kimi_train.cli import main
from kimi_train.examples import IGNORE
from kimi_train.nano.checkpoint import load_start, save_checkpoint
from kimi_train.nano.scenes import SceneSet
from kimi_train.things.evaluation import labelled_photos
from kimi_train.things.expressions import ExpressionSampler, unknown_names
from kimi_train.things.labelled import HELD_OUT, write_labelled
from kimi_train.things.labels import Classes
from kimi_train.things.losses import generalised_iou
from kimi_train.things.optimizer import RelativeAdam
from kimi_train.things.questions import ThingQuestions
from kimi_train.things.recipe import STAGES, Data, teach, train_stage, write_start
from kimi_train.things.views import augmented_view, plain_view
from kimi_train.things.vocabulary import with_names


def clean(rgb, rng):
    """A camera that does nothing to a picture."""
    return rgb


def test_a_view_has_the_things_patches_and_boxes():
    view = plain_view(picture(truth(0, 'soup', (96, 72, 192, 144))), 384, 16)
    assert view.rgb.shape == (384, 384, 3) and view.known == [0]
    assert view.objects[0].box == (0.25, 0.25, 0.5, 0.5)
    rows, columns = np.nonzero(view.owners == 0)
    assert {*rows} == {*columns} == set(range(6, 12)) and len(rows) == 36


def test_augmented_boxes_still_enclose_their_things():
    rng, other = np.random.default_rng(0), picture(background=0)
    shown = picture(truth(0, 'soup', (150, 100, 220, 180)), truth(1, 'tuna', (20, 20, 90, 100)))
    hidden = 0
    for _ in range(60):
        view = augmented_view(shown, lambda: other, rng, clean, 384, 16)
        for thing in view.objects:
            x0, y0, x1, y1 = (round(v * 384) for v in thing.box)
            inside = view.rgb[y0 + 3 : y1 - 3, x0 + 3 : x1 - 3].reshape(-1, 3).astype(int)
            red = inside[:, 0] - inside[:, 2]
            if thing.visible > 0.95 and len(red):
                assert (red if thing.thing == 'soup' else -red).min() > 50
                x, y = thing.point
                assert thing.box[0] < x < thing.box[2] and thing.box[1] < y < thing.box[3]
            hidden += thing.visible < 0.9
    assert hidden > 5


def test_what_hardly_shows_is_neither_a_thing_nor_background():
    little = truth(0, 'soup', (0, 0, 96, 72), visible=0.1)
    fake = truth(1, 'tuna', (192, 144, 288, 216), distractor=True)
    view = plain_view(picture(little, fake), 384, 16)
    classes = Classes([thing.id for thing in THINGS.all])
    (category, color, *_), (boxes, asked, painted) = classes.of_view(view)
    assert not view.known and not painted
    assert category[0] == IGNORE and category[12 * 24 + 12] == len(classes) == category[-1]
    assert color[12 * 24 + 12] == COLORS.index('blue') and color[-1] == len(COLORS)
    assert not asked[classes.index['soup']] and asked[classes.index['tuna']]
    assert not asked[: len(CATEGORIES)].any()
    assert not boxes[0].any() and boxes[12 * 24 + 12].tolist() == [0.5, 0.5, 0.75, 0.75]


def test_equal_boxes_overlap_wholly_and_distant_ones_less_than_not():
    one = torch.tensor([[0.0, 0.0, 0.5, 0.5], [0.0, 0.0, 0.25, 0.25]])
    other = torch.tensor([[0.0, 0.0, 0.5, 0.5], [0.75, 0.75, 1.0, 1.0]])
    overlap, apart = generalised_iou(one, other)
    assert overlap.tolist() == [1, 0] and apart[0] == 1 and -1 < apart[1] < -0.8


def test_steps_are_as_large_as_the_channels_weights():
    weight = torch.nn.Parameter(torch.tensor([[1.0, -1.0], [100.0, -100.0]])[..., None, None])
    (weight.sum() * 3).backward()
    before = weight.detach().clone()
    RelativeAdam([weight], lr=0.01).step()
    moved = (weight.detach() - before).abs().flatten(1)
    torch.testing.assert_close(moved, torch.tensor([[0.01, 0.01], [1.0, 1.0]]), rtol=1e-3, atol=0)


def test_new_names_become_words_and_others_stay(start):
    old = Tokenizer.from_file(str(start / 'tokenizer.json'))
    new = with_names(old, ['mustard bottle', '芥末瓶'])
    assert len(new.encode(' mustard bottle').ids) == 2
    assert len(new.encode('芥末瓶').ids) == 3
    assert len(old.encode('芥末瓶').ids) > 3
    for text in ('How many red cups are there?', '桌子上有几个红色的杯子？'):
        assert new.encode(text).ids == old.encode(text).ids
        assert new.decode(new.encode(text).ids) == text
    assert {**old.get_vocab(), **new.get_vocab()} == new.get_vocab()


@pytest.fixture
def sampler():
    return ExpressionSampler(THINGS)


def views(count, seed=0):
    rng = np.random.default_rng(seed)
    return [plain_view(some_picture(rng), 384, 16) for _ in range(count)]


@pytest.mark.parametrize('language', ['en', 'zh'])
def test_names_mean_what_the_things_file_says(sampler, language):
    rng, said = np.random.default_rng(1), set()
    for view in views(60):
        what = sampler.present(view, language, rng)
        found = [view.objects[i] for i in what.matches(view.objects)]
        assert found and all(o.thing in what.ids for o in found)
        said.add(what.word)
        absent = sampler.absent(view, language, rng)
        assert not absent.matches(view.objects)
    assert said == {n for t in THINGS.all for n in THINGS.names(t.id, language)}
    assert ('罐头' if language == 'zh' else 'can') in said


def test_a_kinds_name_is_not_asked_beside_a_look_alike(sampler):
    rng = np.random.default_rng(0)
    fake = truth(1, 'tuna', (192, 144, 288, 216), distractor=True)
    view = plain_view(picture(truth(0, 'soup', (20, 20, 90, 100)), fake), 384, 16)
    words = {sampler.present(view, 'en', rng).word for _ in range(80)}
    assert words == {'soup can', 'can of soup'}
    missing = {sampler.absent(view, 'en', rng).word for _ in range(200)}
    assert 'tuna can' in missing and not {'can', 'tin'} & missing


def test_unknown_names_are_as_many_in_both_languages():
    names = unknown_names()
    assert len(names['en']) == len(set(names['en'])) > 100
    assert len(names['zh']) == len(set(names['zh'])) == len(names['en'])
    known = {n for t in THINGS.all for n in (*t.names['en'], *t.names['zh'])}
    assert not known & {*names['en'], *names['zh']}
    assert not {n for pair in HELD_OUT for n in pair} & {*names['en'], *names['zh']}


@pytest.fixture(scope='module')
def base(start, tmp_path_factory):
    """A checkpoint that knows tables (badly): the small start with random weights."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp('base')
    config = json.loads((start / 'config.json').read_text())
    config['vision']['crop_size'] = 192
    (folder / 'config.json').write_text(json.dumps(config))
    for name in ('tokenizer.json', 'tasks.json'):
        (folder / name).write_bytes((start / name).read_bytes())
    model, _ = load_start(folder)
    torch.save({'model': model.state_dict()}, folder / 'last.pt')
    save_checkpoint(folder, folder / 'last.pt', folder)
    return folder


@pytest.fixture(scope='module')
def data(scenes):
    rng = np.random.default_rng(0)
    pictures = [some_picture(rng) for _ in range(24)]
    frames, owners = scenes.frames[:, ::2, ::2], scenes.instance_map[:, ::2, ::2]
    tables = SceneSet(frames, owners, scenes.lines)  # a quarter as many patches: tests are short
    return Data(pictures, [some_picture(rng) for _ in range(6)], THINGS, tables, clean)


def test_questions_are_answered_from_the_view(base, data, tmp_path):
    write_start(base, THINGS, tmp_path)
    model, tokenizer = load_start(tmp_path)
    writer, rng = ThingQuestions(model.config, tokenizer, THINGS), np.random.default_rng(0)
    seen = set()
    for view in views(80):
        for ask in (writer.short, writer.long):
            question = ask(view, rng)
            seen.add(question.question_type)
            assert question.named_attributes is None
            assert all(0 <= v <= 1 for v in question.coords.values())
            places = [i for found in question.attention.values() for i in found]
            assert all(-1 <= i < len(view.objects) for i in places)
            text = tokenizer.decode(question.ids, skip_special_tokens=False)
            if question.question_type == 'plan':
                answer = text[text.index('{"status"') :]
                assert json.loads(answer[: answer.rindex('}') + 1])['status']
    assert seen == {
        'locate', 'presence', 'count', 'check', 'attribute', 'relation', 'plan', 'caption',
    }  # fmt: skip


def test_both_stages_learn_resume_and_write_a_checkpoint(base, data, tmp_path):
    torch.manual_seed(0)
    out = teach(data, base, tmp_path / 'run', tmp_path / 'out', steps=3)
    assert (out / 'model.safetensors').exists()
    config = json.loads((out / 'config.json').read_text())
    assert config['vision']['stem'] == 'efficientnet_lite0'
    lines = (tmp_path / 'run' / 'see' / 'curve.jsonl').read_text().splitlines()
    assert {'point', 'iou50', 'found'} <= json.loads(lines[-1]).keys()
    # What is done is not done again.
    state = torch.load(tmp_path / 'run' / 'speak' / 'last.pt', weights_only=True)
    teach(data, base, tmp_path / 'run', tmp_path / 'out', steps=3)
    again = torch.load(tmp_path / 'run' / 'speak' / 'last.pt', weights_only=True)
    assert again['step'] == state['step'] == 3


def test_a_resumed_training_equals_an_uninterrupted_one(base, data, tmp_path):
    stage = replace(
        STAGES[0], settings=replace(STAGES[0].settings, pictures=2, tables=1, workers=0)
    )
    write_start(base, THINGS, tmp_path / 'start')
    ends = []
    for name, stops in (('whole', (4,)), ('halves', (2, 4))):
        for steps in stops:
            part = replace(stage, settings=replace(stage.settings, steps=steps, decay_steps=0))
            path = train_stage(part, data, base, tmp_path / 'start', tmp_path / name, None)
        ends.append(torch.load(path, weights_only=True)['learner'])
    for name, tensor in ends[0].items():
        torch.testing.assert_close(ends[1][name], tensor, rtol=0, atol=0)


def test_the_encoder_learns_to_find_things(base, data, tmp_path):
    settings = replace(
        STAGES[0].settings,
        steps=30,
        pictures=5,
        tables=1,
        learning_rate=4e-3,
        decay_steps=15,
        warmup_steps=3,
        average_decay=0.5,
        workers=0,
    )
    write_start(base, THINGS, tmp_path / 'start')
    stage = replace(STAGES[0], settings=settings)
    train_stage(stage, data, base, tmp_path / 'start', tmp_path, None)
    curve = (tmp_path / 'see' / 'curve.jsonl').read_text().splitlines()
    assert json.loads(curve[-1])['point'] > 0.4  # by chance 0.05


def test_photographs_are_found_by_names_that_mean_one_thing(tmp_path):
    Image.new('RGB', (40, 30)).save(tmp_path / 'a.png')
    lines = [
        {'image': 'a.png', 'object': {'en': 'soup can', 'zh': '汤罐头'}, 'box': [0, 0, 0.5, 0.5]},
        {'image': 'a.png', 'object': 'can', 'box': [0, 0, 1, 1]},
        {'image': 'a.png', 'object': 'plate', 'absent': True},
        {'image': 'a.png', 'object': 'giraffe', 'absent': True},
    ]
    (tmp_path / 'things.jsonl').write_text('\n'.join(map(json.dumps, lines)))
    (photo,) = labelled_photos(tmp_path, THINGS, 96)
    assert photo.rgb.shape == (96, 96, 3)
    assert photo.boxes == {'soup': (0, 0, 0.5, 0.5)} and photo.absent == {'plate'}


def test_drawn_pictures_become_data_that_kimi_eval_reads(tmp_path):
    rng = np.random.default_rng(0)
    pictures = [replace(some_picture(rng), seed=i) for i in range(8)]
    assert write_labelled(Dataset(pictures), tmp_path, 8) == 2 * sum(
        len(p.objects) for p in pictures
    )
    for language in ('en', 'zh'):
        lines = read_user_data(tmp_path, 'photos', language)
        names = {n for t in THINGS.all for n in THINGS.names(t.id, language)}
        assert {line.name for line in lines if line.box} <= names
        assert any(line.name not in names for line in lines if not line.box)
        for line in lines:
            shown = {o.thing for o in pictures[int(line.image.stem)].objects}
            assert bool(THINGS.meant_by(line.name, language) & shown) == bool(line.box)


class Dataset(list):
    """Pictures with their things file."""

    things = THINGS


def test_a_checkpoint_is_given_the_threshold_of_its_presence(base, tmp_path, capsys):
    model, data = shutil.copytree(base, tmp_path / 'model'), tmp_path / 'data'
    data.mkdir()
    Image.new('RGB', (40, 30), 'red').save(data / 'a.png')
    names = [{'en': en, 'zh': zh} for en, zh in HELD_OUT]
    lines = [{'image': 'a.png', 'object': name, 'absent': True} for name in names]
    lines.append(
        {'image': 'a.png', 'object': {'en': 'soup can', 'zh': '汤罐头'}, 'box': [0, 0, 1, 1]}
    )
    (data / 'things.jsonl').write_text('\n'.join(map(json.dumps, lines)))
    assert main(['presence', str(model), str(data)]) == 0
    assert re.search(
        r'presence_threshold 0\.\d+: [\d.]+% found, [0-2]\.\d%', capsys.readouterr().out
    )
    threshold = json.loads((model / 'tasks.json').read_text())['presence_threshold']
    with VisionLanguageModel.load(export_model(model, tmp_path / 'exported')) as vlm:
        image = vlm.encode_image(np.full((30, 40, 3), (255, 0, 0), np.uint8))
        seen = [vlm.presence(image, name['en']) >= threshold for name in names]
        assert [bool(vlm.point(image, name['en'])) for name in names] == seen
        assert sum(seen) <= 1
    for rest, remedy in (
        (lines[:1], 'add lines with a box'),
        (lines[-1:], 'add lines with "absent"'),
    ):
        (data / 'things.jsonl').write_text('\n'.join(map(json.dumps, rest)))
        assert main(['presence', str(model), str(data)]) == 1
        assert remedy in capsys.readouterr().err


PAGE = Path(__file__).parents[2] / 'docs' / 'own_things.md'


def test_the_page_about_own_things_works_as_written(base, tmp_path, monkeypatch, capsys):
    page = PAGE.read_text(encoding='utf-8')
    monkeypatch.chdir(tmp_path)
    write_scans(tmp_path / 'scans')
    things = re.search(r'```yaml\n(.*?)```', page, re.DOTALL)[1]
    (tmp_path / 'scans' / 'things.yaml').write_text(things, encoding='utf-8')
    words = shlex.split(re.search(r'^\$ kimi-train (things .*)$', page, re.MULTILINE)[1])
    words += ['--base', str(base)]  # and small
    words += ['--pictures', '6', '--tables', '3', '--steps', '1', '--workers', '1']
    assert main(words) == 0
    with VisionLanguageModel.load('mine') as vlm:
        image = vlm.encode_image(np.zeros((288, 384, 3), np.uint8))
        vlm.point(image, '茶叶盒', max_objects=1)
    assert Path('mine.training/see/curve.jsonl').exists()
    drawn = sorted(Path('mine.training/pictures/pictures').iterdir())
    before = [path.stat().st_mtime_ns for path in drawn]
    assert main(words) == 0  # nothing is drawn or learnt twice
    assert [path.stat().st_mtime_ns for path in drawn] == before
    said = capsys.readouterr().out
    assert 'going on from step 1' in said and 'no threshold of presence: ' in said
    shutil.copy(next(path for path in drawn if path.suffix == '.jpg'), 'picture.jpg')
    ask = shlex.split(re.search(r'^\$ kimi (ask .*)$', page, re.MULTILINE)[1])
    assert kimi([*ask, '--planner', 'reader', '--out', 'plan.jpg']) == 0
    assert capsys.readouterr().out.startswith('kimi: ') and Path('plan.jpg').exists()
