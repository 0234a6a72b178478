"""Finding an OpenGL that can draw without a screen."""

import os
import subprocess
import sys

BACKENDS = ('osmesa', 'egl')

_PROBE = """
import mujoco
context = mujoco.GLContext(32, 32)
context.make_current()
model = mujoco.MjModel.from_xml_string('<mujoco/>')
mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_50.value)
"""


class GLNotAvailable(RuntimeError):
    """No OpenGL library on this machine can render without a screen."""


def choose_backend() -> str:
    """Name a working value for MUJOCO_GL and set it, for this process and its children.

    A value that is already set is kept. Otherwise each backend is tried in a process of its own,
    because the first one that PyOpenGL and MuJoCo load in a process cannot be exchanged, and a
    broken driver may crash instead of raising.

    Raises:
        GLNotAvailable: when nothing works, with what to install.
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


def unavailable(reason: str) -> GLNotAvailable:
    """The error to raise, with the remedy."""
    return GLNotAvailable(
        f'No OpenGL for rendering without a screen ({reason}). Install one: '
        'sudo apt-get install libosmesa6 libgl1-mesa-dri  (or libegl1 libgl1-mesa-dri where '
        'libosmesa6 is not to be had). Without it, kimi_ros.sim.recorded_frames() still works.')


def _probe(backend: str) -> str | None:
    environment = {k: v for k, v in os.environ.items() if k != 'PYOPENGL_PLATFORM'}
    environment['MUJOCO_GL'] = backend
    try:
        result = subprocess.run([sys.executable, '-c', _PROBE], env=environment,
                                capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired:
        return 'no answer within 60 s'
    if result.returncode == 0:
        return None
    lines = result.stderr.strip().splitlines()
    return lines[-1] if lines else f'ended with status {result.returncode}'
