import json
import subprocess
import sys
from pathlib import Path

import pytest

from kimi_ros.eval.errors import DataError
from kimi_ros.eval.reading import Case, Prediction, read_cases, score
from kimi_ros.eval.reading.generated import generated
from kimi_ros.eval.reading.shipped import catalogue, catalogue_names, spoken

SCRIPTS = Path(__file__).parents[2] / 'scripts'
SHELF = {
    'lang': 'en',
    'say': 'put the mug on the shelf',
    'skills': ['pick', 'place'],
    'names': ['mug', 'shelf'],
    'relation': 'on',
}
RIGHT = Prediction(('pick', 'place'), ('red mug', 'red mug', 'shelf'), frozenset({'on'}))


def case(**changes) -> Case:
    return Case.from_dict(SHELF | changes)


def test_a_line_is_read_and_written_again():
    assert Case.from_dict(case().to_dict()) == case()
    assert json.loads(json.dumps(case().to_dict())) == SHELF


@pytest.mark.parametrize(
    ('changes', 'fault'),
    [
        ({'relation': 'above'}, 'relation'),
        ({'lang': 'fr'}, 'lang'),
        ({'skill': 'pick'}, 'skill'),
        ({'say': ' '}, 'say'),
        ({'skills': []}, 'skills'),
        ({'outcome': 'no_skill'}, 'outcome'),
    ],
)
def test_a_wrong_line_says_what_is_wrong(changes, fault):
    with pytest.raises(ValueError, match=fault):
        case(**changes)


def test_every_fault_of_a_file_is_told_with_its_line(tmp_path):
    file = tmp_path / 'cases.jsonl'
    lines = [json.dumps(SHELF), '{', json.dumps(SHELF | {'lang': 'fr'})]
    file.write_text('\n'.join(lines), encoding='utf-8')
    with pytest.raises(DataError) as error:
        read_cases(file)
    assert [f.split(': ')[0] for f in error.value.faults] == [f'{file}:2', f'{file}:3']
    file.write_text('\n')
    with pytest.raises(DataError, match='no line'):
        read_cases(file)
    with pytest.raises(DataError, match='cannot be read'):
        read_cases(tmp_path / 'none.jsonl')


def test_a_line_names_its_catalogue_or_the_option_does(tmp_path):
    file = tmp_path / 'cases.jsonl'
    file.write_text(json.dumps(SHELF | {'catalogue': 'kitchen'}))
    assert read_cases(file, ['kitchen'])[0].catalogue == 'kitchen'
    with pytest.raises(DataError, match='leave it out'):
        read_cases(file)
    with pytest.raises(DataError, match='not one of'):
        read_cases(file, ['care'])
    file.write_text(json.dumps(SHELF))
    with pytest.raises(DataError, match='--skills'):
        read_cases(file, ['care'])


def test_the_right_plan_scores_in_all():
    assert score(case(), RIGHT) == dict.fromkeys(('skills', 'names', 'relations', 'exact'), True)


@pytest.mark.parametrize(
    ('skills', 'names', 'relations', 'wrong'),
    [
        (('pick',), ('mug',), {'on'}, {'skills', 'names'}),
        (('place', 'pick'), ('mug', 'shelf'), {'on'}, {'skills'}),
        (('pick', 'place'), ('shelf', 'mug'), {'on'}, {'names'}),
        (('pick', 'place'), ('mugs', 'shelf'), {'on'}, {'names'}),
        (('pick', 'place'), ('mug', 'shelf'), {'in'}, {'relations'}),
        (('pick', 'place'), ('mug', 'shelf'), set(), {'relations'}),
    ],
)
def test_each_fault_counts_for_its_figure(skills, names, relations, wrong):
    right = score(case(), Prediction(skills, names, frozenset(relations)))
    assert {name for name in ('skills', 'names', 'relations') if not right[name]} == wrong
    assert not right['exact'] and right['asked_back'] is False


def test_one_name_may_hold_a_thing_and_its_landmark():
    said = Prediction(('pick',), ('cup left of the kettle',), frozenset({'left_of'}))
    wanted = case(skills=['pick'], names=['cup', 'kettle'], relation='left_of')
    assert score(wanted, said)['exact']


def test_chinese_names_are_held_by_characters():
    wanted = Case('zh', '把红杯子放架子上', ('pick', 'place'), names=('杯子', '架子'))
    assert score(wanted, Prediction(('pick', 'place'), ('红杯子', '架子')))['exact']


def test_what_must_not_be_in_the_plan_is_wrong_there():
    wanted = case(without=['plate'])
    assert score(wanted, RIGHT)['exact']
    bad = Prediction(RIGHT.skills, ('mug', 'shelf with the plate'), RIGHT.relations)
    assert not score(wanted, bad)['names']


@pytest.mark.parametrize(
    ('came', 'fits'),
    [(5, True), (5.0, True), (6, False), ('5', False), (True, False)],
)
def test_numbers_are_compared_as_numbers(came, fits):
    wanted = Case('en', 'five minutes', ('timer',), values={'minutes': 5})
    said = Prediction(('timer',), values=[{'minutes': came}])
    assert score(wanted, said)['values'] is fits
    assert not score(wanted, Prediction(('timer',), values=[{}]))['values']


def test_texts_are_compared_without_case_quotes_and_article():
    wanted = Case('en', 'print it', ('print',), values={'title': 'Quarterly Report'})
    same = Prediction(('print',), values=[{'title': '"the quarterly report."'}])
    other = Prediction(('print',), values=[{'title': 'the report'}])
    assert score(wanted, same)['values'] and not score(wanted, other)['values']


def test_no_step_is_right_for_whatever_reason_and_the_reason_counts_apart():
    wanted = Case('en', 'fly', (), outcome='no_skill')
    right = score(wanted, Prediction(outcome='unclear', asked=True))
    assert right['exact'] and not right['outcomes'] and 'asked_back' not in right
    assert score(wanted, Prediction(outcome='no_skill'))['outcomes']
    assert not score(wanted, Prediction(('pick',), ('fly',)))['exact']


def test_to_ask_back_is_told_from_misreading():
    assert score(case(), Prediction(outcome='unclear', asked=True))['asked_back'] is True
    assert score(case(), Prediction(('pick',), ('mug',)))['asked_back'] is False


def test_other_skills_that_are_as_right():
    wanted = case(also=[['put'], []])
    assert score(wanted, Prediction(('put',), ('mug', 'shelf'), frozenset({'on'})))['exact']
    assert score(wanted, Prediction(asked=True))['exact']
    assert not score(wanted, Prediction(('drop',), ('mug', 'shelf'), frozenset({'on'})))['exact']


def test_shipped_sentences_ask_for_what_their_catalogue_can_hold():
    cases = spoken()
    assert len(cases) >= 250 and {c.lang for c in cases} == {'en', 'zh'}
    assert len({(c.say, c.history) for c in cases}) == len(cases)
    assert {c.catalogue for c in cases} <= set(catalogue_names())
    for c in cases:
        _possible(c, catalogue(c.catalogue))


@pytest.mark.parametrize('kind', ['nouns', 'skills'])
@pytest.mark.parametrize('language', ['en', 'zh'])
def test_generated_instructions_are_possible_and_the_same_again(kind, language):
    drawn = list(generated(kind, language, 300))
    assert [c for c, _ in drawn] == [c for c, _ in generated(kind, language, 300)]
    assert len({c.say for c, _ in drawn}) > 250
    for c, skills in drawn:
        _possible(c, skills)
        assert '{' not in c.say and '  ' not in c.say
    kinds = [len([c for c, _ in drawn if c.outcome == o]) for o in ('no_skill', 'nothing')]
    assert all(kinds) and any(c.skills == ('answer',) for c, _ in drawn)


def _possible(c: Case, skills) -> None:
    known = {s.name: s for s in skills}
    used = [known[s] for s in c.skills if s != 'answer']
    arguments = {a.name: a for s in used for a in s.arguments}
    text = ' '.join((c.say, *c.history)).casefold()
    for word in (*c.names, *c.without):
        assert word.casefold() in text, c
    for name, value in c.values.items():
        a = arguments[name]
        if a.type == 'number':
            assert a.minimum <= value <= a.maximum, c
        elif a.type == 'enum':
            assert value in a.values, c
        else:
            assert str(value).casefold() in text, c
    held = None
    for step in used:  # what a skill needs first is there
        needs = any(p.name == 'holding' and not p.negated for p in step.preconditions)
        assert not needs or held, c
        if any(e.name == 'holding' for e in step.effects):
            held = not any(e.name == 'holding' and e.negated for e in step.effects)


def _script(name: str, *arguments) -> str:
    command = [sys.executable, str(SCRIPTS / name), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True)
    return done.stdout + done.stderr


def test_calvins_annotations_become_cases(tmp_path):
    folder = tmp_path / 'calvin_models/conf/annotations'
    folder.mkdir(parents=True)
    (folder / 'new_playtable.yaml').write_text(
        'rotate_red_block_left: ["turn the red block left"]\n'
        'place_in_drawer: ["store the block in the drawer"]\n'
        'turn_on_led: ["push the button to turn on the green light"]\n'
        'unstack_block: ["collapse the tower"]\n'
    )
    (folder / 'new_playtable_validation.yaml').write_text('open_drawer: ["open the drawer"]\n')
    out = tmp_path / 'calvin.jsonl'
    assert '6 cases' in _script('reading_calvin.py', tmp_path, out)
    cases = {(c.say, c.catalogue): c for c in read_cases(out, catalogue_names())}
    turn = cases['turn the red block left', 'calvin']
    assert turn.skills == ('rotate',) and turn.values == {'direction': 'left'}
    refused = cases['turn the red block left', 'calvin_blocks']
    assert refused.skills == () and refused.outcome == 'no_skill'
    assert cases['store the block in the drawer', 'calvin'].relation == 'in'
    light = cases['push the button to turn on the green light', 'calvin']
    assert light.skills == ('turn_on',) and light.names == ('green light',)


GENERATOR = """
import random
class CommandGenerator:
    def __init__(self, *things):
        assert len(things) == 7
    def generate_command_start(self):
        return random.choice([
            'go to the kitchen then find a bowl and get it and put it on the desk',
            'bring me an apple from the shelf',
            'meet Adel in the office and follow them',
            'tell me how many people in the office are wearing red coats',
            'find a waving person in the office and follow them to the kitchen',
        ])
"""


def test_robocups_commands_become_cases(tmp_path):
    folder = tmp_path / 'src/robocupathome_generator'
    folder.mkdir(parents=True)
    (folder / 'gpsr_commands.py').write_text(GENERATOR)
    out = tmp_path / 'robocup.jsonl'
    assert '5 cases' in _script('reading_robocup.py', tmp_path, out, '--n', '60')
    cases = {c.say.split()[0]: c for c in read_cases(out, catalogue_names())}
    assert cases['go'].skills == ('go_to', 'find', 'take', 'place')
    assert cases['go'].names == ('kitchen', 'bowl', 'desk') and cases['go'].relation == 'on'
    assert cases['bring'].skills == ('take', 'hand_over') and cases['bring'].names == ('apple',)
    assert cases['meet'].outcome == 'no_skill'
    assert cases['tell'].skills == ('answer',) and cases['tell'].names == ('people', 'office')
    assert cases['find'].also == (('find', 'follow'),)
    for c in cases.values():
        _possible(c, catalogue('robocup'))


def test_liberos_tasks_become_cases(tmp_path):
    tasks = {
        'libero_goal': ['push_the_plate_to_the_front_of_the_stove', 'turn_on_the_stove'],
        'libero_10': ['KITCHEN_SCENE4_put_both_the_cup_and_the_red_box_in_the_drawer_and_close_it'],
        'libero_spatial': ['pick_up_the_bowl_next_to_the_jar_and_place_it_on_the_plate'],
        'libero_90': ['KITCHEN_SCENE1_open_the_drawer'],
    }
    for suite, names in tasks.items():
        folder = tmp_path / 'libero/libero/bddl_files' / suite
        folder.mkdir(parents=True)
        for name in names:
            (folder / f'{name}.bddl').touch()
    out = tmp_path / 'libero.jsonl'
    assert '4 cases' in _script('reading_libero.py', tmp_path, out)
    cases = {c.say.split()[0]: c for c in read_cases(out, catalogue_names())}
    assert cases['push'].relation == 'in_front_of' and cases['push'].names == ('plate', 'stove')
    assert cases['put'].skills == ('pick', 'place', 'pick', 'place', 'close')
    assert cases['put'].names == ('cup', 'red box', 'drawer')
    assert cases['pick'].names == ('bowl', 'plate') and cases['pick'].relation == 'on'
    assert cases['turn'].skills == ('turn_on',)
    for c in cases.values():
        _possible(c, catalogue('libero'))
