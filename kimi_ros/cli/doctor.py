"""`kimi doctor`: what works on this machine, what is missing, and what to type about it."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from kimi_ros.resources import ResourceNotFound, share

OLDEST_PYTHON, NEWEST_PYTHON = (3, 10), (3, 14)
OLDEST_ONNXRUNTIME = (1, 23, 2)
LIBRARIES = (
    'numpy', 'cv2', 'PIL', 'yaml', 'jsonschema', 'llguidance', 'onnx', 'rich', 'safetensors',
    'tokenizers',
)  # fmt: skip
SET_UP = 'make setup    (in the checkout of kimi_ros; then .venv/bin/kimi doctor)'

# Each runs in a process of its own: a broken library may end the process, and ROS from wheels
# starts Python anew when it is imported.
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


@dataclass(frozen=True)
class Finding:
    """What was found about one part."""

    part: str
    works: bool
    says: str
    remedy: str = ''  # what to type
    core: bool = True  # nothing works without it


def add_parser(subparsers: argparse._SubParsersAction) -> None:
    """Add the verb."""
    parser = subparsers.add_parser('doctor', help='say what is missing and what to type')
    parser.add_argument('model', nargs='?', help='a folder of kimi-export to examine as well')
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Print a line for each part; 0 when the core works."""
    sound = True
    for finding in examine(args.model):
        print('\n'.join(lines(finding)), flush=True)
        sound = sound and (finding.works or not finding.core)
    print('kimi_ros can work here.' if sound else 'Not yet: do what the lines above say.')
    return 0 if sound else 1


def lines(finding: Finding) -> list[str]:
    """Return a finding as it is printed."""
    word = 'ok' if finding.works else 'missing' if finding.core else 'note'
    first = f'{word:8}{finding.part:10}{finding.says}'
    return [first] if finding.works else [first, *([f'{"":18}type: {finding.remedy}'])]


def examine(model: str | None = None) -> Iterator[Finding]:
    """Examine every part, the cheap ones first, and a model folder where one is given."""
    checks: tuple[Callable[[], Finding], ...] = (
        python, libraries, engine, tensorrt, nano, ros, messages, rendering, large_images,
    )  # fmt: skip
    for check in checks:
        yield check()
    if model is not None:
        yield folder(model)


def python() -> Finding:
    """The Python that runs this."""
    version = sys.version_info[:2]
    return Finding(
        'Python',
        OLDEST_PYTHON <= version <= NEWEST_PYTHON,
        f'{sys.version.split()[0]} at {sys.executable}',
        'make setup PYTHON=python3.12    (3.10 to 3.14 work)',
    )


def libraries() -> Finding:
    """The Python libraries that every use needs."""
    missing = []
    for name in LIBRARIES:
        try:
            importlib.import_module(name)
        except ImportError as error:
            plain = getattr(error, 'name', None) == name
            missing.append(name if plain else f'{name} ({error})')
    says = f'cannot import {", ".join(missing)}' if missing else f'{len(LIBRARIES)} present'
    return Finding('Libraries', not missing, says, SET_UP)


def engine() -> Finding:
    """The runtime of the model."""
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
    """TensorRT and a GPU, which only folders of --target tensorrt need."""
    if importlib.util.find_spec('tensorrt') is None:
        says = 'not here; only folders of kimi-export --target tensorrt need it'
        return Finding('TensorRT', True, says, core=False)
    works, says = _probe(PROBE_TENSORRT)
    return Finding('TensorRT', works, says, 'see docs/install.md', core=False)


def folder(path: str) -> Finding:
    """A model folder: whether it is whole, and whether it runs on this machine."""
    try:
        from kimi_ros.vlm.errors import VlmError
        from kimi_ros.vlm.folder import read_folder
        from kimi_ros.vlm.trt.executor import describe
    except ImportError as error:
        return Finding('Folder', False, str(error), SET_UP)
    try:
        opened = read_folder(path)
        says = f'{opened.name}, {opened.precision}, for {opened.runtime}'
        if opened.runtime != 'tensorrt':
            return Finding('Folder', True, says)
        built, wrong, rebuild = describe(opened)
    except VlmError as error:
        return Finding('Folder', False, str(error), 'kimi-export CHECKPOINT OUT')
    return Finding('Folder', not wrong, f'{says}, {"; ".join(wrong) or built}', rebuild)


def nano() -> Finding:
    """The model that ships with the package."""
    try:
        checkpoint = share('models/nano')
    except ResourceNotFound as error:
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
    home = folder
    while not home.exists():
        home = home.parent
    if not os.access(home, os.W_OK):
        return Finding('Model', False, f'{home} is not writable', 'export KIMI_CACHE=/a/folder')
    return Finding('Model', True, f'nano in {checkpoint}, exported on first use to {folder}')


def ros() -> Finding:
    """The ROS client library, with a middleware that starts."""
    works, says = _probe(PROBE_ROS)
    distro = os.environ.get('ROS_DISTRO')
    remedy = SET_UP if distro else f'{SET_UP}\n{"":24}or source ROS: . /opt/ros/jazzy/setup.sh'
    return Finding('ROS', works, f'{distro or "wheels"}: {says}', remedy)


def messages() -> Finding:
    """The package's own messages, with the middleware's support for them."""
    works, says = _probe(PROBE_MESSAGES)
    remedy = f'{SET_UP}\n{"":24}or, after a colcon build: . install/setup.sh'
    if os.environ.get('ROS_DISTRO'):
        remedy += f'\n{"":24}or, after make setup: . .venv/bin/activate'
    return Finding('Messages', works, says, remedy)


def rendering() -> Finding:
    """Drawing scenes without a screen; recorded scenes stand in where it is not to be had."""
    works, says = _probe(PROBE_GL)
    remedy = 'sudo apt-get install libosmesa6    (or libegl1 libgl1 libgl1-mesa-dri libopengl0)'
    if 'No module named' in says:
        remedy = SET_UP
    return Finding('GL', works, says, remedy, core=False)


def large_images(environment: Mapping[str, str] = os.environ) -> Finding:
    """Fast DDS loses most frames of 640x480 and more with its defaults."""
    middleware = environment.get('RMW_IMPLEMENTATION', 'rmw_fastrtps_cpp')
    if 'fastrtps' not in middleware:
        return Finding('Images', True, f'{middleware} needs no setting of ours', core=False)
    distro = environment.get('ROS_DISTRO')
    profile = 'FASTDDS_DEFAULT_PROFILES_FILE'
    if distro in ('humble', 'jazzy'):
        profile = 'FASTRTPS_DEFAULT_PROFILES_FILE'
    names = [profile] if distro == 'humble' else [profile, 'FASTDDS_BUILTIN_TRANSPORTS']
    for name in names:
        if environment.get(name, 'DEFAULT') != 'DEFAULT':
            return Finding('Images', True, f'{name}={environment[name]}', core=False)
    try:
        settings = share('config/fastdds.xml')
    except ResourceNotFound as error:
        return Finding('Images', False, str(error).split('. ')[0], SET_UP, core=False)
    remedy = f'export {profile}={settings}    (where camera drivers are started)'
    says = 'kimi up and the launch files set Fast DDS for large images; this shell does not'
    return Finding('Images', False, says, remedy, core=False)


def _probe(code: str) -> tuple[bool, str]:
    """Run the code in this Python; whether it worked, and its last line of output or of error."""
    environment = {
        # What the ROS wheels leave behind in a process that has imported them.
        **{k: v for k, v in os.environ.items() if k != '_ROS_WHEELS_BOOTSTRAP_COMPLETE'},
        'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
    }
    try:
        done = subprocess.run(
            [sys.executable, '-c', code],
            env=environment, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return False, 'no answer within two minutes'
    output = (done.stdout if done.returncode == 0 else done.stderr).strip().splitlines()
    return done.returncode == 0, output[-1] if output else f'ended with status {done.returncode}'
