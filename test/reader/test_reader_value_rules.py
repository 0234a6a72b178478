"""Rules for values that the network predicts only in part."""

import pytest

from kimi_ros.reader import Argument, Reading, SkillCard, Span, Step, Thing, Value
from kimi_ros.reader.features import Features, TokenizedInstruction
from kimi_ros.reader.tokenizer import tokenize
from kimi_ros.reader.value_rules import complete_texts

LABEL = SkillCard(
    'apply_label',
    'Stick a label on an object.',
    (Argument('object', 'object'), Argument('text', 'string')),
)


@pytest.mark.parametrize(
    ('text', 'thing', 'predicted', 'expected'),
    [
        ('a reminder that says physio with Anna', None, 'says physio', 'physio with Anna'),
        ('label that says fragile on the box', 'box', 'that says fragile', 'fragile'),
        ('print the holiday rota, please', None, 'the holiday', 'holiday rota'),
        ('箱子上贴个写着油漆未干的标签', '箱子', '写着油漆', '油漆未干'),
        ('label the box do not stack', 'box', 'do not stack', 'do not stack'),
    ],
)
def test_complete_texts(text, thing, predicted, expected):
    tokens = tokenize(text)
    tokenized = TokenizedInstruction(tokens, [0] * len(tokens), Features(*[()] * 8))
    things = {'object': (Thing(_span(text, thing), _span(text, thing)),)} if thing else {}
    step = Step('apply_label', None, things, {'text': Value(_span(text, predicted), predicted)})
    (found,) = complete_texts(Reading('steps', (step,)), text, (LABEL,), tokenized).steps
    assert found.values['text'].value == expected


def _span(text, words):
    return Span(text.index(words), text.index(words) + len(words))
