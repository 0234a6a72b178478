"""Rendered worlds: a table with objects, seen by a camera, and what is really there."""

from kimi_ros.sim.frame import Frame
from kimi_ros.sim.full.catalogue import COLORS, KINDS
from kimi_ros.sim.full.thing import Thing
from kimi_ros.sim.gl import GLNotAvailable
from kimi_ros.sim.recorded import RecordedFrame, recorded_frames
from kimi_ros.sim.renderer import Renderer
from kimi_ros.sim.sampling import WORLDS, sample_scene
from kimi_ros.sim.scene import Scene, SceneObject
from kimi_ros.sim.seeds import HeldOutSeedError
from kimi_ros.sim.truth import ObjectTruth, ground_truth, visible_truth

__all__ = [
    'COLORS',
    'KINDS',
    'Frame',
    'GLNotAvailable',
    'HeldOutSeedError',
    'ObjectTruth',
    'RecordedFrame',
    'Renderer',
    'Scene',
    'SceneObject',
    'Thing',
    'WORLDS',
    'ground_truth',
    'recorded_frames',
    'sample_scene',
    'visible_truth',
]
