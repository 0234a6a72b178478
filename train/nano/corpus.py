"""The sentences a tokenizer is made from: every kind of question and answer about many scenes."""

from __future__ import annotations

import json
from collections.abc import Iterator

import numpy as np

from kimi_ros.agent.prompts import check_question, plan_prompt, presence_question
from kimi_ros.sim.language import LANGUAGES, answer_describe, caption, with_article
from kimi_ros.sim.tasks import make_task, some_description
from kimi_train.nano.questions import SKILLS, things
from kimi_train.words import IS, YES


def corpus(rows: np.ndarray, rng: np.random.Generator, scenes: int = 3000) -> Iterator[str]:
    """Yield sentences about the first scenes of `objects.npy`."""
    for objects in rows[:scenes]:
        scene = things(objects)
        for language in LANGUAGES:
            what = some_description(scene, rng)
            name = what.name(language)
            yield f' {name}'
            yield check_question(name, language)
            yield presence_question(name, language)
            yield from (*YES[language], *IS[language], with_article(name).capitalize())
            for skill in ('locate', 'pick', 'place'):
                meant = [what, some_description(scene, rng)][: 2 if skill == 'place' else 1]
                task = make_task(skill, scene, meant, language, rng)
                yield plan_prompt(task.instruction, SKILLS)
                yield json.dumps(task.plan, ensure_ascii=False, separators=(',', ':'))
            yield answer_describe(scene, language)
        for length in ('short', 'normal', 'long'):
            yield f'caption {length}'
            yield caption(scene, length)
        yield from ('point', 'detect', 'query', 'describe')
