"""From what a server's model wrote to a draft plan."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import jsonschema

from kimi_ros.agent.draft import DraftPlan, DraftQuestion, DraftStep
from kimi_ros.agent.errors import InvalidDraftError
from kimi_ros.agent.noun_matching import is_chinese, normalize_text
from kimi_ros.agent.plan import Reason, Status
from kimi_ros.agent.planners.placement_forms import with_said_relation
from kimi_ros.agent.planners.protocol import PlanRequest
from kimi_ros.agent.planners.remote.prompts import STATUSES, shorten
from kimi_ros.agent.preconditions import with_missing_steps
from kimi_ros.agent.references import Reference, parse_reference, place_reference
from kimi_ros.agent.schema import plan_schema
from kimi_ros.agent.skills import SkillCatalogue
from kimi_ros.agent.translation import known_nouns
from kimi_ros.agent.vocabulary import as_said, unsaid_words

_THOUGHTS = re.compile(r'<think>.*?</think>', re.DOTALL)
_SAY = re.compile(r'"say"\s*:\s*"((?:[^"\\]|\\.)*)', re.DOTALL)
_ARTICLE = re.compile(r'^(?:the|an?|my|your|this|that|some) +', re.IGNORECASE)
_AROUND = ' \t\n"\'“”‘’.,。，'
_ONTO = ('on', 'in')  # a thing is put on or into the landmark itself
_NOUN_PHRASE = re.compile(r'\b(?:the|an?|my|another) (?=((?:[a-z\'-]+ ?){1,5}))')
# Where a noun phrase ends, and what stands after an article without being a thing.
_ENDS = re.compile(
    r' (?:in|on|into|onto|at|to|of|from|for|with|by|and|or|but|then|that|which|who|is|are|please|'
    r'next|left|right|behind|between|under|near|beside|over|it|there|here|now|again|back|down|up)\b'
)
_NO_THINGS = frozenset(
    'table desk room view way moment second minute bit favor favour left right front back side top '
    'middle other one same robot floor hand gripper please'.split()
)
_ZH_NO_THINGS = ('桌', '台', '机器人', '手', '房间', '地板')


def said_so_far(text: str) -> str:
    """Return the beginning of "say" out of an answer that is still being written."""
    match = _SAY.search(_THOUGHTS.sub('', text))
    if match is None:
        return ''
    for length in range(len(match[1]), max(len(match[1]) - 7, -1), -1):  # cut within an escape
        try:
            return shorten(json.loads(f'"{match[1][:length]}"', strict=False))
        except ValueError:
            continue
    return ''


def read_draft(
    text: str,
    request: PlanRequest,
    skills: SkillCatalogue,
    *,
    may_answer: bool = False,
    lenient: bool = False,
) -> DraftPlan:
    """Return the draft that an answer holds; raises InvalidDraftError, saying what is wrong.

    :param may_answer: the model saw the image: what it says to a question is the answer.
    :param lenient: let pass what the pipeline asks about: words that nobody said, one name for two.
    """
    texts = [request.words, *(instruction for instruction, _ in request.history)]
    data = _validated(_json_object(text), skills)
    status, say = Status(data['status']), data['say']
    if status is Status.ANSWER:
        asked = None if may_answer and say else DraftQuestion('other')
        return DraftPlan(status, say if asked is None else '', question=asked)
    if status is not Status.OK:
        reason = Reason.NO_SKILL if status is Status.INFEASIBLE else Reason.MODEL
        return DraftPlan(status, say, reason=reason)
    steps = []
    for step in data['steps']:
        arguments = {}
        for argument in skills[step['skill']].arguments:
            if argument.name not in step:
                continue  # it is optional
            value = step[argument.name]
            if argument.grounded:
                value = _reference(value, texts)
                unsaid = [w for name in value.said for w in unsaid_words(name, texts)]
                if unsaid and not lenient:
                    raise InvalidDraftError(
                        f'the names hold {", ".join(map(repr, unsaid))}, which the instruction '
                        'does not: use its own words'
                    )
            arguments[argument.name] = value
        steps.append(DraftStep(step['skill'], arguments))
    draft = DraftPlan(status, say, tuple(with_missing_steps(steps, skills)), '')
    draft = with_said_relation(draft, request.words, skills)
    if (name := draft.repeated_name(skills)) and not lenient:
        raise InvalidDraftError(f'one step uses {name!r} for two of its arguments')
    return replace(draft, left_out=tuple(_left_out(request.words, draft)))


def _json_object(text: str) -> dict[str, Any]:
    """Return the first JSON object in a text, which may stand in a code block or after thoughts."""
    text = _THOUGHTS.sub('', text)
    start = text.find('{')
    try:
        data, _ = json.JSONDecoder(strict=False).raw_decode(text, start if start >= 0 else 0)
    except ValueError as error:
        raise InvalidDraftError(f'the JSON object is incomplete or invalid ({error})') from None
    if not isinstance(data, dict):
        raise InvalidDraftError('it is not a JSON object')
    return data


def _validated(data: dict[str, Any], skills: SkillCatalogue) -> dict[str, Any]:
    """Return an answer as the agent's schema wants it, without what does no harm."""
    say, status = data.get('say', ''), data.get('status')
    if status not in [s.value for s in STATUSES]:
        raise InvalidDraftError(
            f'"status" must be {", ".join(s.value for s in STATUSES)}, not {str(status)[:40]!r}'
        )
    if not isinstance(say, str):
        raise InvalidDraftError('"say" is not a string')
    steps = data.get('steps') or []
    if status != Status.OK.value:
        steps = []
    elif not steps or not isinstance(steps, list):
        raise InvalidDraftError('"steps" holds no step, though "status" is "ok"')
    clean = {'status': status, 'say': shorten(say), 'steps': [_clean(s, skills) for s in steps]}
    errors = jsonschema.Draft202012Validator(plan_schema(skills, STATUSES)).iter_errors(clean)
    if next(errors, None) is not None:
        raise InvalidDraftError(_step_fault(clean['steps'], skills))
    return clean


def _clean(step: Any, skills: SkillCatalogue) -> Any:
    """Return a step with its names as the agent writes names: no articles, no quotes."""
    if not isinstance(step, dict) or step.get('skill') not in [s.name for s in skills]:
        raise InvalidDraftError(
            f'a step has an unknown skill: {str(step)[:80]}; the skills are '
            f'{", ".join(s.name for s in skills)}'
        )
    grounded = {a.name for a in skills[step['skill']].arguments if a.grounded}
    return {
        key: _ARTICLE.sub('', value.strip(_AROUND))
        if key in grounded and isinstance(value, str)
        else value
        for key, value in step.items()
    }


def _step_fault(steps: Sequence[dict[str, Any]], skills: SkillCatalogue) -> str:
    """Return which step the schema does not allow, and what its skill takes."""
    ok = plan_schema(skills)['anyOf'][0]['properties']['steps']['items']['anyOf']
    forms = {form['properties']['skill']['const']: form for form in ok}
    for step in steps:
        form = forms[step['skill']]
        error = next(jsonschema.Draft202012Validator(form).iter_errors(step), None)
        if error is not None:
            wanted = ', '.join(a.name for a in skills[step['skill']].arguments) or 'no arguments'
            return f'{step["skill"]} takes {wanted}: {error.message[:120]}'
    return 'there are too many steps'


def _reference(name: str, texts: Sequence[str]) -> Reference:
    """Return the reference of a name: a thing, or a place such as 'left of the bowl'."""
    name = as_said(name, texts)
    thing = '的东西' if is_chinese(name) else 'thing '
    place = parse_reference(f'{name}{thing}' if is_chinese(name) else f'{thing}{name}')
    if place.landmarks and place.head in ('thing', '东西') and not place.attributes:
        if place.relation in _ONTO:
            return place.landmarks[0]
        return place_reference(place.relation, place.landmarks, name)
    return parse_reference(name)


def _left_out(instruction: str, draft: DraftPlan) -> Iterator[str]:
    """Yield the things of an instruction that neither names nor values nor the sentence hold."""
    values = [v for step in draft.steps for v in step.arguments.values()]
    names = [v.text if isinstance(v, Reference) else str(v) for v in values]
    covered = normalize_text(' . '.join([*names, draft.say]))
    text = normalize_text(instruction)
    if is_chinese(text):
        for noun in known_nouns(text):
            if noun not in covered and not noun.startswith(_ZH_NO_THINGS):
                yield noun
        return
    for match in _NOUN_PHRASE.finditer(text):
        phrase = _ENDS.split(f' {match[1]}')[0].strip()
        words = phrase.split()
        if words and words[-1] not in _NO_THINGS and not any(_covers(covered, w) for w in words):
            yield phrase


def _covers(covered: str, word: str) -> bool:
    return re.search(rf'\b{re.escape(word.removesuffix("s"))}', covered) is not None
