"""Made-up checkpoints in the layout of every release of Moondream 2; right and wrong tokenizers."""

import json

import numpy as np
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel

from kimi_export import CheckpointError, export_model
from kimi_export import tokenizer_file as tokenizer_module
from kimi_export.checkpoint import open_checkpoint
from kimi_export.errors import HubError
from kimi_export.hub import Origin
from kimi_export.known import known_checkpoints, license_of
from kimi_export.releases import RELEASES
from kimi_ros.vlm import VisionLanguageModel
from kimi_ros.vlm.errors import InputError
from kimi_ros.vlm.prompt import object_prompt, query_prompt
from kimi_ros.vlm.tokenizer import TextTokenizer

STARMIE = {0: '<|endoftext|>', 15381: 'query', 32708: 'caption'}
GPT2 = {50256: '<|endoftext|>', 24361: 'Question', 33706: 'Answer', 15381: 'Helm', 32708: 'qv'}
COMMIT = '3' * 40
WORDS = {'cup': 40, ' cup': 41, 'Is it?': 42, ' Is it?': 43}
SOURCES = {  # what each release's moondream.py has of the lines that tell them apart
    '2025-01-09': 'Tokenizer.from_pretrained("vikhyatk/moondream2")\nencode(question).ids',
    '2025-04-14': 'Tokenizer.from_pretrained("vikhyatk/moondream2")\nencode(" " + question).ids',
    '2025-06-21': 'Tokenizer.from_pretrained("moondream/starmie-v1")\nencode(question).ids',
}


def starmie_folder(place):
    """A snapshot of the repository, as the hub's cache has it."""
    return place / 'models--moondream--starmie-v1' / 'snapshots' / COMMIT


def save_tokenizer(path, special):
    """Save a tokenizer with these words at these ids; it encodes a whole text as one word."""
    vocabulary = {word: token for token, word in special.items()} | WORDS | {'?': 50}
    Tokenizer(WordLevel(vocabulary, unk_token='?')).save(str(path))
    return path


@pytest.fixture(scope='module')
def big_config(make_config):
    """The smallest sizes with the vocabulary of the published models; no templates."""
    config = make_config(text={'vocab_size': 51200, 'dim': 32, 'n_layers': 1})
    del config['tokenizer']
    return config


@pytest.fixture(scope='module')
def big_tensors(big_config, make_tensors):
    return {name: x.astype(np.float16) for name, x in make_tensors(big_config).items()}


@pytest.fixture
def published(make_checkpoint, big_config, big_tensors):
    """Write a checkpoint of a release as it is on the hub: `make(release, tokenizer)`."""

    def make(release, special=GPT2, source=True, config=None):
        folder = make_checkpoint(big_tensors, config or big_config)
        (folder / 'tokenizer.json').unlink()
        if special:
            save_tokenizer(folder / 'tokenizer.json', special)
        (folder / 'moondream.py').unlink(missing_ok=True)
        if source:
            (folder / 'moondream.py').write_text(SOURCES[release])
        return folder

    return make


@pytest.fixture
def hub(monkeypatch, tmp_path):
    """A hub with or without starmie-v1, which records the requests."""

    class Hub:
        asked, has = [], True

        def fetch(self, name, use_network=True):
            self.asked.append((name, use_network))
            if not self.has:
                raise HubError(f'{name} is not in the cache')
            folder = starmie_folder(tmp_path)
            folder.mkdir(parents=True, exist_ok=True)
            save_tokenizer(folder / 'tokenizer.json', STARMIE)
            return folder

    found = Hub()
    found.asked = []
    monkeypatch.setattr(tokenizer_module, 'fetch', found.fetch)
    return found


@pytest.mark.parametrize('release', ['2025-01-09', '2025-04-14'])
def test_gpt2_release_keeps_its_own_tokenizer(published, hub, release):
    opened = open_checkpoint(published(release))
    special = opened.config.tokenizer
    assert (special.bos_id, special.eos_id) == (50256, 50256)
    assert special.answer_id is None and special.thinking_id is None and special.coord_id is None
    assert special.templates.query.prefix == (198, 198, 24361, 25)
    assert ('long' in special.templates.caption) == (release == '2025-04-14')
    assert opened.config.region.log_sizes == (release == '2025-04-14')
    assert hub.asked == []


@pytest.mark.parametrize(
    ('release', 'question', 'name', 'suffixes'),
    [
        ('2025-01-09', 'Is it?', 'cup', 1),
        ('2025-04-14', ' Is it?', ' cup', 1),
        ('2025-06-21', 'Is it?', ' cup', 2),
    ],
)
def test_prompts_follow_the_release(published, hub, release, question, name, suffixes):
    opened = open_checkpoint(published(release))
    config, tokenizer = opened.config, TextTokenizer.from_file(opened.tokenizer)
    template = config.tokenizer.templates
    ids = query_prompt(config, tokenizer, 'Is it?').ids
    assert ids == template.query.prefix + (WORDS[question],) + suffixes * template.query.suffix
    space = config.tokenizer.space_before_object
    ids = object_prompt(template.point, tokenizer, 'cup', space).ids
    assert ids == (*template.point.prefix, WORDS[name], *template.point.suffix)


@pytest.mark.parametrize('release', ['2025-01-09', '2025-04-14'])
def test_gpt2_release_has_no_reasoning_and_no_spatial_references(published, release):
    opened = open_checkpoint(published(release))
    tokenizer = TextTokenizer.from_file(opened.tokenizer)
    with pytest.raises(InputError, match='no reasoning mode'):
        query_prompt(opened.config, tokenizer, 'Is it?', reasoning=True)
    with pytest.raises(InputError, match='spatial_refs'):
        query_prompt(opened.config, tokenizer, 'Is it?', spatial_refs=[(0.5, 0.5)])


def test_stale_tokenizer_is_replaced_by_the_pinned_one(published, hub, tmp_path):
    folder = published('2025-06-21')
    opened = open_checkpoint(folder)
    assert opened.tokenizer == starmie_folder(tmp_path) / 'tokenizer.json'
    ((name, use_network),) = hub.asked
    assert name.startswith('hub:moondream/starmie-v1@35192e10')
    assert not use_network, 'a local folder must not cause a download'


def test_right_tokenizer_beside_the_checkpoint_is_kept(published, hub):
    folder = published('2025-06-21', STARMIE)
    assert open_checkpoint(folder).tokenizer == folder / 'tokenizer.json'
    assert hub.asked == []


def test_stale_tokenizer_without_the_hub_is_refused_with_the_ids(published, hub):
    hub.has = False
    with pytest.raises(CheckpointError) as caught:
        open_checkpoint(published('2025-06-21'))
    message = str(caught.value)
    assert "id 15381 is 'Helm', not 'query'" in message
    assert "id 32708 is 'qv', not 'caption'" in message
    assert '--tokenizer hub:moondream/starmie-v1@35192e10' in message


def test_missing_tokenizer_is_taken_from_the_cache(published, hub, tmp_path):
    opened = open_checkpoint(published('2025-06-21', None))
    assert opened.tokenizer == starmie_folder(tmp_path) / 'tokenizer.json'


@pytest.mark.parametrize(('release', 'wrong'), [('2025-06-21', GPT2), ('2025-04-14', STARMIE)])
def test_given_tokenizer_is_compared_as_well(published, hub, tmp_path, release, wrong):
    given = save_tokenizer(tmp_path / 'given.json', wrong)
    with pytest.raises(CheckpointError, match='given.json does not match'):
        open_checkpoint(published(release), tokenizer=given)


def test_tokenizer_from_the_hub_may_be_given(published, hub, tmp_path):
    opened = open_checkpoint(published('2025-06-21'), tokenizer='hub:moondream/starmie-v1')
    assert opened.tokenizer == starmie_folder(tmp_path) / 'tokenizer.json'
    assert hub.asked == [('hub:moondream/starmie-v1', True)]


def test_release_is_found_without_its_source(published, hub, big_config):
    for name, release in RELEASES.items():
        config = {**big_config, 'tokenizer': {'templates': release.tokenizer['templates']}}
        opened = open_checkpoint(published(name, source=False, config=config))
        assert opened.config == open_checkpoint(published(name)).config, name
    assert (
        open_checkpoint(published('2025-06-21', STARMIE, source=False)).config.tokenizer.eos_id == 0
    )


def test_release_that_nothing_tells_must_be_given(published, hub):
    folder = published('2025-04-14', source=False)
    with pytest.raises(CheckpointError, match='--release with one of 2025-01-09, 2025-04-14'):
        open_checkpoint(folder)
    assert open_checkpoint(folder, release='2025-04-14').config.region.log_sizes
    with pytest.raises(CheckpointError, match='--release must be one of'):
        open_checkpoint(folder, release='2023-01-01')


def test_explicit_config_keys_override_the_release(published, hub, big_config):
    config = {**big_config, 'tokenizer': {'eos_id': 7, 'answer_id': 8}}
    special = open_checkpoint(published('2025-04-14', config=config)).config.tokenizer
    assert (special.bos_id, special.eos_id, special.answer_id) == (50256, 7, 8)


def test_older_tensor_names_with_the_first_release(
    make_checkpoint, big_config, big_tensors, older_name
):
    tensors = {older_name(name): x for name, x in big_tensors.items() if '.region.' not in name}
    folder = make_checkpoint(tensors, big_config)
    save_tokenizer(folder / 'tokenizer.json', GPT2)
    opened = open_checkpoint(folder, release='2025-01-09')
    assert opened.tasks == ('query', 'caption')


@pytest.mark.parametrize(
    'name',
    [
        'text_model.transformer.h.4.gate.weight',
        'text_model.transformer.h.4.mlp.experts.weight',
        'text_model.transformer.h.4.mlp.output_experts.weight',
        'text_model.transformer.h.0.tau_alpha',
        'text_model.transformer.h.0.tau_wqwv',
        'model.text.blocks.4.mlp.router.weight',
    ],
)
def test_moondream_3_is_refused_by_name(make_checkpoint, make_config, make_tensors, name):
    tensors = make_tensors(make_config()) | {name: np.zeros((2, 2), np.float32)}
    with pytest.raises(CheckpointError, match='is a Moondream 3 checkpoint') as caught:
        open_checkpoint(make_checkpoint(tensors))
    assert name in str(caught.value)


@pytest.mark.parametrize('release', ['2025-01-09', '2025-06-21'])
def test_exported_release_answers_and_points(published, hub, tmp_path, release):
    out = export_model(published(release), tmp_path / 'out')
    about = json.loads((out / 'model.json').read_text())
    assert about['config']['tokenizer']['templates'] == RELEASES[release].tokenizer['templates']
    pinned = {'repository': 'moondream/starmie-v1', 'revision': COMMIT}
    assert about['source'].get('tokenizer') == (pinned if hub.asked else None)
    with VisionLanguageModel.load(out, threads=1) as model:
        image = model.encode_image(np.zeros((20, 20, 3), np.uint8))
        assert len(model.query(image, 'Is it?', max_tokens=3).prompt_ids) > 3
        assert len(model.point(image, 'cup', max_objects=2)) <= 2
        assert len(model.detect(image, 'cup', max_objects=2)) <= 2


@pytest.fixture
def known(published, monkeypatch):
    """A hub with the known checkpoints, which records the names that are fetched."""
    from kimi_export import checkpoint

    asked = []

    def fetch(name):
        asked.append(name)
        return published('2025-06-21', STARMIE, source=False)

    monkeypatch.setattr(checkpoint, 'fetch', fetch)
    return asked


def test_known_checkpoint_is_fetched_at_its_pinned_revision(known):
    opened = open_checkpoint('moondream2')
    assert opened.config.tokenizer.repeat_query_suffix
    assert known == ['hub:vikhyatk/moondream2@9a7d4024050840e001defacec2b00727e89149e6']


def test_known_checkpoints_have_releases_and_licenses():
    for name, checkpoint in known_checkpoints().items():
        assert checkpoint.release in RELEASES and checkpoint.license, name
        starmie = checkpoint.tokenizer == tokenizer_module.STARMIE
        assert starmie == RELEASES[checkpoint.release].starmie, name
    assert license_of(Origin('vikhyatk/moondream2', 'f' * 40)) == 'Apache-2.0'
    assert license_of(Origin('owner/name', 'f' * 40)) is None


def test_folder_goes_before_a_known_name(make_checkpoint, tmp_path, monkeypatch):
    make_checkpoint(name='moondream2')
    monkeypatch.chdir(tmp_path)
    assert open_checkpoint('moondream2').name == 'moondream2'
