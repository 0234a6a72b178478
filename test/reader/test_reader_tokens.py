from kimi_ros.reader.tokens import language_of, plain, tokens_of


def texts(text):
    return [token.text for token in tokens_of(text)]


def test_words_characters_numbers_and_marks_are_tokens():
    assert texts('Put 2.5 cups on it!') == ['put', '2.5', 'cups', 'on', 'it', '!']
    assert texts('把M8螺丝拧紧') == ['把', 'm', '8', '螺', '丝', '拧', '紧']


def test_a_token_knows_where_it_was_said():
    said = 'Bring  the Café-Latte，quick'
    assert [said[t.start : t.end] for t in tokens_of(said)] == [
        'Bring', 'the', 'Café', '-', 'Latte', '，', 'quick',
    ]  # fmt: skip


def test_compatibility_forms_are_read_without_moving_anything():
    said = 'ＰＵＴ ５０％'
    assert len(plain(said)) == len(said)
    assert texts(said) == ['put', '50', '%']


def test_one_chinese_character_makes_a_text_chinese():
    assert language_of('把 box 拿来') == 'zh'
    assert language_of('bring the box') == 'en'
