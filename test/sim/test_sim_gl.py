"""Machines without OpenGL are told what to install."""

import os

import pytest

from kimi_ros.sim import GLNotAvailable, Renderer, gl


@pytest.fixture
def working(monkeypatch):
    """Name of a backend that works here."""
    monkeypatch.setenv('MUJOCO_GL', '')
    try:
        return gl.choose_backend()
    except GLNotAvailable as error:
        pytest.skip(str(error))


def test_a_backend_is_found_and_passed_on(working, monkeypatch):
    assert os.environ['MUJOCO_GL'] == working
    monkeypatch.setenv('MUJOCO_GL', '')
    assert gl.choose_backend() == working


def test_a_broken_backend_does_not_spoil_the_next(working, monkeypatch):
    monkeypatch.setenv('MUJOCO_GL', '')
    monkeypatch.setattr(gl, 'BACKENDS', ('nonsense', working))
    assert gl.choose_backend() == working


def test_no_backend_at_all(monkeypatch):
    monkeypatch.setenv('MUJOCO_GL', '')
    monkeypatch.setattr(gl, 'BACKENDS', ('nonsense', 'more-nonsense'))
    with pytest.raises(GLNotAvailable) as caught:
        Renderer(64, 48)
    message = str(caught.value)
    assert 'apt-get install libosmesa6' in message and 'recorded_frames' in message
    assert 'nonsense' in message
    assert os.environ['MUJOCO_GL'] == ''


def test_a_setting_that_cannot_work(monkeypatch):
    monkeypatch.setenv('MUJOCO_GL', 'egl')
    monkeypatch.setattr(gl.importlib, 'import_module', _no_library)
    with pytest.raises(GLNotAvailable, match='MUJOCO_GL=egl: libEGL.so.1 is not there'):
        Renderer(64, 48)


def _no_library(name):
    raise ImportError('libEGL.so.1 is not there')
