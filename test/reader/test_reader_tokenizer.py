from kimi_ros.reader.tokenizer import detect_language, normalize, tokenize


def texts(text):
    return [token.text for token in tokenize(text)]


def test_tokenize_words_characters_numbers_punctuation():
    assert texts('Put 2.5 cups on it!') == ['put', '2.5', 'cups', 'on', 'it', '!']
    assert texts('把M8螺丝拧紧') == ['把', 'm', '8', '螺', '丝', '拧', '紧']


def test_offsets_refer_to_the_original_text():
    said = 'Bring  the Café-Latte，quick'
    assert [said[t.start : t.end] for t in tokenize(said)] == [
        'Bring', 'the', 'Café', '-', 'Latte', '，', 'quick',
    ]  # fmt: skip


def test_normalize_keeps_offsets():
    said = 'ＰＵＴ ５０％'
    assert len(normalize(said)) == len(said)
    assert texts(said) == ['put', '50', '%']


def test_detect_language():
    assert detect_language('把 box 拿来') == 'zh'
    assert detect_language('bring the box') == 'en'
