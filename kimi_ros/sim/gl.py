"""Finding an OpenGL that can draw without a screen."""

import importlib
import importlib.util
import os
import subprocess
import sys

BACKENDS = ('osmesa', 'egl')
"""What is tried, in this order: OSMesa is faster and draws the same with and without a GPU."""

_PROBE = """
import mujoco
context = mujoco.GLContext(32, 32)
context.make_current()
model = mujoco.MjModel.from_xml_string('<mujoco/>')
mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_50.value)
"""


class GLNotAvailable(RuntimeError):
    """Nothing on this machine can render; the message says what to install."""


def choose_backend() -> str:
    """Return the value for MUJOCO_GL, having set it for this process and its children.

    A value that is already set is kept. Otherwise each backend is tried in a process of its own,
    because the first one that PyOpenGL and MuJoCo load in a process cannot be exchanged, and a
    broken driver may crash instead of raising.

    :raises GLNotAvailable: when nothing works.
    """
    chosen = os.environ.get('MUJOCO_GL', '').strip().lower()
    if chosen:
        return chosen
    failures = []
    for backend in BACKENDS:
        failure = _probe(backend)
        if failure is None:
            os.environ['MUJOCO_GL'] = backend
            os.environ.pop('PYOPENGL_PLATFORM', None)
            return backend
        failures.append(f'{backend}: {failure}')
    raise unavailable('; '.join(failures))


def open_context(width: int, height: int):
    """Open an OpenGL context for images of up to this size and make it current.

    :return: an object with `make_current()` and `free()`.
    :raises GLNotAvailable: when MuJoCo is not installed or no OpenGL works.
    """
    if importlib.util.find_spec('mujoco') is None:
        raise GLNotAvailable(
            'rendering needs MuJoCo, which is not installed: pip install "kimi_ros[sim]". '
            'Without it, kimi_ros.sim.recorded_frames() still works.'
        )
    backend = choose_backend()
    # The package's own GLContext was fixed when it was first imported, perhaps before the choice.
    name = f'mujoco.{backend}' if backend in BACKENDS else 'mujoco'
    try:
        context = importlib.import_module(name).GLContext(width, height)
        context.make_current()
    except Exception as error:
        raise unavailable(f'MUJOCO_GL={backend}: {error}') from error
    return context


def unavailable(reason: str) -> GLNotAvailable:
    """Return the error to raise, with the remedy."""
    return GLNotAvailable(
        f'no OpenGL here can render without a screen ({reason}). Install one: '
        'sudo apt-get install libosmesa6 libgl1-mesa-dri  (if libosmesa6 is unavailable: '
        'libegl1 libgl1-mesa-dri), and leave MUJOCO_GL unset to have it found. '
        'Without it, kimi_ros.sim.recorded_frames() still works.'
    )


def _probe(backend: str) -> str | None:
    """Try a backend elsewhere; return what went wrong, if anything."""
    environment = {k: v for k, v in os.environ.items() if k != 'PYOPENGL_PLATFORM'}
    environment['MUJOCO_GL'] = backend
    try:
        result = subprocess.run(
            [sys.executable, '-c', _PROBE],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
    except subprocess.TimeoutExpired:
        return 'no answer within 60 s'
    if result.returncode == 0:
        return None
    lines = result.stderr.strip().splitlines()
    return lines[-1] if lines else f'ended with status {result.returncode}'
