"""The corpus of the instruction generator is complete in both languages."""

import re
from collections import Counter
from pathlib import Path

import pytest
import yaml

import kimi_train.reader
from kimi_train.reader.language.corpus import CorpusError, load_corpus

DATA = Path(kimi_train.reader.__file__).parent / 'data'
LANGUAGES = ('en', 'zh')
TYPES = {'object', 'point', 'region', 'enum', 'number', 'string', 'bool'}
KINDS = set(
    'any food drink tool container furniture device vehicle person place door clothes paper '
    'plant animal medicine toy box part surface dish'.split()
)
CORE = 'core.yaml'  # entries of the other files may add to those of this one
HAN = re.compile('[\u4e00-\u9fff]')


def load(path):
    return yaml.safe_load(path.read_text(encoding='utf-8'))


def slots(line):
    return re.findall(r'\{(\w+)\}', line)


SKILLS = {path.name: load(path) for path in sorted(DATA.glob('*.yaml'))}
WRITTEN = [entry for name, entries in SKILLS.items() if name != CORE for entry in entries]
EVERY = WRITTEN + SKILLS.get(CORE, [])
WORDS = {path.stem: load(path) for path in sorted((DATA / 'words').glob('*.yaml'))}


def test_skill_names_are_unique_in_a_file():
    assert len(WRITTEN) > 500
    for file, entries in SKILLS.items():
        counted = Counter(entry['name'] for entry in entries)
        assert [name for name, count in counted.items() if count > 1] == [], file


def test_every_skill_is_complete():
    for name, (entry, is_core) in load_corpus().items():  # merged: a later file may only add
        if not is_core:
            check_skill(entry, name)


def check_skill(entry, name):
    arguments = {a['name']: a for a in entry.get('arguments', ())}
    assert len(entry['aliases']) == len({*entry['aliases']} - {name}) >= 1, name
    for argument in arguments.values():
        assert argument['type'] in TYPES, name
        if argument['type'] == 'enum':
            assert set(argument['said']) == set(argument['values']), name
            assert all(said[lang] for said in argument['said'].values() for lang in LANGUAGES), name
        if argument['type'] == 'bool':
            assert all(entry['said'][told][lang] for told in (True, False) for lang in LANGUAGES), (
                name
            )
        if argument['type'] == 'object':
            nouns = entry.get('nouns', {}).get(argument['name'], ())
            assert set([nouns] if isinstance(nouns, str) else nouns) <= KINDS, name
    for lang in LANGUAGES:
        asks, descriptions = entry[lang]['ask'], entry[lang]['descriptions']
        assert len(descriptions) == len(set(descriptions)) >= 3, name
        assert len(asks) == len(set(asks)) >= 6, name
        for line in asks:
            assert len(slots(line)) == len(set(slots(line))), line
            needed = {n for n, a in arguments.items() if not a.get('optional')}
            assert needed <= set(slots(line)) <= set(arguments), line


def test_templates_are_in_their_language():
    for entry in WRITTEN:
        for line in lines(entry, 'en'):
            assert line.isascii(), line
        for line in lines(entry, 'zh'):
            assert HAN.search(line) or re.fullmatch(r'[{}\w，]+', line), line
            assert not re.search('[,?!;]', line), line


def lines(entry, lang):
    section = entry.get(lang) or {}
    return [*section.get('ask', ()), *section.get('descriptions', ())]


def test_fallbacks_are_skills():
    names = {entry['name'] for entry in EVERY}
    for entry in WRITTEN:
        fallbacks = entry.get('otherwise', ())
        fallbacks = {fallbacks} if isinstance(fallbacks, str) else set(fallbacks)
        assert fallbacks <= names - {entry['name']}, entry['name']


@pytest.mark.parametrize(
    ('entry', 'message'),
    [
        ('{name: polish, arguments: [{name: object}]}', 'bad.yaml: skill polish: argument'),
        ('{name: polish, en: {ask: ["polish {object}"]}}', 'bad.yaml: skill polish: en: .*object'),
        ('{aliases: [polish]}', 'bad.yaml: skill number 1: no name'),
        ('{name: polish, ask: [polish]}', "bad.yaml: skill polish: unknown keys .'ask'"),
        (
            '{name: set, arguments: [{name: state, type: enum, values: [on, off]}]}',
            'bad.yaml: skill set: enum state needs texts',
        ),
        (
            '{name: light, said: {"on": {en: [lit, on]}}}',
            'bad.yaml: skill light: said: en word True is no text',
        ),
        (
            '{name: light, said: {"on": {en: on}}}',
            'bad.yaml: skill light: said: en word True is no text',
        ),
        ('{name: "polish', 'bad.yaml is no YAML'),
    ],
)
def test_a_bad_entry_names_file_and_skill(tmp_path, entry, message):
    (tmp_path / 'bad.yaml').write_text(f'- {entry}\n')
    with pytest.raises(CorpusError, match=message):
        load_corpus(tmp_path)


def test_entries_of_one_name_are_one_skill(tmp_path):
    first = (
        '- {name: wax, arguments: [{name: object, type: object}], en: {ask: ["wax {object}"]}}\n'
    )
    (tmp_path / 'a.yaml').write_text(first)
    (tmp_path / 'b.yaml').write_text(first.replace('"wax {object}"', '"rub wax on {object}"'))
    asks = load_corpus(tmp_path)['wax'][0]['en']['ask']
    assert asks == ['wax {object}', 'rub wax on {object}']
    (tmp_path / 'b.yaml').write_text(
        first.replace('{name: object', '{name: part').replace('{object}', '{part}')
    )
    with pytest.raises(CorpusError, match='b.yaml: skill wax is there already'):
        load_corpus(tmp_path)


def test_nouns_and_adjectives_exist_in_both_languages():
    assert len(WORDS['things']) > 600 and len(WORDS['qualities']) > 150
    for word in WORDS['things'] + WORDS['qualities']:
        assert all(name == name.strip() != '' for lang in LANGUAGES for name in word[lang])
        assert all(HAN.search(name) for name in word['zh']), word
        assert set(word.get('kinds', ())) <= KINDS, word
    assert {kind for word in WORDS['things'] for kind in word['kinds']} == KINDS - {'dish'}
    assert all(HAN.fullmatch(word['measure']) for word in WORDS['things'])


def test_sentences_exist_in_both_languages_with_known_slots():
    sentences = WORDS['sentences']
    for lang in LANGUAGES:
        assert len(set(sentences['small_talk'][lang])) >= 60
        assert len(set(sentences['reasons'][lang])) >= 80
        questions = [q for kind in sentences['questions'].values() for q in kind[lang]]
        assert len(questions) == len(set(questions)) >= 120
        assert {slot for q in questions for slot in slots(q)} == {'object', 'other', 'relation'}
