"""Tokenizer: special tokens in text, streaming in whole words and characters."""

import pytest

from kimi_ros.vlm.errors import InputError, ModelFolderError
from kimi_ros.vlm.tokenizer import TextStream, TextTokenizer


@pytest.fixture(scope='module')
def tokenizer(golden_checkpoint):
    return TextTokenizer.from_file(golden_checkpoint / 'tokenizer.json')


def pieces_of(tokenizer, text):
    stream = TextStream(tokenizer)
    pieces = [stream.push([token]) for token in tokenizer.encode(text)]
    return [piece for piece in (*pieces, stream.flush()) if piece]


def test_text_stream_emits_whole_english_words(tokenizer):
    pieces = pieces_of(tokenizer, 'The red cup is here.\nAnd there')
    assert pieces == ['The ', 'red ', 'cup ', 'is ', 'here.\n', 'And ', 'there']


def test_text_stream_emits_whole_chinese_characters(tokenizer):
    text = '桌子上有红色的書，很好。'
    pieces = pieces_of(tokenizer, text)
    assert ''.join(pieces) == text
    assert len(pieces) > 4


@pytest.mark.parametrize(
    'text',
    ['杯子 cup 杯', 'a  b\n\n c', 'naïve café 🤖 robot', '{"say":"好的, ok"}', '𠀀𠀁 x', 'x'],
)
def test_text_stream_pieces_add_up_to_the_text(tokenizer, text):
    pieces = pieces_of(tokenizer, text)
    assert ''.join(pieces) == text
    assert not any('\ufffd' in piece for piece in pieces)


def test_text_stream_handles_invalid_utf8(tokenizer):
    ids = [581, 420, 412, 410, 133, 127, 412, 37, 420, 412, 410, 390]
    stream = TextStream(tokenizer)
    pieces = [stream.push([token]) for token in ids] + [stream.flush()]
    assert ''.join(pieces) == tokenizer.decode(ids)


def test_special_tokens_in_a_question_are_plain_text(tokenizer):
    ids = tokenizer.encode('<|coord|><|endoftext|>')
    assert min(ids) > 9
    assert tokenizer.decode(ids) == '<|coord|><|endoftext|>'


def test_lone_surrogates_are_refused(tokenizer):
    with pytest.raises(InputError, match='Unicode'):
        tokenizer.encode('\ud800')


def test_unreadable_tokenizer_is_named(tmp_path):
    (tmp_path / 'tokenizer.json').write_text('{"version": 1')
    with pytest.raises(ModelFolderError, match=r'tokenizer\.json'):
        TextTokenizer.from_file(tmp_path / 'tokenizer.json')
