"""`kimi eval` over recorded scenes and a model that says what it is told."""

import hashlib
import json

import pytest

from kimi_ros.cli.main import main
from kimi_ros.eval.metrics import BOOTSTRAP, WILSON
from kimi_ros.eval.questions import parse_number
from kimi_ros.eval.suites import SUITES

INFEASIBLE = '{"status":"infeasible","say":"No.","steps":[]}'
ABOUT = {'suite', 'model', 'n', 'seed', 'lang', 'table', 'intervals'}


def figures_of(capsys, *words):
    assert main(['eval', *words, '--json']) == 0
    return json.loads(capsys.readouterr().out.splitlines()[-1])


@pytest.mark.parametrize('suite', sorted(set(SUITES) - {'photos'}))  # which needs photographs
def test_every_suite_says_its_figures_of_a_model_that_knows_nothing(
    suite, model_saying, request, capsys
):
    model_saying('a')
    if 'small' not in SUITES[suite].worlds:  # as those are that were recorded
        request.getfixturevalue('rendered_worlds')
    said = figures_of(capsys, suite, '--n', '3')
    expected = {*SUITES[suite].proportions, *SUITES[suite].other_metrics}
    assert set(said) == ABOUT | expected and set(said['intervals']) == expected
    for name in expected - {'sentences', 'seconds'}:
        assert said[name] is None or 0 <= said[name] <= 1


@pytest.mark.parametrize(
    'held_out_scenes, n', [('recorded_worlds', '20'), ('rendered_worlds', '8')]
)
def test_yes_to_everything_is_right_where_yes_is(held_out_scenes, n, model_saying, request, capsys):
    request.getfixturevalue(held_out_scenes)
    model_saying('Yes')
    yes = figures_of(capsys, 'questions', '--n', n)
    model_saying('No')
    no = figures_of(capsys, 'questions', '--n', n)
    for part in ('exact', 'presence', 'attributes', 'relations'):
        assert yes[part] + no[part] == pytest.approx(1)
        assert yes['intervals'][part]['method'] == WILSON


def test_a_plan_that_is_none_is_wrong_and_no_crash(model_saying, capsys):
    model_saying('{"status":"ok","say":"' + 'a' * 400)
    said = figures_of(capsys, 'plans', '--n', '4')
    assert said['exact'] == said['schema_valid'] == 0


@pytest.mark.parametrize(
    'held_out_scenes, n', [('recorded_worlds', '20'), ('rendered_worlds', '16')]
)
def test_not_there_is_always_right_where_nothing_else_is_said(
    held_out_scenes, n, model_saying, request, capsys
):
    request.getfixturevalue(held_out_scenes)
    model_saying(INFEASIBLE)
    said = figures_of(capsys, 'clarify', '--n', n)
    assert said['intervals']['f1']['method'] == BOOTSTRAP
    assert said['acts_recall'] == 0 < said['not_there_recall']


@pytest.mark.parametrize(
    'text, expected',
    [('There are three cups.', 3), ('2', 2), ('两个', 2), ('None', 0), ('cups', None)],
)
def test_numbers_are_read_in_digits_and_words(text, expected):
    assert parse_number(text) == expected


def test_a_run_that_was_killed_goes_on_to_the_same_figures(model_saying, capsys, tmp_path):
    engine = model_saying('Yes')
    whole = figures_of(capsys, 'questions', '--n', '6', '--out', f'{tmp_path}/whole')
    lines = (tmp_path / 'whole.jsonl').read_bytes().splitlines(keepends=True)
    assert len(lines) == 7
    cut = tmp_path / 'cut.jsonl'
    cut.write_bytes(b''.join(lines[:4]) + lines[4][:30])
    before = engine.prefills
    assert figures_of(capsys, 'questions', '--n', '6', '--out', f'{tmp_path}/cut') == whole
    assert cut.read_bytes() == b''.join(lines)
    assert 0 < engine.prefills - before < before
    assert '| presence |' in (tmp_path / 'cut.md').read_text()
    assert (tmp_path / 'cut.png').is_file()


@pytest.mark.parametrize(
    'words', [['--n', '3'], ['--lang', 'zh'], ['--seed', '1'], ['--table', 'small']]
)
def test_results_of_other_arguments_are_refused(words, model_saying, capsys, tmp_path):
    model_saying('Yes')
    common = ['eval', 'questions', '--out', f'{tmp_path}/x']
    assert main([*common, '--n', '2']) == 0
    before = (tmp_path / 'x.jsonl').read_bytes()
    assert main([*common, '--n', '2', *words]) == 1
    assert 'another evaluation' in capsys.readouterr().err
    assert (tmp_path / 'x.jsonl').read_bytes() == before


def test_the_table_is_told_with_the_results(model_saying, capsys, tmp_path):
    model_saying('Yes')
    out = tmp_path / 'x'
    said = figures_of(capsys, 'counting', '--n', '2', '--table', 'small', '--out', str(out))
    assert said['table'] == 'small'
    assert json.loads(out.with_name('x.jsonl').read_text().splitlines()[0])['table'] == 'small'
    assert 'table small' in out.with_name('x.md').read_text()


@pytest.mark.parametrize('number', range(7))
def test_every_number_is_right_for_somebody(number, model_saying, rendered_worlds, tmp_path):
    model_saying(str(number))
    assert main(['eval', 'counting', '--n', '8', '--out', f'{tmp_path}/x']) == 0
    lines = (tmp_path / 'x.jsonl').read_text().splitlines()[1:]
    for outcome in (json.loads(line)['outcomes'][0] for line in lines):
        assert outcome['right'] == (outcome['wanted'] == str(number))
        assert len(outcome['wanted_at']) == int(outcome['wanted']) <= 6


def test_a_damaged_line_is_named(model_saying, capsys, tmp_path):
    model_saying('Yes')
    common = ['eval', 'questions', '--n', '3', '--out', f'{tmp_path}/x']
    assert main(common) == 0
    file = tmp_path / 'x.jsonl'
    lines = file.read_text().splitlines()
    file.write_text('\n'.join([lines[0], '{"scene": 0}', *lines[2:], '']))
    assert main(common) == 1
    assert 'x.jsonl:2: damaged' in capsys.readouterr().err


def test_what_published_figures_rest_on_is_still_asked(model_saying, tmp_path):
    model_saying('a')
    question = []
    for suite in ('points', 'questions', 'plans', 'demo'):
        for language in ('en', 'zh'):
            out = tmp_path / f'{suite}_{language}'
            words = ['--n', '5', '--lang', language, '--out', str(out)]
            assert main(['eval', suite, *words]) == 0
            lines = out.with_name(f'{out.name}.jsonl').read_text(encoding='utf-8').splitlines()
            scenes = [json.loads(line)['outcomes'] for line in lines[1:]]
            question += [(o[0]['asked'], o[0]['wanted'].lower()) for o in scenes if o]
    digest = hashlib.sha256(json.dumps(question, ensure_ascii=False).encode()).hexdigest()
    assert digest[:16] == '6b16da8a24f6cc40', 'docs/nano.md and the README must be measured anew'
