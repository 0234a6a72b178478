"""What `kimi doctor` says, and its exit status."""

import argparse
import subprocess
import sys

import pytest
import tensorrt_stand_ins as stand_ins

from kimi_export import export_model
from kimi_ros import resources
from kimi_ros.cli import doctor

PARTS = ['Python', 'Libraries', 'Engine', 'TensorRT', 'Model', 'ROS', 'Messages', 'GL', 'Images']


@pytest.fixture
def no_probes(monkeypatch):
    """Let the parts that need a process of their own be found as the test says."""
    answers = {}

    def probe(code):
        return answers.get(code, (True, 'fine'))

    monkeypatch.setattr(doctor, '_probe', probe)
    return answers


def arguments():
    parser = argparse.ArgumentParser()
    doctor.add_parser(parser.add_subparsers())
    return parser.parse_args(['doctor'])


def test_every_part_has_a_line(no_probes):
    assert [finding.part for finding in doctor.examine()] == PARTS


def test_what_fails_comes_with_what_to_type(no_probes, capsys):
    no_probes[doctor.PROBE_ROS] = (False, "ModuleNotFoundError: No module named 'rclpy'")
    args = arguments()
    assert args.run(args) == 1
    said = capsys.readouterr().out
    assert 'missing ROS' in said
    assert 'make setup' in said
    assert 'rclpy' in said


def test_it_runs_without_the_libraries():
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


def test_no_gl_is_no_failure(no_probes, tmp_path, monkeypatch, capsys):
    (tmp_path / 'model.safetensors').touch()
    monkeypatch.setattr(doctor, 'share', lambda name: tmp_path)
    monkeypatch.setenv('KIMI_CACHE', str(tmp_path / 'cache'))
    no_probes[doctor.PROBE_GL] = (False, 'no libOSMesa.so.8')
    assert doctor.run(arguments()) == 0
    said = capsys.readouterr().out
    assert 'note    GL' in said
    assert 'libosmesa6' in said


def test_missing_checkpoint(monkeypatch):
    def nothing(name):
        raise resources.ResourceNotFound(f'{name} is not there')

    monkeypatch.setattr(doctor, 'share', nothing)
    finding = doctor.nano()
    assert not finding.works
    assert 'models/nano' in finding.says


def test_checkpoint_without_weights(monkeypatch, tmp_path):
    monkeypatch.setattr(doctor, 'share', lambda name: tmp_path)
    assert 'no weights' in doctor.nano().says


def test_messages_really_work_here():
    pytest.importorskip('kimi_msgs')
    finding = doctor.messages()
    assert finding.works, finding.says


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
def test_setting_for_large_images(environment, works):
    assert doctor.large_images(environment).works is works


def test_tensorrt_is_looked_for_where_it_is_installed(no_probes, monkeypatch):
    assert doctor.tensorrt().works and '--target tensorrt' in doctor.tensorrt().says
    monkeypatch.setattr(doctor.importlib.util, 'find_spec', lambda name: name)
    no_probes[doctor.PROBE_TENSORRT] = (False, 'DeviceNotAvailable: no GPU')
    found = doctor.tensorrt()
    assert not found.works and not found.core
    assert 'no GPU' in found.says and 'docs/install.md' in found.remedy


def test_a_model_folder_is_examined(no_probes, golden_checkpoint, tmp_path, monkeypatch):
    stand_ins.install(monkeypatch)
    out = export_model(golden_checkpoint, tmp_path / 'out', target='tensorrt')
    found = list(doctor.examine(str(out)))[-1]
    assert found.works and 'TensorRT 10.3.0 for Orin (8.7)' in found.says
    stand_ins.install(monkeypatch, version='11.1.0')
    found = doctor.folder(str(out))
    assert not found.works and 'this is 11.1.0' in found.says
    assert found.remedy.startswith(f'kimi-export {golden_checkpoint} {out} --target tensorrt')
    (out / 'head.engine').write_bytes(b'')
    assert 'head.engine is damaged' in doctor.folder(str(out)).says
    assert 'is no model folder' in doctor.folder(str(tmp_path)).says
