"""`kimi eval speech`: sound in, plan out, through the real nodes."""

from __future__ import annotations

import argparse
import json
import os
import tempfile
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
_RATE = 2.0  # images a second: the scene stands still
_PATIENT = {'max_frame_age': 30.0, 'frame_wait': 30.0}


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
    from kimi_ros.eval.speech_voices import voices
    from kimi_ros.eval.speech_words import evaluate_words
    from kimi_ros.speech.errors import SpeechError
    from kimi_ros.speech.recognizer import load_recognizer
    from kimi_ros.speech.vocabulary import Vocabulary

    try:
        recognizer = load_recognizer(args.recognizer, args.speech_model)
        seen = [name for names in content()['seen'] for name in names]
        vocabulary = Vocabulary.of(SkillCatalogue.load(skills_path(args)).skills, seen)
        maker = SoundMaker(voices(args.voices), _cache())
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
    from kimi_ros.eval.speech_voices import voices
    from kimi_ros.eval.spoken_plans import SpokenPlans, wrongly_typed
    from kimi_ros.nodes.client import KimiClient
    from kimi_ros.nodes.speech_client import SpeechClient
    from kimi_ros.nodes.speech_messages import outcome_of

    maker = speech.SoundMaker(voices(args.voices), _cache())
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
            texts = dict.fromkeys(case.text for case in cases if case.skill)
            typed = {text: kimi.instruct(text, timeout=_PLAN_TIMEOUT).plan for text in texts}
        for text in wrongly_typed(cases, typed):
            print(f'typed, this has no right plan either: {text}')
        # Not before: it would speak the plans of the typed sentences, which hold the commands, and
        # take these for its echo.
        spoken = {k: v for k, v in kimi_parameters.items() if k == 'skills'} | recognizer
        start('speech_node', {'source': 'topic', 'output': 'none', **spoken})
        with SpeechClient() as client:
            client.wait_until_ready(_START_TIMEOUT, check)
            plans = SpokenPlans(client, outcome_of, maker, typed)
            shown = track(cases, 'speech', console=Console(stderr=True), transient=True)
            return [plans.try_case(case) for case in shown]
    finally:
        for node in reversed(nodes):
            node.stop()


def _cache() -> Path:
    root = os.environ.get('XDG_CACHE_HOME') or '~/.cache'
    return Path(root).expanduser() / 'kimi_ros' / 'speech_eval'
