"""Locating data files in each kind of installation."""

import importlib.util

import pytest

from kimi_ros import resources


def module_at(path):
    """Load resources.py as if it were installed at `path`."""
    path.parent.mkdir(parents=True)
    path.write_text(open(resources.__file__, encoding='utf-8').read())
    spec = importlib.util.spec_from_file_location('resources_elsewhere', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_checkout():
    skills = resources.share('config/skills.yaml')
    assert skills.is_file()
    assert (skills.parents[1] / 'package.xml').is_file()


def test_prefix_of_pip_and_colcon(tmp_path):
    module = module_at(tmp_path / 'lib/python3.11/site-packages/kimi_ros/resources.py')
    launch = tmp_path / 'share/kimi_ros/launch'
    launch.mkdir(parents=True)
    assert module.share('launch') == launch


def test_ament_prefix(tmp_path, monkeypatch):
    module = module_at(tmp_path / 'build/kimi_ros/resources.py')
    config = tmp_path / 'install/share/kimi_ros/config'
    config.mkdir(parents=True)
    monkeypatch.setenv('AMENT_PREFIX_PATH', f'/nowhere:{tmp_path / "install"}')
    assert module.share('config') == config


def test_missing_file_lists_the_locations():
    with pytest.raises(resources.ResourceNotFoundError, match='config/none.yaml') as error:
        resources.share('config/none.yaml')
    assert 'share/kimi_ros' in str(error.value)
