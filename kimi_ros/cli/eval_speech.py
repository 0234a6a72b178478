"""`kimi eval speech`: sound in, plan out, through the real nodes."""

from __future__ import annotations

import argparse
import json
import os
import tempfile
import time
from pathlib import Path

from kimi_ros.cli.errors import CommandError
from kimi_ros.cli.eval_options import (
    LANGUAGES,
    add_language,
    add_report,
    add_selection,
    check_selection,
)
from kimi_ros.cli.options import add_model_option, add_planning_options, node_parameters
from kimi_ros.process import NodeProcess, ProcessEndedError, isolated, ros_arguments

_START_TIMEOUT = 300.0  # seconds
_PLAN_TIMEOUT = 60.0  # seconds
_SAID_TIMEOUT = 20.0  # seconds until a plan's sentence is begun
_RATE = 2.0  # images a second: the scene stands still
_PATIENT = {'max_frame_age': 30.0, 'frame_wait': 30.0}
_VOICES = {
    'en': ('en-us', 'en-gb+f2', 'en-gb-x-rp+m3'),
    'zh': ('cmn-latn-pinyin', 'cmn-latn-pinyin+f2', 'cmn-latn-pinyin+m3'),
}
_KOKORO = ('zf_xiaobei', 'zm_yunxi', 'zf_xiaoxiao')  # Chinese


def add_parser(suites) -> None:
    """Declare the suite."""
    p = suites.add_parser('speech', help='spoken commands, to a plan', description=__doc__)
    p.add_argument(
        '--recognizer',
        choices=('auto', 'whisper', 'sherpa', 'sphinx'),
        default='auto',
        help='what recognises speech (default: auto, the first model found, else pocketsphinx)',
    )
    p.add_argument(
        '--speech-model', default='', metavar='FOLDER', help='Whisper or sherpa-onnx model'
    )
    p.add_argument(
        '--voices',
        type=Path,
        metavar='FOLDER',
        help='kokoro model, for the Chinese voices (default: those of espeak-ng)',
    )
    p.add_argument(
        '--words',
        action='store_true',
        help='compare the words that would be sent, without nodes and plans',
    )
    p.add_argument(
        '--no-unrelated',
        action='store_true',
        help='leave out the sentences, music and noises that are no commands',
    )
    add_model_option(p)
    add_selection(p, 'commands of each language', 'all', seed=False)
    add_language(p, 'both')
    add_report(p)
    add_planning_options(p)
    p.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Evaluate, and print the figures."""
    check_selection(args)
    if args.words:
        return _report(args, _words(args))
    # Before ROS is imported: this process joins the graph of the others.
    environment = isolated(os.environ)
    os.environ.update(environment)
    try:
        from kimi_ros.nodes.client import NoResponseError
    except ImportError as error:
        raise CommandError(f'{error}. Run `kimi doctor` to see what is missing') from error
    from kimi_ros.speech.errors import SpeechError

    cases = _cases(args)
    recognizer = {'recognizer': args.recognizer, 'model': args.speech_model}
    try:
        with tempfile.TemporaryDirectory() as folder:
            results = _evaluate(args, cases, recognizer, environment, Path(folder))
    except (NoResponseError, ProcessEndedError, SpeechError) as error:
        raise CommandError(str(error)) from error
    return _report(args, results)


def _cases(args) -> list:
    from kimi_ros.eval import speech

    languages = (args.lang,) if args.lang else LANGUAGES
    cases = [c for i in languages for c in speech.command_cases(i, args.n)]
    return cases if args.no_unrelated else cases + speech.unrelated_cases(languages)


def _words(args) -> list:
    from rich.console import Console
    from rich.progress import track

    from kimi_ros.agent.errors import AgentError
    from kimi_ros.agent.skills import SkillCatalogue
    from kimi_ros.cli.options import skills_path
    from kimi_ros.eval.speech import SoundMaker, content
    from kimi_ros.eval.speech_words import evaluate_words
    from kimi_ros.speech.errors import SpeechError
    from kimi_ros.speech.recognizer import load_recognizer
    from kimi_ros.speech.vocabulary import Vocabulary

    try:
        recognizer = load_recognizer(args.recognizer, args.speech_model)
        seen = [name for names in content()['seen'] for name in names]
        vocabulary = Vocabulary.of(SkillCatalogue.load(skills_path(args)).skills, seen)
        maker = SoundMaker(_voices(args.voices), _cache())
        shown = track(_cases(args), 'speech', console=Console(stderr=True), transient=True)
        return list(evaluate_words(shown, maker, recognizer, vocabulary))
    except (AgentError, SpeechError) as error:
        raise CommandError(str(error)) from error


def _report(args, results: list) -> int:
    from kimi_ros.eval import speech

    for line in speech.failures(results):
        print(f'  {line}')
    figures = speech.summary(results)
    for name, value in figures.items():
        print(f'speech {name}: {value}')
    if args.json:
        about = {'suite': 'speech', 'recognizer': args.recognizer, 'model': args.speech_model}
        about |= {'words': True} if args.words else {}
        print(json.dumps(about | figures))
    return 0


def _evaluate(args, cases, recognizer, environment, folder: Path) -> list:
    from rich.console import Console
    from rich.progress import track

    from kimi_ros.eval import speech
    from kimi_ros.nodes.client import KimiClient
    from kimi_ros.nodes.speech_client import SpeechClient

    maker = speech.SoundMaker(_voices(args.voices), _cache())
    kimi_parameters = node_parameters(args)
    nodes: list[NodeProcess] = []

    def start(name: str, parameters: dict[str, object]) -> None:
        module, log = f'kimi_ros.nodes.{name}', folder / f'{name}.log'
        nodes.append(NodeProcess(module, ros_arguments(parameters), environment, log))

    def check() -> None:
        for node in nodes:
            node.check()

    try:
        start('sim_camera', {'seed': speech.content()['seed'], 'rate': _RATE})
        start('kimi_node', kimi_parameters | _PATIENT)
        with KimiClient() as kimi:
            kimi.wait_until_ready(_START_TIMEOUT, check)
            typed = {}
            for case in cases:
                if case.skill and case.text not in typed:
                    typed[case.text] = kimi.instruct(case.text, timeout=_PLAN_TIMEOUT).plan
        _warn_about_typed(cases, typed)
        # Not before: it would speak the plans of the typed sentences, which hold the commands, and
        # take these for its echo.
        spoken = {k: v for k, v in kimi_parameters.items() if k == 'skills'} | recognizer
        start('speech_node', {'source': 'topic', 'output': 'none', **spoken})
        with SpeechClient() as client:
            client.wait_until_ready(_START_TIMEOUT, check)
            said = _Person(client, maker)
            console = Console(stderr=True)
            return [
                _try(client, maker, said, case, typed)
                for case in track(cases, 'speech', console=console, transient=True)
            ]
    finally:
        for node in reversed(nodes):
            node.stop()


class _Person:
    """Answers read-backs: yes to what they said, no to anything else."""

    def __init__(self, client, maker):
        self._client, self._maker = client, maker

    def answer(self, case, heard: str) -> bool:
        from kimi_ros.eval.speech import SpokenCase, same_request

        yes = bool(case.skill) and same_request(heard, case.text)
        words = {'en': ('No.', 'Yes.'), 'zh': ('不对。', '是的。')}[case.language][yes]
        self._client.spin(1.0)  # it speaks by now
        self._client.until(lambda: not self._client.speaking, 60.0, 'the end of the read-back')
        self._client.spin(0.8)  # it is deaf for a while after its own voice
        self._client.speak(
            self._maker.sound(SpokenCase(words, case.language, '', case.voice, 1.0, 'quiet'))
        )
        return yes


def _try(client, maker, person, case, typed):
    from kimi_ros.eval.speech import Result
    from kimi_ros.nodes.speech_messages import outcome_of
    from kimi_ros.speech.dialogue import Outcome

    sound = maker.sound(case)
    client.quiet()
    plans, said = len(client.plans), len(client.said)
    heard = client.speak(sound, timeout=120.0 if case.text else 20.0)
    ended = time.monotonic()
    text = heard.text if heard is not None else ''
    outcome = outcome_of(heard) if heard is not None else Outcome.IGNORED
    read_back = outcome is Outcome.READ_BACK
    accepted = outcome in (Outcome.INSTRUCTION, Outcome.COMMAND)
    if not case.skill:
        return Result(case, not accepted, read_back, text)
    if read_back:
        client.until(lambda: len(client.said) > said, 30.0, 'the read-back')
        asked = client.said[-1]
        asked = asked.removeprefix('Did you say: ').removeprefix('你是说：')
        accepted = person.answer(case, asked.removesuffix('?').removesuffix('吗？'))
    if not accepted:
        sure = heard.confidence if heard is not None else 0.0
        return Result(case, False, read_back, f'{text} ({outcome.value}, confidence {sure:.2f})')
    deadline = time.monotonic() + _PLAN_TIMEOUT
    while len(client.plans) == plans and time.monotonic() < deadline:
        client.spin(0.05)
    seconds = float('nan') if read_back else time.monotonic() - ended
    plan = client.plans[-1] if len(client.plans) > plans else None
    if plan is not None:  # the next case would be spoken into its sentence
        deadline = time.monotonic() + _SAID_TIMEOUT
        while plan.say not in client.said[said:] and time.monotonic() < deadline:
            client.spin(0.05)
    right = _same_plan(plan, typed[case.text], case.skill)
    if not right:
        text += f' -> {_brief(plan)}, typed {_brief(typed[case.text])}'
    return Result(case, right, read_back, text, seconds)


def _same_plan(plan, typed, skill: str) -> bool:
    """Whether the plan has the skill, and is about the objects that the typed sentence's is."""
    if plan is None or typed is None or plan.status is not typed.status:
        return False
    steps = [step.skill for step in plan.steps]
    if steps != [step.skill for step in typed.steps] or skill not in steps:
        return False
    boxes = [tuple(round(v / 8) for v in o.point) for o in plan.objects]
    return boxes == [tuple(round(v / 8) for v in o.point) for o in typed.objects]


def _brief(plan) -> str:
    if plan is None:
        return 'no plan'
    names = {o.id: o.label for o in plan.objects}
    steps = [f'{s.skill} {" ".join(names.get(i, i) for i in s.object_ids)}' for s in plan.steps]
    return f'{plan.status.value} {"; ".join(steps)}'


def _warn_about_typed(cases, typed) -> None:
    wrong = [
        case.text
        for case in dict.fromkeys(cases)
        if case.skill
        and (
            typed[case.text] is None
            or case.skill not in [step.skill for step in typed[case.text].steps]
        )
    ]
    for text in dict.fromkeys(wrong):
        print(f'typed, this has no right plan either: {text}')


def _voices(folder: Path | None):
    """Return a function from language and number to a voice."""
    import functools

    from kimi_ros.speech.espeak import EspeakVoice
    from kimi_ros.speech.kokoro import KokoroVoice

    @functools.lru_cache(8)
    def voice(language: str, number: int):
        if folder is not None and language == 'zh':
            return KokoroVoice(folder, {language: _KOKORO[number]})
        return EspeakVoice({language: _VOICES[language][number]})

    return voice


def _cache() -> Path:
    root = os.environ.get('XDG_CACHE_HOME') or '~/.cache'
    return Path(root).expanduser() / 'kimi_ros' / 'speech_eval'
