"""`kimi doctor`: what works on this machine, what is missing, and how to fix it."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from kimi_ros.resources import ResourceNotFoundError, share

OLDEST_PYTHON, NEWEST_PYTHON = (3, 10), (3, 14)
OLDEST_ONNXRUNTIME = (1, 23, 2)
LIBRARIES = (
    'numpy', 'cv2', 'PIL', 'yaml', 'jsonschema', 'llguidance', 'onnx', 'rich', 'safetensors',
    'tokenizers',
)  # fmt: skip
SET_UP = 'make setup    (in the checkout of kimi_ros, then .venv/bin/kimi doctor)'

# Each runs in its own process: a broken library may end the process, and importing ROS from wheels
# re-executes Python.
PROBE_ROS = """
import rclpy
rclpy.init(args=[])
node = rclpy.create_node('kimi_doctor')
print(rclpy.get_rmw_implementation_identifier(), 'from', rclpy.__file__.split('/lib/')[0])
"""
PROBE_MESSAGES = (
    PROBE_ROS
    + """
import kimi_msgs
from kimi_msgs.msg import Plan
node.create_publisher(Plan, 'kimi_doctor', 1)
print('kimi_msgs in', kimi_msgs.__path__[0])
"""
)
PROBE_TENSORRT = """
from kimi_ros.vlm.trt.device_memory import open_device
from kimi_ros.vlm.trt.executor import import_tensorrt
tensorrt, device = import_tensorrt(), open_device()
with device.current():
    free = device.free()
print(f'{tensorrt.__version__} on {device.name} (compute capability {device.compute_capability}), '
      f'{free / 2**30:.1f} of {device.total / 2**30:.1f} GiB free')
"""
PROBE_GL = """
import os
from kimi_ros.sim import Renderer, sample_scene
with Renderer(width=64, height=48) as renderer:
    renderer.render(sample_scene(2_000_000))
print('rendered a scene with', os.environ.get('MUJOCO_GL'))
"""

PROBE_SPEECH = """
from kimi_ros.speech.errors import require
from kimi_ros.speech.espeak import executable
from kimi_ros.speech.models import find_model
from kimi_ros.speech.vad import find_vad_model
executable(), find_vad_model()
require('soxr', 'resamples sound')
sounds = require('sounddevice', 'records and plays sound').query_devices()
model = find_model()
if model is None:
    require('pocketsphinx', 'recognises speech')
print(
    f'{model.name if model else "pocketsphinx: English commands only"}, '
    f'{sum(s["max_input_channels"] > 0 for s in sounds)} microphones and '
    f'{sum(s["max_output_channels"] > 0 for s in sounds)} loudspeakers'
)
"""


@dataclass(frozen=True)
class Finding:
    """Result of one check."""

    component: str
    works: bool
    message: str
    remedy: str = ''  # the command to type
    required: bool = True  # nothing works without it
    failure: str = 'missing'  # the word for a required one that does not work
    verb: str = 'type'  # what to do with the remedy


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the verb."""
    parser = subparsers.add_parser('doctor', help='check this installation and say how to fix it')
    parser.add_argument('folder', nargs='?', help='check whether this model folder runs here')
    parser.add_argument(
        '--model',
        metavar='FOLDER',
        help='also ask a model folder (or nano) five questions with known answers',
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print a line for each check; 0 if everything required works."""
    usable = True
    for finding in run_checks(args.folder, args.model):
        print('\n'.join(lines(finding)), flush=True)
        usable = usable and (finding.works or not finding.required)
    print('kimi_ros works here.' if usable else 'Something is missing: follow the lines above.')
    return 0 if usable else 1


def lines(finding: Finding) -> list[str]:
    """Return the text for a finding."""
    word = 'ok' if finding.works else finding.failure if finding.required else 'note'
    first = f'{word:8}{finding.component:10}{finding.message}'
    if finding.works or not finding.remedy:
        return [first]
    return [first, f'{"":18}{finding.verb}: {finding.remedy}']


def run_checks(path: str | None = None, model: str | None = None) -> Iterator[Finding]:
    """Run every check, the cheap ones first, and those of model folders that are given."""
    checks: tuple[Callable[[], Finding], ...] = (
        python, libraries, engine, tensorrt, nano, ros, messages, rendering, large_images,
        speech,
    )  # fmt: skip
    for check in checks:
        yield check()
    if path is not None:
        yield folder(path)
    if model is not None:
        yield from answers(model)


def python() -> Finding:
    """The Python version."""
    version = sys.version_info[:2]
    return Finding(
        'Python',
        OLDEST_PYTHON <= version <= NEWEST_PYTHON,
        f'{sys.version.split()[0]} at {sys.executable}',
        'make setup PYTHON=python3.12    (3.10 to 3.14 are supported)',
    )


def libraries() -> Finding:
    """The Python libraries that are always needed."""
    missing = []
    for name in LIBRARIES:
        try:
            importlib.import_module(name)
        except ImportError as error:
            plain = getattr(error, 'name', None) == name
            missing.append(name if plain else f'{name} ({error})')
    message = f'cannot import {", ".join(missing)}' if missing else f'{len(LIBRARIES)} present'
    return Finding('Libraries', not missing, message, SET_UP)


def engine() -> Finding:
    """The inference runtime."""
    try:
        import onnxruntime
    except ImportError as error:
        return Finding('Engine', False, f'onnxruntime: {error}', SET_UP)
    version = onnxruntime.__version__
    numbers = tuple(int(part) for part in version.split('+')[0].split('.')[:3] if part.isdigit())
    providers = ', '.join(
        name.removesuffix('ExecutionProvider') for name in onnxruntime.get_available_providers()
    )
    return Finding(
        'Engine',
        numbers >= OLDEST_ONNXRUNTIME,
        f'onnxruntime {version} ({providers})',
        f'{sys.executable} -m pip install "onnxruntime>=1.23.2"',
    )


def tensorrt() -> Finding:
    """TensorRT and a GPU, needed only for folders of --target tensorrt."""
    if importlib.util.find_spec('tensorrt') is None:
        message = 'not installed; only needed for folders of kimi-export --target tensorrt'
        return Finding('TensorRT', True, message, required=False)
    works, message = _probe(PROBE_TENSORRT)
    return Finding('TensorRT', works, message, 'see docs/install.md', required=False)


def folder(path: str) -> Finding:
    """A model folder: whether it is complete and runs on this machine."""
    try:
        from kimi_ros.vlm.errors import VlmError
        from kimi_ros.vlm.folder import read_folder
        from kimi_ros.vlm.trt.executor import describe
    except ImportError as error:
        return Finding('Folder', False, str(error), SET_UP)
    try:
        opened = read_folder(path)
        message = f'{opened.name}, {opened.precision}, for {opened.runtime}'
        if opened.runtime != 'tensorrt':
            return Finding('Folder', True, message)
        built, wrong, rebuild = describe(opened)
    except VlmError as error:
        return Finding('Folder', False, str(error), 'kimi-export CHECKPOINT OUT')
    return Finding('Folder', not wrong, f'{message}, {"; ".join(wrong) or built}', rebuild)


def answers(model: str) -> Iterator[Finding]:
    """Five questions with known answers, and the likely cause of wrong ones."""
    if model != 'nano':
        found = folder(model)
        yield found
        if not found.works:
            return
    try:
        from kimi_ros.cli.model_check import check_model
        from kimi_ros.vlm.errors import VlmError
    except ImportError as error:
        yield Finding('Answers', False, str(error), SET_UP)
        return
    began = time.monotonic()
    try:
        result = check_model(model)
    except VlmError as error:
        yield Finding('Answers', False, str(error), 'kimi-export CHECKPOINT OUT')
        return
    for answer in result.answers:
        message = f'{answer.question} {answer.given}'
        if not answer.right:
            message += f'    (expected {answer.expected})'
        yield Finding(answer.kind.capitalize(), answer.right, message, required=False)
    seconds = time.monotonic() - began
    right = sum(answer.right for answer in result.answers)
    message = f'{right} of {len(result.answers)} right in {seconds:.0f} s'
    if result.diagnosis:
        message = f'{message}; {result.diagnosis.cause}'
        remedy = result.diagnosis.remedy
        yield Finding('Answers', False, message, remedy, failure='wrong', verb='do')
    else:
        yield Finding('Answers', True, message)


def nano() -> Finding:
    """The model in the package."""
    try:
        checkpoint = share('models/nano')
    except ResourceNotFoundError as error:
        return Finding('Model', False, str(error).split('. ')[0], SET_UP)
    if not any(checkpoint.glob('*.safetensors')):
        restore = f'git checkout -- {checkpoint}    (or take a complete checkout)'
        return Finding('Model', False, f'no weights in {checkpoint}', restore)
    try:
        from kimi_ros.vlm.nano import exported_folder
    except ImportError as error:
        return Finding('Model', False, f'nano in {checkpoint}, but: {error}', SET_UP)
    folder = exported_folder(checkpoint)
    if (folder / 'model.json').is_file():
        return Finding('Model', True, f'nano, exported to {folder}')
    parent = folder
    while not parent.exists():
        parent = parent.parent
    if not os.access(parent, os.W_OK):
        return Finding('Model', False, f'{parent} is not writable', 'export KIMI_CACHE=/a/folder')
    return Finding('Model', True, f'nano in {checkpoint}, exported on first use to {folder}')


def ros() -> Finding:
    """The ROS client library and its middleware."""
    works, message = _probe(PROBE_ROS)
    distro = os.environ.get('ROS_DISTRO')
    remedy = SET_UP if distro else f'{SET_UP}\n{"":24}or source ROS: . /opt/ros/jazzy/setup.sh'
    return Finding('ROS', works, f'{distro or "wheels"}: {message}', remedy)


def messages() -> Finding:
    """kimi_msgs and its type support."""
    works, message = _probe(PROBE_MESSAGES)
    remedy = f'{SET_UP}\n{"":24}or, after a colcon build: . install/setup.sh'
    if os.environ.get('ROS_DISTRO'):
        remedy += f'\n{"":24}or, after make setup: . .venv/bin/activate'
    return Finding('Messages', works, message, remedy)


def rendering() -> Finding:
    """Off-screen rendering; recorded frames are used where it is not available."""
    works, message = _probe(PROBE_GL)
    remedy = 'sudo apt-get install libosmesa6    (or libegl1 libgl1 libgl1-mesa-dri libopengl0)'
    if 'No module named' in message:
        remedy = SET_UP
    return Finding('GL', works, message, remedy, required=False)


def large_images(environment: Mapping[str, str] = os.environ) -> Finding:
    """Fast DDS loses most images of 640x480 and more with its default settings."""
    middleware = environment.get('RMW_IMPLEMENTATION', 'rmw_fastrtps_cpp')
    if 'fastrtps' not in middleware:
        return Finding('Images', True, f'{middleware} needs no settings', required=False)
    distro = environment.get('ROS_DISTRO')
    profile = 'FASTDDS_DEFAULT_PROFILES_FILE'
    if distro in ('humble', 'jazzy'):
        profile = 'FASTRTPS_DEFAULT_PROFILES_FILE'
    names = [profile] if distro == 'humble' else [profile, 'FASTDDS_BUILTIN_TRANSPORTS']
    for name in names:
        if environment.get(name, 'DEFAULT') != 'DEFAULT':
            return Finding('Images', True, f'{name}={environment[name]}', required=False)
    try:
        settings = share('config/fastdds.xml')
    except ResourceNotFoundError as error:
        return Finding('Images', False, str(error).split('. ')[0], SET_UP, required=False)
    remedy = f'export {profile}={settings}    (where camera drivers are started)'
    message = (
        'kimi up and the launch files configure Fast DDS for large images; this shell does not'
    )
    return Finding('Images', False, message, remedy, required=False)


def speech() -> Finding:
    """What the node `speech` needs, and the sound devices that it would find."""
    works, message = _probe(PROBE_SPEECH)
    message = message.split('Error: ', 1)[-1]  # without its class; it names the command to type
    remedy = 'read docs/speech.md; only the node speech needs this'
    return Finding('Speech', works, message, remedy, required=False, verb='then')


def _probe(code: str) -> tuple[bool, str]:
    """Run code in a new Python process; returns success and the last line of its output."""
    environment = {
        # The ROS wheels leave this variable in a process that has imported them.
        **{k: v for k, v in os.environ.items() if k != '_ROS_WHEELS_BOOTSTRAP_COMPLETE'},
        'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
    }
    try:
        done = subprocess.run(
            [sys.executable, '-c', code],
            env=environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return False, 'no response within two minutes'
    output = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    return done.returncode == 0, output[-1] if output else f'ended with status {done.returncode}'
