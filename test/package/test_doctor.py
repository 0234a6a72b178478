"""Output and exit status of `kimi doctor`."""

import argparse
import subprocess
import sys

import pytest
import tensorrt_stand_ins as stand_ins

from kimi_export import export_model
from kimi_ros import resources
from kimi_ros.cli import doctor

COMPONENTS = [
    'Python',
    'Libraries',
    'Engine',
    'TensorRT',
    'Model',
    'ROS',
    'Messages',
    'GL',
    'Images',
    'Speech',
]


@pytest.fixture
def no_probes(monkeypatch):
    """Replace the checks that need a process by answers that the test sets."""
    answers = {}

    def probe(code):
        return answers.get(code, (True, 'fine'))

    monkeypatch.setattr(doctor, '_probe', probe)
    return answers


def arguments():
    parser = argparse.ArgumentParser()
    doctor.add_parser(parser.add_subparsers())
    return parser.parse_args(['doctor'])


def test_every_component_has_a_finding(no_probes):
    assert [finding.component for finding in doctor.run_checks()] == COMPONENTS


def test_failed_check_names_the_remedy(no_probes, capsys):
    no_probes[doctor.PROBE_ROS] = (False, "ModuleNotFoundError: No module named 'rclpy'")
    args = arguments()
    assert args.run(args) == 1
    output = capsys.readouterr().out
    assert 'missing ROS' in output
    assert 'make setup' in output
    assert 'rclpy' in output


def test_missing_voice_is_a_note(no_probes, capsys):
    fault = 'kimi_ros.speech.errors.SpeechError: espeak-ng speaks: sudo apt-get install espeak-ng'
    no_probes[doctor.PROBE_SPEECH] = (False, fault)
    args = arguments()
    assert args.run(args) == 0
    assert 'note    Speech    espeak-ng speaks: sudo apt-get' in capsys.readouterr().out


def test_doctor_runs_without_libraries():
    code = """
import sys
sys.modules['numpy'] = sys.modules['cv2'] = None
from kimi_ros.cli import doctor, main
doctor._probe = lambda code: (False, 'not tried')
sys.exit(main.main(['doctor']))
"""
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert 'cannot import numpy' in done.stdout, done.stderr


def test_missing_gl_is_a_note(no_probes, tmp_path, monkeypatch, capsys):
    (tmp_path / 'model.safetensors').touch()
    monkeypatch.setattr(doctor, 'share', lambda name: tmp_path)
    monkeypatch.setenv('KIMI_CACHE', str(tmp_path / 'cache'))
    no_probes[doctor.PROBE_GL] = (False, 'no libOSMesa.so.8')
    assert doctor.run(arguments()) == 0
    output = capsys.readouterr().out
    assert 'note    GL' in output
    assert 'libosmesa6' in output


def test_missing_checkpoint(monkeypatch):
    def nothing(name):
        raise resources.ResourceNotFoundError(f'{name} is not there')

    monkeypatch.setattr(doctor, 'share', nothing)
    finding = doctor.nano()
    assert not finding.works
    assert 'models/nano' in finding.message


def test_checkpoint_without_weights(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, 'share', lambda name: tmp_path)
    assert 'no weights' in doctor.nano().message


def test_messages_can_be_used():
    pytest.importorskip('kimi_msgs')
    finding = doctor.messages()
    assert finding.works, finding.message


@pytest.mark.parametrize(
    'environment, works',
    [
        ({}, False),
        ({'FASTDDS_BUILTIN_TRANSPORTS': 'DEFAULT'}, False),
        ({'FASTDDS_BUILTIN_TRANSPORTS': 'LARGE_DATA'}, True),
        ({'FASTDDS_BUILTIN_TRANSPORTS': 'LARGE_DATA', 'ROS_DISTRO': 'humble'}, False),
        ({'FASTRTPS_DEFAULT_PROFILES_FILE': '/p.xml', 'ROS_DISTRO': 'humble'}, True),
        ({'FASTDDS_DEFAULT_PROFILES_FILE': '/p.xml'}, True),
        ({'RMW_IMPLEMENTATION': 'rmw_zenoh_cpp'}, True),
    ],
)
def test_large_images_setting(environment, works):
    assert doctor.large_images(environment).works is works


def test_tensorrt_is_probed_where_installed(no_probes, monkeypatch):
    assert doctor.tensorrt().works and '--target tensorrt' in doctor.tensorrt().message
    monkeypatch.setattr(doctor.importlib.util, 'find_spec', lambda name: name)
    no_probes[doctor.PROBE_TENSORRT] = (False, 'DeviceNotAvailable: no GPU')
    found = doctor.tensorrt()
    assert not found.works and not found.required
    assert 'no GPU' in found.message and 'docs/install.md' in found.remedy


def test_model_folder_is_checked(no_probes, golden_checkpoint, tmp_path, monkeypatch):
    stand_ins.install(monkeypatch)
    out = export_model(golden_checkpoint, tmp_path / 'out', target='tensorrt')
    found = list(doctor.run_checks(str(out)))[-1]
    assert found.works and 'TensorRT 10.3.0 for Orin (8.7)' in found.message
    stand_ins.install(monkeypatch, version='11.1.0')
    found = doctor.folder(str(out))
    assert not found.works and 'this is 11.1.0' in found.message
    assert found.remedy.startswith(f'kimi-export {golden_checkpoint} {out} --target tensorrt')
    (out / 'head.engine').write_bytes(b'')
    assert 'head.engine is damaged' in doctor.folder(str(out)).message
    assert 'is not a model folder' in doctor.folder(str(tmp_path)).message
