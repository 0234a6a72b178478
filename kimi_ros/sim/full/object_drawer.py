"""Drawing the full world's objects: meshes, materials, text, pictures, shadows."""

from __future__ import annotations

import dataclasses
import math

import cv2
import numpy as np

from kimi_ros.sim.full.detailed_object import DetailedObject
from kimi_ros.sim.full.layout import vertices
from kimi_ros.sim.full.object_classes import (
    BOX_SHAPED,
    GLOSS,
    HUE_SATURATION_VALUE,
    LABEL_TEXTS,
    NOMINAL_SIZES,
    SIGN_TEXTS,
)
from kimi_ros.sim.full.shapes import FullPart, make_shapes
from kimi_ros.sim.full.textures import grain, text_image
from kimi_ros.sim.projection import camera_pose, intrinsics, project
from kimi_ros.sim.scene import Scene, SceneCamera, SceneLight, SceneTable

PICTURE_SLOTS = 8  # as many as there are groups
PICTURE_SIZE = (128, 128)
UNSHADED = ('knife', 'scissors', 'spoon', 'banana')
"""Kinds that lie flat and whose outline no patch resembles."""
HAIR = (0.13, 0.09, 0.07)


@dataclasses.dataclass(frozen=True)
class _Placed:
    """A part as compiled: MuJoCo moves a mesh's origin and axes, `origin` and `axes` undo it."""

    part: FullPart
    number: int
    origin: np.ndarray
    axes: np.ndarray


class ObjectDrawer:
    """Adds the meshes and textures to a model and draws objects with them.

    :ivar pictures: (category, colour) -> what a picture of it shows, uint8 (H, W, 3).
    """

    def __init__(self, mujoco, spec):
        self._mujoco = mujoco
        self.pictures: dict[tuple[str, str], np.ndarray] = {}
        self._slots: list[tuple[str, str] | None] = [None] * PICTURE_SLOTS
        self._shapes = make_shapes()
        for category, parts in self._shapes.items():
            for number, part in enumerate(parts):
                _add_mesh(mujoco, spec, f'full_{category}_{number}', part)
        texture = mujoco.mjtTexture
        for text in SIGN_TEXTS + LABEL_TEXTS:
            _add_texture(mujoco, spec, f'text {text}', texture.mjTEXTURE_2D, text_image(text))
        blank = np.zeros((*PICTURE_SIZE, 3), np.uint8)
        for slot in range(PICTURE_SLOTS):
            _add_texture(mujoco, spec, f'picture {slot}', texture.mjTEXTURE_2D, blank)
        for material in ('wood', 'metal'):
            _add_texture(mujoco, spec, material, texture.mjTEXTURE_CUBE, grain(material))

    def compiled(self, model) -> None:
        """Look up what the compiled model calls the meshes and materials."""
        self._model = model
        self._materials = {model.mat(i).name: i for i in range(model.nmat)}
        self._parts = {}
        for category, parts in self._shapes.items():
            self._parts[category] = []
            for number, part in enumerate(parts):
                mesh = model.mesh(f'full_{category}_{number}').id
                axes = np.empty(9)
                self._mujoco.mju_quat2Mat(axes, model.mesh_quat[mesh])
                self._parts[category].append(
                    _Placed(
                        part
                        if isinstance(part, FullPart)
                        else FullPart(part.mesh, part.shade, part.rgb),
                        mesh,
                        model.mesh_pos[mesh].copy(),
                        axes.reshape(3, 3),
                    )
                )

    def upload(self, shown, canvas) -> None:
        """Make the textures of the pictures that a scene shows."""
        for slot, shows in enumerate(list(dict.fromkeys(shown))[:PICTURE_SLOTS]):
            if self._slots[slot] == shows:
                continue
            image = self.pictures[shows]
            side = min(image.shape[:2])
            top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
            image = cv2.resize(
                image[top : top + side, left : left + side],
                PICTURE_SIZE,
                interpolation=cv2.INTER_AREA,
            )
            texture = self._model.tex(f'picture {slot}')
            start = int(self._model.tex_adr[texture.id])
            self._model.tex_data[start : start + image.size] = image.ravel()
            self._mujoco.mjr_uploadTexture(self._model, canvas, texture.id)
            self._mujoco.mjr_setBuffer(self._mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, canvas)
            self._slots[slot] = shows

    def add_thing(self, add, index: int, thing: DetailedObject) -> None:
        """Draw an object with the renderer's `add`, labelled by its index."""
        scale = np.asarray(thing.size) / NOMINAL_SIZES[thing.category]
        turn = thing.pose[:3, :3] * scale
        base = np.asarray(thing.position) - (0.0, 0.0, thing.size[2] / 2)
        for placed in self._parts[thing.category]:
            part = placed.part
            if (part.when == 'hot' and not thing.hot) or (part.when == 'text' and not thing.text):
                continue
            own = part.rgb is None and part.shade == 1.0
            geom = add(
                self._mujoco.mjtGeom.mjGEOM_MESH,
                (1, 1, 1),
                turn @ placed.origin + base,
                turn @ placed.axes,
                (*self._rgb(part, thing), part.alpha),
                index,
                GLOSS.get(thing.material, 0.05) if own else 0.0,
            )
            geom.dataid = 2 * placed.number
            geom.emission = part.glow
            if part.image:
                geom.matid, geom.texcoord = self._image(part, thing), 1
                geom.emission = 0.15
            elif (
                own
                and thing.material in ('wood', 'metal')
                and thing.category not in ('can', 'picture')
            ):
                geom.matid = self._materials[thing.material]

    def _rgb(self, part: FullPart, thing: DetailedObject):
        if part.rgb is not None:
            return part.rgb
        if part.when in ('skin', 'hair'):
            return thing.skin if part.when == 'skin' else HAIR
        return tuple(c * part.shade for c in thing.rgb)

    def _image(self, part: FullPart, thing: DetailedObject) -> int:
        if part.image == 'text':
            return self._materials[f'text {thing.text}']
        return self._materials[f'picture {self._slots.index(thing.shows)}']

    def add_shadow(self, add, thing: DetailedObject, scene: Scene) -> None:
        """Darken what the object stands on; not for people, contents and flat objects."""
        if thing.relation != 'on' or thing.category in UNSHADED:
            return
        geometry = self._mujoco.mjtGeom
        light = scene.lights[0]
        floor = 0.0 if thing.support < 0 else scene.objects[thing.support].top
        if thing.support >= 0 and scene.objects[thing.support].category == 'plate':
            return
        height = min(thing.size[2], 0.12) if floor == 0.0 else 0.0
        reach = np.asarray(light.direction[:2]) / -light.direction[2] * height
        half = np.asarray(thing.size[:2]) / 2
        middle = np.asarray(thing.position[:2])
        if thing.category == 'pan':
            half = half[1:].repeat(2)
            middle = middle + thing.pose[:2, 0] * -0.08
        for layer, (grow, share) in enumerate(((1.14, 0.20), (1.04, 0.10)), start=1):
            thick = 0.0004 * layer
            if floor and layer == 1:
                grow = 1.06
            if thing.category in BOX_SHAPED:
                shape, size = geometry.mjGEOM_BOX, (*(half * grow), thick)
            else:
                shape, size = geometry.mjGEOM_CYLINDER, (half[1] * grow, thick, 0.0)
            add(
                shape,
                size,
                (*(middle + reach * share), floor + thick),
                thing.pose[:3, :3],
                (0.0, 0.0, 0.0, 0.10 if thing.category == 'glass' else 0.20),
            )


def non_touching_batches(scene: Scene, width: int, height: int) -> list[list[int]]:
    """Return the objects in lots of which no two can touch in the image."""
    matrix, pose = intrinsics(scene.camera.fov_y, width, height), camera_pose(scene.camera)
    boxes = []
    for item in scene.objects:
        pixels = project(_hull(item), matrix, pose)[:, :2]
        boxes.append((*(pixels.min(axis=0) - 2), *(pixels.max(axis=0) + 2)))
    lots: list[list[int]] = []
    for index, box in enumerate(boxes):
        for lot in lots:
            if all(_clear(box, boxes[other]) for other in lot):
                lot.append(index)
                break
        else:
            lots.append([index])
    return lots


def _hull(item) -> np.ndarray:
    if isinstance(item, DetailedObject):
        low, high = np.array(_extent(item.category)) * np.asarray(item.size)
        if item.hot:
            high[2] = 0.135 * item.size[2] / NOMINAL_SIZES['pan'][2]
        corners = np.array(
            [
                [(low, high)[i][0], (low, high)[j][1], (low, high)[k][2]]
                for i in (0, 1)
                for j in (0, 1)
                for k in (0, 1)
            ]
        )
        base = np.asarray(item.position) - (0.0, 0.0, item.size[2] / 2)
        return corners @ item.pose[:3, :3].T + base
    half = np.asarray(item.size) * (0.75, 0.75, 0.5)
    corners = np.array([[i, j, k] for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)]) * half
    return corners @ item.pose[:3, :3].T + item.position


_EXTENTS: dict[str, tuple] = {}


def _extent(category: str) -> tuple:
    """The least and the greatest coordinates of a category, in units of its nominal extents."""
    if category not in _EXTENTS:
        flat = DetailedObject(
            category,
            '',
            (0.0, 0.0, NOMINAL_SIZES[category][2] / 2),
            0.0,
            NOMINAL_SIZES[category],
            (0.0, 0.0, 0.0),
        )
        points = vertices(flat) / NOMINAL_SIZES[category]
        _EXTENTS[category] = tuple(points.min(axis=0)), tuple(points.max(axis=0))
    return _EXTENTS[category]


def _clear(one, other) -> bool:
    return one[2] < other[0] or other[2] < one[0] or one[3] < other[1] or other[3] < one[1]


def picture_scene(category: str, color: str) -> Scene:
    """Return the scene that a picture of something shows: the object alone, close by."""
    import colorsys

    rgb = colorsys.hsv_to_rgb(*HUE_SATURATION_VALUE[color])
    size = NOMINAL_SIZES[category]
    thing = DetailedObject(category, color, (0.5, 0.0, size[2] / 2), math.pi * 0.72, size, rgb)
    reach = max(np.abs(np.array(_extent(category)) * size).max(), size[2] * 0.62)
    distance, pitch = reach * 3.1, math.radians(38)
    eye = (0.5 - distance * math.cos(pitch), 0.0, size[2] * 0.45 + distance * math.sin(pitch))
    light = SceneLight((0.4, 0.3, -0.86), (0.55,) * 3, (0.5,) * 3, 0.3)
    table = SceneTable('', (0.80, 0.86, 0.90), (-2.0, 3.0), 3.0, (0.9, 0.92, 0.95), (0.5,) * 3)
    return Scene(0, (thing,), SceneCamera(eye, 0.0, pitch, math.radians(42)), (light,), table)


def _add_mesh(mujoco, spec, name: str, part) -> None:
    faces = part.mesh.faces.astype(np.int32).ravel()
    painted = {}
    if getattr(part, 'uv', None) is not None:
        painted = {'usertexcoord': part.uv.ravel(), 'userfacetexcoord': faces}
    spec.add_mesh(
        name=name,
        uservert=part.mesh.vertices.ravel(),
        usernormal=part.mesh.normals.ravel(),
        userface=faces,
        userfacenormal=faces,
        inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL,
        **painted,
    )


def _add_texture(mujoco, spec, name: str, texture_type, image: np.ndarray) -> None:
    texture = spec.add_texture(
        name=name, type=texture_type, width=image.shape[1], height=image.shape[0], nchannel=3
    )
    texture.data = image.tobytes()
    material = spec.add_material(name=name)
    slots = material.textures
    slots[mujoco.mjtTextureRole.mjTEXROLE_RGB] = name
    material.textures = slots
