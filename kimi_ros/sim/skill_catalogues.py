"""Other robots' skills: catalogues with other names, in other orders, and with unknown skills.

A model should read the catalogue that it is given, not remember one. Training draws catalogues
with `TRAINING_SKILLS` and with names made up on the spot; evaluation with `HELD_OUT_SKILLS`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from kimi_ros.sim.language import verbalize
from kimi_ros.sim.referring_expression import ReferringExpression
from kimi_ros.sim.tasks import SKILLS, Task

Signature = tuple[str, tuple[str, ...]]

DEFAULT_SIGNATURES: tuple[Signature, ...] = (
    ('locate', ('object',)),
    ('pick', ('object',)),
    ('place', ('object', 'target')),
    ('describe', ()),
)
"""Names and arguments of config/skills.yaml, in its order."""

SKILL_SYNONYMS = {
    'locate': ('locate', 'find', 'evaluate_point', 'show'),
    'pick': ('pick', 'grasp', 'take', 'lift'),
    'place': ('place', 'put', 'drop_at', 'stow'),
    'describe': ('describe', 'report', 'tell'),
}
"""What catalogues call the skills that everybody knows."""
OBJECTS, TARGETS = ('object', 'item', 'thing'), ('target', 'place', 'goal')

TRAINING_SKILLS = tuple(
    """
    adjust align apply arrange assemble attach bag bake bend blow_on boil bounce brush button
    calibrate carry carve charge check chop clamp clip close collect comb compress connect cook
    cover_up crush cut dab decorate deflate defrost deliver deposit detach dip disinfect
    dispense dissolve drain dry duplicate dust empty engrave enlarge erase estimate examine
    exchange expand extract feed fetch fill film flatten flip focus_on fold follow freeze grab
    grate grind guard guide hammer hang heat hide hoist hold hook identify illuminate imprint
    index inflate inject insert install insulate invert iron jiggle join kick knead knot label
    ladle level light_up line_up load lock look_at loosen lower magnify mark measure mend mix
    mop mount move nail name nudge number observe offer oil open outline overlay overturn pack
    park pat photograph pierce pin pinch plug_in poke pound pour preheat print probe prop_up
    pull pump punch push query raise rake reach reassemble recharge recognize record recycle
    refill release remove repair replace rescue reset restore reverse rinse roll rotate rub
    salt sand saw scan scratch scrub seal search select send separate serve shake share shift
    shred sift sign slice slide smash smell smooth soak sort spin spray sprinkle squeeze stack
    stamp staple steam sterilize stick store straighten strap stretch study swap sweep swing
    swirl switch_on tag tap taste tear thaw thread throw tie tighten tip toast toss touch tow
    track transfer transport trim try_out twist undo unfold unlock unpack unplug untie unwind
    update upend upload vacuum ventilate verify view warm_up wash wave_at wax weigh weld
    wet whip wind_up wipe wring zoom_in
""".split()
)
"""Verbs a robot might be built for; some of them people also say for what every robot can do."""
HELD_OUT_SKILLS = (
    'inspect',
    'stir',
    'polish',
    'press',
    'tilt',
    'water',
    'wrap',
    'peel',
    'clean_up',
    'balance',
    'drag',
    'knock_on',
    'paint',
    'unscrew',
    'fan',
    'sniff',
    'cool_down',
    'tune',
    'sharpen',
    'glue',
)

_STEMS = {
    name.partition('_')[0]
    for names in (TRAINING_SKILLS, HELD_OUT_SKILLS, *SKILL_SYNONYMS.values())
    for name in names
}
_ONSETS = (
    'b bl br c ch cl cr d dr f fl fr g gl gr h j k kn l m n p pl pr qu r s sc sh sk sl sm sn sp '
    'st str sw t th tr tw un v w wh wr y z'
).split()
_VOWELS = ('a', 'e', 'i', 'o', 'u') * 2 + ('ai', 'ea', 'ee', 'oo', 'ou')
_CODAS = ('',) * 16 + tuple(
    'n r t p k l m d g s x b ck ct ff ft ld ll lt mp nce nd ng nk nt ps rk rn rp rt sh sk ss st '
    'tch'.split()
)
_SYLLABLES = tuple(o + v for o in _ONSETS for v in _VOWELS), _CODAS
# Words of their own that other words begin with: who reads "inspect" should not stop at "in".
_PREFIXES = 'a', 'at', 'de', 'en', 'ex', 'in', 'on', 'out', 'over', 're', 'un', 'up'
_PARTICLES = 'up', 'down', 'on', 'off', 'out', 'over', 'away'

REQUESTS = {
    'en': {
        0: ('{skill}', 'please {skill}', 'run {skill} now', 'start to {skill}', 'do a {skill}'),
        1: (
            '{skill} {object}',
            'please {skill} {object}',
            'can you {skill} {object}?',
            'i want you to {skill} {object}',
            'use {skill} on {object}',
            '{object}, {skill} it for me',
            'go and {skill} {object}',
        ),
        2: (
            '{skill} {object} with {target}',
            'use {skill} on {object} and {target}',
            'please {skill} {object} with {target}',
        ),
    },
    'zh': {
        0: ('{skill}', '执行{skill}', '开始{skill}', '请{skill}一下'),
        1: (
            '{skill}{object}',
            '对{object}执行{skill}',
            '请{skill}{object}',
            '用{skill}处理{object}',
            '把{object}{skill}一下',
        ),
        2: ('对{object}和{target}执行{skill}', '用{target}{skill}{object}'),
    },
}


@dataclass(frozen=True)
class RobotSkills:
    """Skills as a prompt lists them.

    :ivar signatures: (name, argument names) in order.
    :ivar standard: what each of `SKILLS` is called here.
    :ivar custom: the names of the skills beyond those.
    """

    signatures: tuple[Signature, ...]
    standard: dict[str, Signature]
    custom: tuple[str, ...] = ()

    def entries(self) -> list[dict]:
        """Return the skills as a catalogue's file lists them: config/skills.yaml says how."""
        return [
            {
                'name': name,
                'description': {'en': f'{name.replace("_", " ").capitalize()}.', 'zh': name},
                'arguments': [{'name': argument, 'type': 'object'} for argument in arguments],
                'effects': ['described'] if name == self._describing else [],
                'risk': 'none',
                'approval': 'never',
                'node': name.title().replace('_', ''),
            }
            for name, arguments in self.signatures
        ]

    @property
    def _describing(self) -> str:
        return self.standard['describe'][0] if 'describe' in self.standard else ''

    def translated(self, task: Task) -> Task:
        """Return the task with its plan in this catalogue's names."""
        steps = []
        for step in task.plan['steps']:
            name, arguments = self.standard[step['skill']]
            values = [step[key] for key in ('object', 'target') if key in step]
            steps.append({'skill': name, **dict(zip(arguments, values, strict=True))})
        return replace(task, plan={**task.plan, 'steps': steps})

    def custom_task(
        self, expressions: Sequence[ReferringExpression], objects, language: str, rng
    ) -> Task:
        """Return a request for one of its own skills, said by its name.

        :param expressions: two descriptions, of which as many are used as the skill has arguments.
        """
        name = _choose(self.custom, rng)
        arguments = dict(self.signatures)[name]
        expressions = tuple(expressions[: len(arguments)])
        words = dict(
            zip(
                ('object', 'target'),
                (verbalize(m, language, rng) for m in expressions),
                strict=False,
            )
        )
        said = name.replace('_', ' ') if language == 'en' else name
        template = _choose(REQUESTS[language][len(arguments)], rng)
        names = [m.name(language) for m in expressions]
        found = tuple(
            (n, tuple(m.matches(objects))) for n, m in zip(names, expressions, strict=True)
        )
        step = {'skill': name, **dict(zip(arguments, names, strict=True))}
        if language == 'zh':
            say = f'我来{said}{"和".join(names)}。'
        else:
            say = f'I will {said}' + (f' the {" and the ".join(names)}.' if names else '.')
        plan = {'status': 'ok', 'say': say, 'steps': [step]}
        return Task(
            template.format(skill=said, **words), language, plan, found, expressions, (name,)
        )


def sample_catalogue(
    rng, invented: Sequence[str] = (), keep: Sequence[str] = SKILLS
) -> RobotSkills:
    """Return a catalogue as another robot might have it.

    :param invented: names to draw unknown skills from; without any they are made up.
    :param keep: of `SKILLS`, those that it has in any case.
    """
    standard = {}
    for skill, arguments in DEFAULT_SIGNATURES:
        if skill in keep or rng.random() < 0.6:
            name = skill if rng.random() < 0.4 else _choose(SKILL_SYNONYMS[skill], rng)
            known = rng.random() < 0.6
            names = [
                a if known else _choose({'object': OBJECTS, 'target': TARGETS}[a], rng)
                for a in arguments
            ]
            standard[skill] = name, tuple(names)
    custom: dict[str, tuple[str, ...]] = {}
    for _ in range(int(rng.integers(0, 4))):
        name = _choose(invented, rng) if len(invented) else _made_up(rng)
        if name in custom or any(name == known for known, _ in standard.values()):
            continue
        count = int(rng.choice(3, p=(0.2, 0.65, 0.15)))
        custom[name] = (_choose(OBJECTS, rng), _choose(TARGETS, rng))[:count]
    signatures = [*standard.values(), *custom.items()]
    order = rng.permutation(len(signatures))
    return RobotSkills(tuple(signatures[i] for i in order), standard, tuple(custom))


def _made_up(rng) -> str:
    """Return an invented name that sounds like a verb, so that models learn to read names."""
    while True:
        name = ''.join(
            _choose(_SYLLABLES[0], rng) + _choose(_SYLLABLES[1], rng)
            for _ in range(int(rng.choice((1, 2, 3), p=(0.5, 0.4, 0.1))))
        )
        if rng.random() < 0.25:
            name = _choose(_PREFIXES, rng) + name
        if name not in _STEMS:
            return f'{name}_{_choose(_PARTICLES, rng)}' if rng.random() < 0.15 else name


def _choose(options, rng):
    return options[int(rng.integers(len(options)))]


DEFAULT_SKILLS = RobotSkills(DEFAULT_SIGNATURES, dict(zip(SKILLS, DEFAULT_SIGNATURES, strict=True)))
