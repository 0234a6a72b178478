"""Training data are read line by line, in the agent's words; what is wrong is named."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from PIL import Image

from kimi_ros.agent.planners.model import ModelPlanner
from kimi_ros.agent.planners.protocol import PlanRequest
from kimi_ros.agent.prompts import check_question, plan_prompt, presence_question, tool_prompt
from kimi_ros.agent.skills import SkillCatalogue
from kimi_ros.resources import share
from kimi_train.cli import main
from kimi_train.tune.data_schema import LINES
from kimi_train.tune.dataset import read_samples
from kimi_train.tune.samples import DataError, Pointed

WEATHER = {
    'name': 'weather',
    'description': 'Tells the weather.',
    'parameters': {
        'type': 'object',
        'properties': {'city': {'type': 'string'}, 'day': {'type': 'integer'}},
        'required': ['city'],
    },
}
PLAN = {'status': 'ok', 'say': 'I will.', 'steps': [{'skill': 'pick', 'object': 'red cup'}]}
GOOD = {
    'query': {'question': 'What is it?', 'answer': 'A cup.'},
    'describe': {'language': 'zh', 'answer': '一个杯子。'},
    'presence': {'object': 'red cup', 'answer': True},
    'check': {'object': '杯子', 'place': [0.1, 0.1, 0.5, 0.5], 'answer': False},
    'caption': {'length': 'short', 'answer': 'A cup on a table.'},
    'point': {'object': 'cup', 'points': [[0.1, 0.2]]},
    'detect': {'object': 'cup', 'boxes': [[0.1, 0.2, 0.3, 0.4]]},
    'plan': {'instruction': 'pick up the red cup', 'plan': PLAN},
    'tool': {
        'question': 'Will it rain in Paris?',
        'tools': [WEATHER],
        'call': {'name': 'weather', 'arguments': {'city': 'Paris'}},
    },
}


@pytest.fixture
def write(tmp_path):
    """Write lines (dictionaries, or text as it is) about one image; returns the file."""
    Image.new('RGB', (40, 30), 'red').save(tmp_path / 'a.png')

    def write(*lines):
        path = tmp_path / 'data.jsonl'
        texts = [x if isinstance(x, str) else json.dumps(x, ensure_ascii=False) for x in lines]
        path.write_text('\n'.join(texts) + '\n')
        return path

    return write


def line(task, **changes):
    return {'task': task, 'image': 'a.png', **GOOD[task], **changes}


def fault(write, *lines):
    """What is said about the last line."""
    with pytest.raises(DataError) as caught:
        read_samples([write(*lines)])
    return caught.value.faults[-1]


def test_each_task_is_asked_as_the_agent_asks(write):
    samples = read_samples([write(*map(line, GOOD))])
    asked = dict(zip(GOOD, samples, strict=True))
    signatures = SkillCatalogue.load(share('config/skills.yaml')).signatures()
    assert asked['presence'].words == presence_question('red cup', 'en')
    assert asked['presence'].answer == 'Yes'
    assert asked['check'].words == check_question('杯子', 'zh')
    assert asked['check'].answer == '不是'
    assert asked['check'].spatial_refs == ((0.1, 0.1, 0.5, 0.5),)
    assert asked['plan'].words == plan_prompt('pick up the red cup', signatures)
    assert asked['plan'].answer == json.dumps(PLAN, separators=(',', ':'))
    tools = [('weather', ['city', 'day'])]
    assert asked['tool'].words == tool_prompt('Will it rain in Paris?', tools)
    assert asked['tool'].answer == '{"name":"weather","arguments":{"city":"Paris"}}'
    assert [s.task for s in samples[-2:]] == ['plan', 'query']
    assert asked['describe'].languages == {'zh'} and asked['caption'].words == 'short'


def test_plans_are_written_in_the_grammars_order(write):
    steps = [{'target': 'box', 'object': 'cup', 'skill': 'place'}]
    plan = {'steps': steps, 'say': 'Yes.', 'status': 'ok'}
    answer = read_samples([write(line('plan', plan=plan))])[0].answer
    assert answer.startswith('{"status":"ok","say":"Yes.","steps":[{"skill":"place","object":"cup"')


def test_skills_may_be_invented(write, tmp_path):
    skill = {
        'name': 'water',
        'description': {'en': 'Water a plant.', 'zh': '浇花。'},
        'arguments': [{'name': 'plant', 'type': 'object'}],
        'risk': 'low',
        'approval': 'never',
        'node': 'Water',
    }
    plan = {'status': 'ok', 'say': 'I will.', 'steps': [{'skill': 'water', 'plant': 'fern'}]}
    (tmp_path / 'garden.yaml').write_text(json.dumps({'skills': [skill]}))
    lines = [line('plan', plan=plan, skills=skills) for skills in ([skill], 'garden.yaml')]
    first, second = read_samples([write(*lines)])
    assert first.words == second.words == plan_prompt('pick up the red cup', [('water', ['plant'])])


def test_reasoning_dialogue_and_code(write):
    reasoning = ['I see ', {'text': 'a cup', 'points': [[0.1, 0.2], [0.3, 0.4]]}, '.']
    code = 'def grasp(x):\n    return pick(x)\n'
    lines = [
        line('query', reasoning=reasoning, history=[['Hello', 'Hi']]),
        {'task': 'query', 'question': 'Write a function that grasps.', 'answer': code},
    ]
    first, second = read_samples([write(*lines)])
    assert first.reasoning[1] == Pointed('a cup', ((0.1, 0.2), (0.3, 0.4)))
    assert first.history == (('Hello', 'Hi'),)
    assert second.image is None and second.answer == code


BAD = [
    ('{"task": "query"', 'not JSON'),
    ('[1]', 'must be a JSON object'),
    ('{"task": "query", "task": "point"}', 'the key "task" occurs twice'),
    ('{"task": "point", "image": "a.png", "object": "x", "points": [[NaN, 0]]}', 'NaN'),
    ({'task': 'fly'}, "'fly', not one of query, describe"),
    ({'image': 'a.png'}, '"task" is None'),
    (line('query', anser='x'), "'anser' was unexpected"),
    (line('query', answer=' '), 'answer: is empty'),
    ({'task': 'caption', 'image': 'a.png', 'length': 'short'}, "'answer' is a required property"),
    ({'task': 'point', 'object': 'cup', 'points': []}, "'image' is a required property"),
    (line('query', image='gone.png'), 'gone.png does not exist'),
    (line('query', image='data.jsonl'), 'data.jsonl cannot be read'),
    (line('point', points=[[0.1, 320]]), 'points[0][1]: 320 is not a share of the image'),
    (line('point', points=[[0.1]]), 'points[0]: [0.1] is too short'),
    (line('detect', boxes=[[0.5, 0.1, 0.2, 0.3]]), 'boxes[0]: [0.5, 0.1, 0.2, 0.3] is not [x_min'),
    (line('query', spatial_refs=[[0.1, 0.2, 0.3]]), 'neither [x, y] nor'),
    (line('query', history=[['only a question']]), 'history[0]'),
    (
        line('query', reasoning=['a', {'text': 'b', 'points': [[2, 0]]}]),
        'reasoning[1].points[0][0]',
    ),
    (line('query', reasoning=['a', 5]), "reasoning[1]: 5 is not of type 'object'"),
    ({'task': 'query', 'question': 'q', 'answer': 'a', 'spatial_refs': [[0, 0]]}, 'need an image'),
    (line('plan', instruction='...'), 'no words'),
    (line('plan', plan=PLAN | {'steps': []}), 'plan.steps: a plan with status ok needs steps'),
    (line('plan', plan=PLAN | {'status': 'maybe'}), "plan.status: 'maybe' is not one of ['ok', "),
    (line('plan', plan=PLAN | {'status': 'refused'}), 'status refused has no steps'),
    (line('plan', plan=PLAN | {'steps': [{'skill': 'fly'}]}), "plan.steps[0]: 'fly' is not one of"),
    (
        line('plan', plan=PLAN | {'steps': [*PLAN['steps'], {'skill': 'pick', 'thing': 'x'}]}),
        'plan.steps[1]: pick takes object, not thing',
    ),
    (
        line('plan', plan=PLAN | {'steps': [*PLAN['steps'], {'skill': 'pick', 'object': 5}]}),
        "plan.steps[1].object: 5 is not of type 'string'",
    ),
    (line('plan', plan=PLAN | {'say': 'a "quote"'}), 'plan.say'),
    (line('plan', skills='none.yaml'), 'none.yaml: cannot be read'),
    (line('tool', call={'name': 'sun', 'arguments': {}}), "'sun' is not one of weather"),
    (
        line('tool', call={'name': 'weather', 'arguments': {}}),
        "call.arguments: 'city' is a required",
    ),
    (line('tool', answer='Yes.'), 'either "call"'),
    (line('tool', tools=[WEATHER | {'parameters': {'type': 'fog'}}]), 'no JSON schema'),
]


@pytest.mark.parametrize(('bad', 'said'), BAD)
def test_a_wrong_line_is_named(write, bad, said):
    message = fault(write, line('query'), '', bad)
    assert 'data.jsonl:3: ' in message and said in message


def test_all_wrong_lines_are_named_at_once(write, capsys):
    path = write(line('query'), {'task': 'fly'}, line('caption'), '{')
    assert main(['check', str(path)]) == 1
    said = capsys.readouterr().err
    assert 'data.jsonl:2: ' in said and 'data.jsonl:4: ' in said and 'data.jsonl:3' not in said


def test_files_that_are_none_are_named(write, tmp_path):
    with pytest.raises(DataError, match='gone.jsonl: cannot be read'):
        read_samples([tmp_path / 'gone.jsonl'])
    with pytest.raises(DataError, match='no line of data'):
        read_samples([write('', ' ')])
    write()
    (tmp_path / 'data.jsonl').write_bytes(b'{"task": "\xff"}')
    with pytest.raises(DataError, match='data.jsonl:1: not UTF-8'):
        read_samples([tmp_path / 'data.jsonl'])


def test_a_damaged_image_is_found_by_the_check(write, tmp_path, capsys):
    path = write(line('query'))
    whole = (tmp_path / 'a.png').read_bytes()
    (tmp_path / 'a.png').write_bytes(whole[:-30])
    assert main(['check', str(path)]) == 1
    assert 'data.jsonl:1: the image' in capsys.readouterr().err


def test_data_in_which_everything_is_there_are_noted(write, capsys):
    """A model that never hears that something is absent finds whatever it is asked for."""
    assert main(['check', str(write(line('detect'), line('point')))]) == 0
    assert 'note: no point or detect line' in capsys.readouterr().out
    for absent in (line('detect', boxes=[]), line('point', points=[])):
        assert main(['check', str(write(line('detect'), absent))]) == 0
        assert 'note:' not in capsys.readouterr().out


def test_the_manuals_examples_are_right(write, tmp_path):
    manual = (Path(__file__).parents[2] / 'docs' / 'training.md').read_text()
    examples = manual.split('```json\n')[1].split('```')[0].splitlines()
    shutil.copy(share('config/skills.yaml'), tmp_path / 'garden.yaml')
    samples = read_samples([write(*examples)])
    assert len(samples) == len(examples) == 10
    for task in LINES:
        assert f'| `{task}` |' in manual


def test_a_plan_with_history_is_prompted_as_the_planner_asks(write):
    """What was said a turn before stands in the prompt, in training as in use."""
    catalogue = SkillCatalogue.load(share('config/skills.yaml'))
    history = [['where is the cup?', 'Here is the cup.']]
    plan = {'status': 'ok', 'say': 'Sure.', 'steps': [{'skill': 'pick', 'object': 'cup'}]}
    example = line('plan', instruction='now pick it up', plan=plan, history=history)
    prompts = []

    class Vlm:
        def require(self, task):
            assert task == 'plan'

        def query(self, image, prompt, **options):
            prompts.append(prompt)
            return SimpleNamespace(text=json.dumps(plan))

    request = PlanRequest('now pick it up', 'en', tuple(map(tuple, history)), image=lambda: None)
    assert ModelPlanner(Vlm(), catalogue).draft(request).steps
    assert prompts[0] == read_samples([write(example)])[0].words
    assert 'where is the cup?' in prompts[0]
