"""Rendered worlds: a table with objects, seen by a camera, with ground truth."""

from kimi_ros.sim.full.detailed_object import DetailedObject
from kimi_ros.sim.full.object_classes import CATEGORIES, COLORS
from kimi_ros.sim.gl import GLNotAvailable
from kimi_ros.sim.recorded import RecordedFrame, recorded_frames
from kimi_ros.sim.rendered_frame import RenderedFrame
from kimi_ros.sim.renderer import Renderer
from kimi_ros.sim.sampling import WORLDS, sample_scene
from kimi_ros.sim.scene import Scene, SceneObject
from kimi_ros.sim.seeds import HeldOutSeedError
from kimi_ros.sim.truth import ObjectTruth, ground_truth, visible_truth

__all__ = [
    'CATEGORIES',
    'COLORS',
    'DetailedObject',
    'GLNotAvailable',
    'HeldOutSeedError',
    'ObjectTruth',
    'RecordedFrame',
    'RenderedFrame',
    'Renderer',
    'Scene',
    'SceneObject',
    'WORLDS',
    'ground_truth',
    'recorded_frames',
    'sample_scene',
    'visible_truth',
]
