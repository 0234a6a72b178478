"""What a ROS machine is told: dependencies, permissions, CI; all in step with the code."""

import re
from pathlib import Path
from xml.etree import ElementTree

import yaml

ROOT = Path(__file__).parents[2]
# Topics that some configurations add to those of the reference, which is of one configuration.
OPTIONAL = {'~/detections', '/clock', '/parameter_events', '/rosout', '~/transition_event'}
# Used where they are installed; two packages of the first name exclude each other.
NOT_REQUIRED = {'audio_common_msgs', 'foxglove_msgs'}
EVERY_NODE = re.compile(r'~/(.*parameter.*|.*state.*|.*transition.*|get_type_description)')


def test_package_names_every_ros_package_that_the_nodes_import():
    used = set()
    for path in (ROOT / 'kimi_ros' / 'nodes').glob('*.py'):
        found = re.findall(r'^\s*(?:from|import) (\w+)', path.read_text(), re.MULTILINE)
        used |= {n for n in found if re.search('_msgs|_srvs|_interfaces|^rclpy|^tf2', n)}
    manifest = ElementTree.parse(ROOT / 'package.xml')
    assert used - {e.text for e in manifest.findall('exec_depend')} - NOT_REQUIRED == set()


def test_permissions_are_those_of_the_api():
    page = (ROOT / 'docs' / 'reference' / 'ros.md').read_text()
    profile = ElementTree.parse(ROOT / 'security' / 'policy.xml').find(".//profile[@node='kimi']")

    def allowed(kind, right):
        return {e.text for e in profile.findall(f'./{kind}[@{right}="ALLOW"]/')}

    def documented(heading):
        part = page.split(f'## {heading}\n')[1].split('\n## ')[0]
        return set(re.findall(r'^\| `([^`]+)` \|', part, re.MULTILINE))

    assert allowed('topics', 'subscribe') - OPTIONAL == documented('Subscribed topics') - OPTIONAL
    assert allowed('topics', 'publish') - OPTIONAL == documented('Published topics') - OPTIONAL
    services = {s for s in allowed('services', 'reply') if not EVERY_NODE.fullmatch(s)}
    assert services == documented('Services')
    assert allowed('actions', 'execute') == documented('Actions')
    assert not allowed('topics', 'relay') and not allowed('services', 'request')


def test_views_show_topics_of_the_api():
    page = (ROOT / 'docs' / 'reference' / 'ros.md').read_text()
    known = {t.replace('~', '/kimi') for t in re.findall(r'^\| `([^`]+)` \|', page, re.MULTILINE)}
    known |= {f'/{topic}' for topic in known if topic[0] != '/'}
    shown = re.findall(r'^ +Value: (/\S+)', (ROOT / 'config/kimi.rviz').read_text(), re.MULTILINE)
    layout = (ROOT / 'config/foxglove.json').read_text()
    in_layout = re.findall(r'"(/[\w/]+)(?:\.data)?"', layout)
    assert len(shown) > 2 and len(in_layout) > 4
    assert set(shown + in_layout) <= known


def test_only_the_executor_may_send_goals_to_the_robot():
    policy = ElementTree.parse(ROOT / 'security' / 'policy.xml')
    callers = {
        profile.get('node')
        for profile in policy.iter('profile')
        if profile.findall('./actions[@call="ALLOW"]/')
    }
    assert callers == {'executor'}


def test_workflows_and_images_use_the_documented_recipe():
    recipe = (ROOT / 'docs' / 'how_to' / 'robot.md').read_text()
    build = 'colcon build --base-paths src/kimi_ros src/kimi_ros/kimi_msgs'
    packages = re.search(r'pip install ([a-z -]+)\n', recipe)[1].split()
    for file in ('.github/workflows/ros.yml', 'docker/ros.Dockerfile'):
        text = (ROOT / file).read_text()
        assert build in recipe and build in text
        assert all(package in text for package in packages), file
    for path in (ROOT / '.github' / 'workflows').glob('*.yml'):
        assert yaml.safe_load(path.read_text())['jobs']


def test_messages_package_has_what_a_release_needs():
    folder = ROOT / 'kimi_msgs'
    version = ElementTree.parse(folder / 'package.xml').findtext('version')
    assert f'\n{version} (' in (folder / 'CHANGELOG.rst').read_text()
    assert (folder / 'LICENSE').read_text() == (ROOT / 'LICENSE').read_text()
    built = (folder / 'CMakeLists.txt').read_text()
    for path in folder.glob('*/*.*'):
        assert f'{path.parent.name}/{path.name}' in built, path
