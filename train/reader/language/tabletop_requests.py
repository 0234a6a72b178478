"""Requests of the simulated tabletop as templates of skill families."""

from __future__ import annotations

import re

from kimi_ros.sim.language import requests

__all__ = ['tabletop_requests']

# Requests with content that a reading would not cover, or with two steps, are unsuitable.
_UNFIT_EN = re.compile(
    r"\b(quick|slow|gent|care|soft|firm|not|n't|never|nothing|other|else|only|both|first|"
    r'finish|before|after|once|when|if|until|minute|today|hand me|nobody|without)',
    re.I,
)
_UNFIT_ZH = re.compile('慢|轻|小心|快|稳|不要|别|其他|只|先|如果|要是|左手|右手|双手|看到.*就|完')
_FETCH_EN = re.compile(r'\b(me|us|bring|hand|pass|give|fetch|gimme|here|over)\b', re.I)
_FETCH_ZH = re.compile('给我|递|拿来|过来|取来|给俺|给咱|我要|我想要|借')
_GRASP_EN = re.compile(
    r'\b(pick|grab|grasp|lift|grip|seize|clutch|raise|hoist|clasp|pluck|snatch)', re.I
)
_GRASP_ZH = re.compile('抓|拿起|夹|捡|举|提起|端起|握|抬|捏|拎|拾')
_TWO_EN = re.compile(
    r'\b(pick|grab|grip|snatch|fetch|take|get|find|lift|grasp|bring|hold|got)\w*\b'
    r'.*\b(and|then|so)\b|; ',
    re.I,
)
_TWO_ZH = re.compile('(拿|抓|夹|捡|举|端|取|握|捏|抄|拎|找|托).*(放|搁|摆|松|落|塞|移|置|送|丢)')


def tabletop_requests() -> dict[tuple[str, str], list[str]]:
    """Return the suitable requests of the simulated tabletop by family and language."""
    found = {}
    for skill, by_language in requests().items():
        if skill in ('openings', 'endings'):
            continue
        for lang, lines in by_language.items():
            en = lang == 'en'
            unfit, two = (_UNFIT_EN, _TWO_EN) if en else (_UNFIT_ZH, _TWO_ZH)
            fetch, grasp = (_FETCH_EN, _GRASP_EN) if en else (_FETCH_ZH, _GRASP_ZH)
            for line in lines:
                name = skill
                if unfit.search(line) or (skill == 'place' and two.search(line)):
                    continue
                if skill == 'place':
                    line = line.replace('{where} {target}' if en else '{target}{where}', '{target}')
                    if '{where}' in line or '{target}' not in line:
                        continue
                elif skill == 'pick':
                    if fetch.search(line):
                        name = 'hand_over'
                    elif not grasp.search(line):
                        continue
                found.setdefault((name, lang), []).append(line)
    return found
