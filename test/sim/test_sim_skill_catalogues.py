"""Other robots' catalogues: plans in their words, and names that training never saw."""

from pathlib import Path

import numpy as np
import pytest
import yaml

import kimi_ros.sim.skill_catalogues as catalogues
from kimi_ros.sim.referring_expression import LANGUAGES, ReferringExpression
from kimi_ros.sim.skill_catalogues import (
    DEFAULT_SIGNATURES,
    DEFAULT_SKILLS,
    HELD_OUT_SKILLS,
    SKILL_SYNONYMS,
    TRAINING_SKILLS,
    sample_catalogue,
)
from kimi_ros.sim.tasks import SKILLS, make_task, sample_task

SKILLS_FILE = Path(__file__).parents[2] / 'config' / 'skills.yaml'
COMMON = {name for names in SKILL_SYNONYMS.values() for name in names}


def stems(names):
    return {name.partition('_')[0] for name in names}


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture
def several(rng):
    """Catalogues of all sorts."""
    return [
        sample_catalogue(rng, invented)
        for invented in ((), TRAINING_SKILLS, HELD_OUT_SKILLS)
        for _ in range(60)
    ]


def test_the_shipped_one_is_the_file(rng):
    skills = yaml.safe_load(SKILLS_FILE.read_text(encoding='utf-8'))['skills']
    listed = [(s['name'], tuple(a['name'] for a in s.get('arguments', ()))) for s in skills]
    assert list(DEFAULT_SIGNATURES) == listed
    assert DEFAULT_SKILLS.signatures == DEFAULT_SIGNATURES and DEFAULT_SKILLS.custom == ()


def test_the_shipped_one_changes_nothing(table, rng):
    for _ in range(30):
        task = sample_task(table, 'en', rng)
        assert DEFAULT_SKILLS.translated(task) == task


def test_no_two_skills_have_one_name(several):
    for catalogue in several:
        names = [name for name, _ in catalogue.signatures]
        assert len(set(names)) == len(names)
        standard = dict(catalogue.standard.values())
        assert set(names) == {*standard, *catalogue.custom} and not set(standard) & set(
            catalogue.custom
        )


def test_as_a_file_it_lists_the_same(several):
    for catalogue in (DEFAULT_SKILLS, *several):
        entries = catalogue.entries()
        assert catalogue.signatures == tuple(
            (e['name'], tuple(a['name'] for a in e['arguments'])) for e in entries
        )
        describing = [e['name'] for e in entries if 'described' in e['effects']]
        assert describing == [
            name for skill, (name, _) in catalogue.standard.items() if skill == 'describe'
        ]


def test_what_is_called_so_already_is_not_invented_again(rng):
    for catalogue in (sample_catalogue(rng, sorted(COMMON)) for _ in range(60)):
        names = [name for name, _ in catalogue.signatures]
        assert len(set(names)) == len(names)


def test_they_differ_in_names_order_and_size(several):
    for at in range(len(SKILLS)):
        assert len({c.signatures[at] for c in several if len(c.signatures) > at}) > 5
    assert {len(c.custom) for c in several} == {0, 1, 2, 3}
    for skill in SKILLS:
        assert {c.standard[skill][0] for c in several} == set(SKILL_SYNONYMS[skill])


@pytest.mark.parametrize('keep', [SKILLS, ('pick',), ()])
def test_needed_skills_are_kept_and_others_are_not_always(rng, keep):
    drawn = [sample_catalogue(rng, TRAINING_SKILLS, keep) for _ in range(60)]
    assert all(skill in c.standard for c in drawn for skill in keep)
    for skill in set(SKILLS) - set(keep):
        assert 10 < sum(skill in c.standard for c in drawn) < 60


def arguments_of(catalogue, step):
    """The names in a step's order; the skill must be the catalogue's."""
    names = tuple(key for key in step if key != 'skill')
    assert names == dict(catalogue.signatures)[step['skill']]
    return [step[name] for name in names]


@pytest.mark.parametrize('language', LANGUAGES)
def test_translated_plans_name_only_what_the_catalogue_has(table, rng, language):
    done = 0
    for _ in range(150):
        task = sample_task(table, language, rng)
        catalogue = sample_catalogue(rng, TRAINING_SKILLS, task.required_skills)
        translated = catalogue.translated(task)
        assert translated.plan | {'steps': ()} == task.plan | {'steps': ()}
        assert (translated.instruction, translated.expressions) == (
            task.instruction,
            task.expressions,
        )
        for before, after in zip(task.plan['steps'], translated.plan['steps'], strict=True):
            assert catalogue.standard[before['skill']][0] == after['skill']
            assert arguments_of(catalogue, after) == arguments_of(DEFAULT_SKILLS, before)
            done += after != before
    assert done > 35


@pytest.mark.parametrize('language', LANGUAGES)
def test_its_own_skills_are_asked_for_by_name(table, rng, language):
    expressions = (ReferringExpression('apple'), ReferringExpression('book'))
    counts = set()
    for _ in range(80):
        catalogue = sample_catalogue(rng, HELD_OUT_SKILLS)
        if not catalogue.custom:
            continue
        task = catalogue.custom_task(expressions, table, language, rng)
        (step,) = task.plan['steps']
        assert step['skill'] in catalogue.custom and task.skill == step['skill']
        count = len(task.expressions)
        assert arguments_of(catalogue, step) == [m.name(language) for m in expressions[:count]]
        assert [found for _, found in task.referents] == [(4,), (0,)][:count]
        assert task.plan['status'] == 'ok' and '{' not in task.instruction + task.plan['say']
        said = step['skill'].replace('_', ' ') if language == 'en' else step['skill']
        assert said in task.instruction and said in task.plan['say']
        counts.add(count)
    assert counts == {0, 1, 2}


def test_lists_of_names_do_not_meet():
    for names in (TRAINING_SKILLS, HELD_OUT_SKILLS):
        assert len(set(names)) == len(names) and not set(names) & COMMON
    assert not stems(TRAINING_SKILLS) & stems(HELD_OUT_SKILLS)
    assert sum(map(len, SKILL_SYNONYMS.values())) == len(COMMON)


def test_held_out_skill_names_are_not_in_training(rng):
    custom = {name for _ in range(150) for name in sample_catalogue(rng, HELD_OUT_SKILLS).custom}
    assert custom == set(HELD_OUT_SKILLS)
    taught = {name for _ in range(1500) for name in sample_catalogue(rng, TRAINING_SKILLS).custom}
    assert taught == set(TRAINING_SKILLS)


def test_names_are_never_made_up_that_others_have(monkeypatch, rng):
    # By chance 'fan', 'tap', 'tune' and 'take' come of syllables too; here they come often.
    monkeypatch.setattr(catalogues, '_SYLLABLES', (['fan', 'tap', 'tune', 'take', 'zu'], ['']))
    custom = {name for _ in range(100) for name in sample_catalogue(rng).custom}
    assert 'zuzu' in custom and not custom & {*HELD_OUT_SKILLS, *TRAINING_SKILLS, *COMMON}


def test_made_up_names_have_every_letter_and_no_verb_that_others_have(rng):
    custom = {name for _ in range(1500) for name in sample_catalogue(rng).custom}
    assert set('abcdefghijklmnopqrstuvwxyz_') == set(''.join(custom))
    assert not stems((*HELD_OUT_SKILLS, *TRAINING_SKILLS, *COMMON)) & stems(custom)


def test_some_made_up_names_begin_as_words_do_that_mean_something_else(rng):
    custom = [name for _ in range(300) for name in sample_catalogue(rng).custom]
    for word in ('in', 'on', 'out', 'over'):
        assert any(name.startswith(word) and name.partition('_')[0] != word for name in custom)
    assert 0.15 < sum(name[0] in 'aeiou' for name in custom) / len(custom) < 0.35


def test_a_task_of_the_shipped_skills_needs_their_arguments(table, rng):
    task = make_task(
        'place', table, [ReferringExpression('apple'), ReferringExpression('book')], 'en', rng
    )
    assert [arguments_of(DEFAULT_SKILLS, step) for step in task.plan['steps']] == [
        ['apple'],
        ['apple', 'book'],
    ]
