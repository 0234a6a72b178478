"""Every sentence the model is asked, in one place: training and use read the same words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def detect_language(text: str) -> str:
    """Return 'zh' if the text holds a CJK ideograph, else 'en'."""
    return 'zh' if any('\u4e00' <= c <= '\u9fff' for c in text) else 'en'


def plan_prompt(
    instruction: str,
    skills: Iterable[tuple[str, Sequence[str]]],
    history: Sequence[tuple[str, str]] = (),
) -> str:
    """Ask for a plan.

    :param skills: (name, argument names) of each skill in the catalogue, in its order.
    :param history: earlier (instruction, what was said) turns, oldest first.
    """
    catalogue = ', '.join(f'{name}({", ".join(arguments)})' for name, arguments in skills)
    before = ''.join(f' Earlier: {asked} -> {said}.' for asked, said in history)
    return f'Skills: {catalogue}.{before} Task: {instruction}'


def tool_prompt(question: str, tools: Iterable[tuple[str, Sequence[str]]]) -> str:
    """Ask what a tool may be needed for; answered with a call, {"name", "arguments"}, or words.

    :param tools: (name, argument names) of each.
    """
    known = ', '.join(f'{name}({", ".join(arguments)})' for name, arguments in tools)
    return f'Tools: {known}. Question: {question}'


def check_question(label: str, language: str) -> str:
    """Ask whether the place given as a spatial reference shows `label`: Yes/No, 是/不是."""
    return f'这是{label}吗？' if language == 'zh' else f'Is this a {label}?'


def presence_question(label: str, language: str) -> str:
    """Ask whether `label` is in view; answers Yes/No, 有/没有."""
    return f'有{label}吗？' if language == 'zh' else f'Is there a {label}?'


def describe_question(language: str) -> str:
    """Ask for a description of the whole view in the language."""
    return '你看到了什么？' if language == 'zh' else 'What do you see?'


def attribute_question(name: str, attribute: str, language: str) -> str:
    """Ask whether the thing of this name is, say, red; answers Yes/No, 是/不是."""
    return f'{name}是{attribute}的吗？' if language == 'zh' else f'Is the {name} {attribute}?'


def relation_question(name: str, where: str, other: str, language: str) -> str:
    """Ask whether a thing is where it is said to be; answers Yes/No, 是/不是.

    :param where: 'left of', 'on', '左边', '上', ... the other.
    """
    if language == 'zh':
        return f'{name}是在{other}{where}吗？'
    return f'Is the {name} {where} the {other}?'


def count_question(name: str, language: str) -> str:
    """Ask how many things of this name, in the singular, there are; answers with digits: 3."""
    if language == 'zh':
        return f'一共有几个{name}？'
    plural = f'{name}es' if name.endswith(('s', 'x', 'ch', 'sh')) else f'{name}s'
    if name.endswith('fe'):  # knife
        plural = f'{name[:-2]}ves'
    return f'How many {plural} are there?'
