"""Package metadata is consistent."""

import re
import runpy
import xml.etree.ElementTree as ElementTree
from importlib.metadata import metadata
from pathlib import Path

import pytest
import setuptools

import kimi_ros

ROOT = Path(__file__).parents[2]
MANIFESTS = [ROOT / 'package.xml', ROOT / 'kimi_msgs' / 'package.xml']


@pytest.mark.parametrize('manifest', MANIFESTS, ids=lambda path: path.parent.name)
def test_one_version_and_license(manifest):
    package = ElementTree.parse(manifest).getroot()
    assert package.findtext('version') == kimi_ros.__version__
    assert package.findtext('license') == 'Apache-2.0'


def test_installed_metadata():
    installed = metadata('kimi_ros')
    assert installed['Version'] == kimi_ros.__version__
    assert installed['Requires-Python'] == '>=3.10'


def test_maintainer_address_is_valid_for_catkin_pkg():
    address = re.compile(r'^[\w.+-]+@[\w-]+(\.[\w-]+)*\.[a-zA-Z]{2,}$')
    for manifest in MANIFESTS:
        maintainer = ElementTree.parse(manifest).getroot().find('maintainer')
        assert address.match(maintainer.get('email'))


def test_every_folder_is_a_package():
    # A folder without __init__.py would work in a checkout and be missing after an installation.
    for folder in ('kimi_ros', 'export', 'train'):
        for module in (ROOT / folder).rglob('*.py'):
            assert (module.parent / '__init__.py').is_file(), module


def test_every_data_file_is_installed(monkeypatch):
    arguments = {}
    monkeypatch.setattr(setuptools, 'setup', arguments.update)
    monkeypatch.chdir(ROOT)
    runpy.run_path('setup.py')
    installed = {
        file
        for package, patterns in arguments['package_data'].items()
        for pattern in patterns
        for file in ROOT.joinpath(*package.split('.')).glob(pattern)
    }
    files = {f for f in (ROOT / 'kimi_ros').rglob('*') if f.is_file()}
    data = {f for f in files if f.suffix != '.py' and f.parent.name != '__pycache__'}
    assert len(data) > 20 and data <= installed
