"""The grammar that plans are written under, as llguidance understands it."""

import json

import jsonschema
import llguidance
import pytest
from tokenizers import Tokenizer

from kimi_ros.agent import SkillCatalogue, Status
from kimi_ros.agent.schema import plan_schema

DESCRIBE = '{"skill":"describe"}'
PICK = '{"skill":"pick","object":"red cup"}'


def plan(steps='', status='ok', say='I will.'):
    return f'{{"status":"{status}","say":"{say}","steps":[{steps}]}}'


@pytest.fixture(scope='module')
def writes(golden_checkpoint, catalogue):
    """Tell whether a text can be written, token by token, to its end."""
    path = golden_checkpoint / 'tokenizer.json'
    tokens = llguidance.LLTokenizer(path.read_text(encoding='utf-8'), eos_token=0)
    encode = Tokenizer.from_file(str(path)).encode

    def can(text, schema=None):
        schema = schema or plan_schema(catalogue)
        grammar = llguidance.LLMatcher.grammar_from_json_schema(json.dumps(schema))
        assert llguidance.LLMatcher.validate_grammar(grammar, tokens) == ''
        matcher = llguidance.LLMatcher(tokens, grammar)
        ids = encode(text).ids
        return matcher.try_consume_tokens(ids) == len(ids) and matcher.is_accepting()

    return can


@pytest.mark.parametrize(
    'text',
    [
        plan(PICK),
        plan(f'{PICK},{{"skill":"place","object":"red cup","target":"blue plate"}}'),
        plan('{"skill":"locate","object":"红色的杯子"}', say='红色的杯子在这里。'),
        plan(DESCRIBE),
        plan(','.join([DESCRIBE] * 10)),
        plan(status='infeasible', say='I do not see a cup.'),
        plan(status='needs_clarification', say='是哪一个？'),
        plan(status='refused', say=''),
    ],
)
def test_grammar_accepts_valid_plans(writes, text):
    assert writes(text)


@pytest.mark.parametrize(
    'text',
    [
        plan(),
        plan(PICK, status='refused'),
        plan(PICK, status='maybe'),
        plan('{"skill":"fly"}'),
        plan('{"skill":"pick"}'),
        plan('{"skill":"pick","object":""}'),
        plan('{"skill":"pick","object":"cup","speed":9}'),
        plan('{"object":"cup","skill":"pick"}'),
        plan('{"skill":"pick","object":"{cup};"}'),
        plan(f'{{"skill":"pick","object":"{"x" * 61}"}}'),
        plan(','.join([DESCRIBE] * 11)),
        plan(PICK, say='x' * 241),
        plan(PICK).replace(',', ', '),
        plan(PICK).replace(':', ': '),
        plan('{"skill":"pick","object":"\\u7ea2"}'),
        '{"say":"","status":"ok","steps":[]}',
        plan(PICK)[:-1],
        plan(PICK) + ' And then',
    ],
)
def test_grammar_rejects_invalid_plans(writes, text):
    assert not writes(text)


def test_grammar_of_ok_plans_only(writes, catalogue):
    schema = plan_schema(catalogue, [Status.OK])
    assert writes(plan(PICK), schema) and not writes(plan(status='infeasible'), schema)


def test_grammar_of_typed_arguments(writes):
    argument = {'name': 'distance', 'type': 'number', 'unit': 'm', 'minimum': 0, 'maximum': 0.5}
    push = {
        'name': 'push',
        'description': {'en': 'Push.', 'zh': '推。'},
        'arguments': [
            argument,
            {'name': 'hand', 'type': 'enum', 'values': ['left', 'right']},
            {'name': 'gently', 'type': 'bool'},
        ],
        'risk': 'low',
        'approval': 'risky',
        'node': 'Push',
    }
    schema = plan_schema(SkillCatalogue.from_data({'skills': [push]}))
    jsonschema.Draft202012Validator.check_schema(schema)
    assert writes(plan('{"skill":"push","distance":0.25,"hand":"left","gently":true}'), schema)
    assert not writes(plan('{"skill":"push","distance":0.75,"hand":"left","gently":true}'), schema)
    assert not writes(plan('{"skill":"push","distance":0.25,"hand":"both","gently":true}'), schema)
