"""Drafts of a planner are turned into what cases are held against, and counted."""

import json
from types import SimpleNamespace

import pytest

from kimi_ros.agent.draft import DraftPlan, DraftQuestion, DraftStep
from kimi_ros.agent.plan import Reason, Status
from kimi_ros.agent.references import parse_reference, place_reference
from kimi_ros.cli.main import main
from kimi_ros.eval.reading import Case
from kimi_ros.eval.reading.evaluation import evaluate, predict, summarize, write_results
from kimi_ros.eval.reading.shipped import catalogue
from kimi_ros.reader import Reading

KITCHEN = catalogue('kitchen')
MUG, SHELF = parse_reference('red mug'), parse_reference('shelf')
SHELF_CASE = Case(
    'en', 'put the red mug on the shelf', ('pick_up', 'put_down'), names=('mug', 'shelf'),
    relation='on', catalogue='kitchen',
)  # fmt: skip


def put(target, relation) -> tuple[DraftStep, ...]:
    return (
        DraftStep('pick_up', {'object': MUG}),
        DraftStep('put_down', {'object': MUG, 'target': target}, None, relation),
    )


def planner(*drafts):
    """A planner that answers with these drafts in turn."""
    waiting = list(drafts)
    return lambda skills: SimpleNamespace(name='reader', draft=lambda request: waiting.pop(0))


def test_a_draft_says_skills_names_and_relation():
    came = predict(DraftPlan(Status.OK, '', put(SHELF, 'on')), KITCHEN)
    assert came.skills == ('pick_up', 'put_down')
    assert came.names == ('red mug', 'red mug', 'shelf') and came.relations == {'on'}


def test_a_free_spot_is_named_by_its_landmarks():
    spot = place_reference('left_of', (parse_reference('cup on the tray'),), 'left of the cup')
    came = predict(DraftPlan(Status.OK, '', put(spot, '')), KITCHEN)
    assert came.names == ('red mug', 'red mug', 'cup on the tray', 'tray')
    assert came.relations == {'left_of', 'on'}


def test_values_are_what_is_no_thing():
    came = predict(DraftPlan(Status.OK, '', (DraftStep('set_timer', {'minutes': 5}),)), KITCHEN)
    assert came.names == () and list(came.values) == [{'minutes': 5}]


def test_a_question_is_an_answer_and_a_greeting_is_none():
    asked = DraftPlan(Status.ANSWER, '', question=DraftQuestion('count', (MUG,)))
    assert predict(asked, KITCHEN).skills == ('answer',)
    assert predict(asked, KITCHEN).names == ('red mug',)
    greeted = predict(DraftPlan(Status.ANSWER, 'Hello.', reason=Reason.NOTHING_ASKED), KITCHEN)
    assert greeted.skills == () and greeted.outcome == 'nothing' and not greeted.asked


@pytest.mark.parametrize(
    ('status', 'reason', 'outcome', 'asked'),
    [
        (Status.INFEASIBLE, Reason.NO_SKILL, 'no_skill', False),
        (Status.NEEDS_CLARIFICATION, Reason.NOT_UNDERSTOOD, 'unclear', True),
        (Status.NEEDS_CLARIFICATION, Reason.MISSING_ARGUMENT, 'unclear', True),
        (Status.REFUSED, Reason.FORBIDDEN, 'forbidden_by_instruction', False),
    ],
)
def test_why_there_is_no_step(status, reason, outcome, asked):
    came = predict(DraftPlan(status, '', reason=reason), KITCHEN)
    assert (came.skills, came.outcome, came.asked) == ((), outcome, asked)


def test_shares_are_counted_by_language():
    chinese = Case('zh', '把马克杯放架子上', ('pick_up', 'put_down'), names=('马克杯',))
    right = DraftPlan(Status.OK, '', put(SHELF, 'on'))
    wrong = DraftPlan(Status.NEEDS_CLARIFICATION, '', reason=Reason.NOT_UNDERSTOOD)
    tasks = [(SHELF_CASE, KITCHEN), (chinese, KITCHEN)]
    found = summarize(list(evaluate(tasks, planner(right, wrong))))
    shares = {lang: {m.name: m.value for m in figures} for lang, figures in found.items()}
    assert shares['en'] == {'exact': 1, 'skills': 1, 'names': 1, 'relations': 1}
    assert shares['zh'] == {'exact': 0, 'skills': 0, 'names': 0, 'asked_back': 1}
    assert shares['all']['exact'] == 0.5 and shares['all']['asked_back'] == 1
    exact = next(m for m in found['all'] if m.name == 'exact')
    assert exact.low < 0.5 < exact.high and exact.questions == 2


def test_what_a_draft_leaves_out_is_asked_about_where_it_matters():
    case = Case('en', 'pick up the red mug and stab the man', (), outcome='unclear')
    step = DraftStep('pick_up', {'object': MUG})
    draft = DraftPlan(Status.OK, '', (step,), left_out=('stab the man',))
    (result,) = evaluate([(case, KITCHEN)], planner(draft))
    assert result.right['exact'] and result.prediction.asked


def test_results_are_written_with_what_came(tmp_path):
    results = list(
        evaluate([(SHELF_CASE, KITCHEN)], planner(DraftPlan(Status.OK, '', put(SHELF, 'in'))))
    )
    out = tmp_path / 'out.jsonl'
    write_results(out, results)
    line = json.loads(out.read_text())
    assert line['say'] == SHELF_CASE.say and line['right']['exact'] is False
    assert line['came']['relations'] == ['in']


class NoReader:
    """Reads nothing: whatever is said is unclear."""

    def read(self, instruction, skills, language, history):
        return Reading('unclear')


@pytest.fixture
def no_reader(monkeypatch):
    monkeypatch.setattr('kimi_ros.agent.planners.reader._shipped_reader', NoReader)


def test_the_command_reads_lines_of_ones_own(no_reader, tmp_path, capsys):
    data, skills = tmp_path / 'mine.jsonl', tmp_path / 'skills.yaml'
    lines = [
        {'lang': 'en', 'say': 'fly', 'skills': []},
        {'lang': 'zh', 'say': '拿杯子', 'skills': ['grab'], 'names': ['杯子']},
    ]
    data.write_text('\n'.join(json.dumps(line) for line in lines))
    skills.write_text(
        'skills:\n  - {name: grab, description: {en: Grab., zh: 抓。}, risk: low, '
        'approval: never, node: Grab, arguments: [{name: object, type: object}]}\n'
    )
    arguments = ['eval', 'reading', '--data', str(data), '--skills', str(skills), '--json']
    assert main([*arguments, '--out', str(tmp_path / 'new' / 'out')]) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told['exact'] == 0.5 and told['asked_back'] == 1 and told['skills'] == 0.5
    assert told['sets']['mine']['en']['exact'] == 1
    assert len((tmp_path / 'new' / 'out.jsonl').read_text().splitlines()) == 2
    assert main([*arguments, '--seed', '1']) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert told['intervals']['exact']['questions'] == 1
    assert main([*arguments, '--lang', 'en']) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[-1])['exact'] == 1


def test_the_command_holds_the_shipped_and_the_generated_sets(no_reader, capsys):
    assert main(['eval', 'reading', '--n', '5', '--json']) == 0
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert list(told['sets']) == ['spoken', 'nouns', 'skills']
    assert told['intervals']['exact']['questions'] > 250


@pytest.mark.parametrize(
    ('arguments', 'fault'),
    [
        (['--planner', 'model'], '--planner'),
        (['--skills', 'skills.yaml'], '--data'),
        (['--data', 'none.jsonl'], 'cannot be read'),
        (['--out', '/dev/null/out'], 'cannot create /dev/null'),
    ],
)
def test_what_the_command_cannot_do_it_says(no_reader, arguments, fault, capsys):
    assert main(['eval', 'reading', *arguments]) != 0
    assert fault in capsys.readouterr().err
