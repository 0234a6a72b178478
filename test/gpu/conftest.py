"""Folders for both runtimes on this machine's GPU; tests are skipped without one."""

import subprocess
import sys

import onnxruntime
import pytest

from kimi_ros.vlm import VisionLanguageModel
from kimi_ros.vlm.errors import DeviceNotAvailable
from kimi_ros.vlm.trt.device_memory import open_device
from kimi_ros.vlm.trt.executor import import_tensorrt


@pytest.fixture(scope='session')
def device():
    """The GPU, for looking at its memory."""
    try:
        opened = open_device()
    except DeviceNotAvailable as error:
        pytest.skip(f'no GPU: {error}')
    yield opened
    opened.close()


@pytest.fixture(scope='session', params=['tensorrt', 'onnxruntime'])
def runtime(request, device):
    """Name of the runtime."""
    if request.param == 'tensorrt':
        try:
            import_tensorrt()
        except DeviceNotAvailable as error:
            pytest.skip(str(error))
    elif 'CUDAExecutionProvider' not in onnxruntime.get_available_providers():
        pytest.skip('this onnxruntime has no CUDA: pip install onnxruntime-gpu in its place')
    return request.param


@pytest.fixture(scope='session')
def exported(runtime, golden_checkpoint, tmp_path_factory):
    """Export the golden checkpoint for the runtime, once for each precision."""
    made = {}

    def export(precision='fp16'):
        if precision not in made:
            out = tmp_path_factory.mktemp(runtime) / precision
            target = 'tensorrt' if runtime == 'tensorrt' else 'onnx'
            command = [sys.executable, '-m', 'kimi_export', str(golden_checkpoint), str(out)]
            command += ['--target', target, '--precision', precision]
            if precision != 'fp16':
                command += ['--preset', 'desktop_gpu']  # whose activations are halves
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            assert done.returncode == 0, done.stdout + done.stderr
            made[precision] = out
        return made[precision]

    return export


@pytest.fixture
def load(exported):
    """Load a precision; what was loaded is closed with the test."""
    loaded = []

    def open_one(precision='fp16'):
        loaded.append(VisionLanguageModel.load(exported(precision), device='cuda'))
        return loaded[-1]

    yield open_one
    for model in loaded:
        model.close()
