"""Drawing a way with MuJoCo: colour, depth and segmentation, without a screen."""

from __future__ import annotations

import math

import numpy as np

from kimi_ros.sim.offscreen import OffscreenRenderer
from kimi_ros.sim.projection import camera_pose, intrinsics
from kimi_ros.sim.rendered_frame import RenderedFrame
from kimi_ros.sim.scene import SceneCamera
from kimi_ros.sim.shapes import Mesh, cuboid
from kimi_ros.sim.way.looks import LOOKS, SIDE, texture
from kimi_ros.sim.way.shapes import Piece, pieces_of
from kimi_ros.sim.way.world import Block, Way

EYE = 1.4
"""Height of the camera above the ground, metres: as it hangs before the chest or is held."""

PITCH = math.radians(20)
"""Angle of the camera below the horizon."""

FOV_Y = math.radians(72)
"""Vertical field of view: with 4:3 it is 88 degrees wide, as that of wide depth cameras is."""

DEPTH_RANGE = (0.3, 10.0)
"""Metres in which depth is measured; 0 elsewhere."""

_NEAR, _FAR = 0.1, 90.0  # metres that are drawn
_MAX_GEOMS = 3000
_SHADOWS = 2048  # pixels a side
_SUN, _LAMP = (0.35, 0.5, -0.85), (0.15, 0.2, -1.0)  # ways that light travels


class WayRenderer(OffscreenRenderer):
    """Draws one way from anywhere on it.

    Not to be shared between threads. Use it as a context manager, or call `close`.
    """

    def __init__(self, way: Way, width: int = 320, height: int = 240, shadows: bool = True):
        """Open an OpenGL context and compile the way.

        :param width: of the images, pixels.
        :param height: of the images, pixels.
        :param shadows: whether the sun casts them: an image then takes four times as long.
        :raises kimi_ros.sim.GLNotAvailable: when MuJoCo is missing or no OpenGL here draws
            without a screen.
        """
        super().__init__(width, height, _NEAR, _FAR)
        mujoco = self._mujoco
        self._way, self._shadows = way, shadows
        model = _compile(mujoco, way, width, height, shadows)
        data = mujoco.MjData(model)
        mujoco.mj_forward(model, data)
        self._scene = mujoco.MjvScene(model, _MAX_GEOMS)
        mujoco.mjv_updateScene(
            model,
            data,
            mujoco.MjvOption(),
            mujoco.MjvPerturb(),
            mujoco.MjvCamera(),
            mujoco.mjtCatBit.mjCAT_ALL.value,
            self._scene,
        )
        self._label(model)
        self._open_canvas(model)

    def render(
        self, x: float, y: float, heading: float = 0.0, segmentation: bool = True
    ) -> RenderedFrame:
        """Draw what the camera of a person sees who stands at (x, y).

        :param heading: radians to the left of the way's x.
        :param segmentation: whether to draw the objects' indices too; leaving it out saves a pass.
        :raises RuntimeError: after `close`.
        :raises ValueError: where there is no ground.
        """
        self._begin()
        ground = float(self._way.ground(np.array([[x, y]]))[0])
        if not math.isfinite(ground):
            raise ValueError(f'there is no ground at ({x:.2f}, {y:.2f})')
        camera = SceneCamera((x, y, ground + EYE), heading, PITCH, FOV_Y)
        pose = camera_pose(camera)
        self._look(pose, FOV_Y)
        rgb = np.empty((self._height, self._width, 3), np.uint8)
        buffer = np.empty((self._height, self._width), np.float32)
        self._draw(rgb, buffer)
        labels = None
        if segmentation:
            codes = np.empty_like(rgb)
            self._draw(codes, None, labels=True)
            labels = codes[::-1, :, 0].astype(np.int16) - 1
            labels[labels == len(self._way.objects)] = -1
        return RenderedFrame(
            np.ascontiguousarray(rgb[::-1]),
            self._metres(buffer[::-1]),
            labels,
            intrinsics(FOV_Y, self._width, self._height),
            pose,
        )

    def _draw(self, rgb: np.ndarray, depth: np.ndarray | None, labels: bool = False) -> None:
        flags = self._mujoco.mjtRndFlag
        self._scene.flags[flags.mjRND_SHADOW] = self._shadows and not labels
        self._scene.flags[flags.mjRND_SKYBOX] = not labels
        super()._draw(rgb, depth, labels)

    def _metres(self, buffer: np.ndarray) -> np.ndarray:
        """Metres, 0 outside of what is measured."""
        metres = super()._metres(buffer)
        return np.where((metres >= DEPTH_RANGE[0]) & (metres <= DEPTH_RANGE[1]), metres, 0)

    def _label(self, model) -> None:
        """Number what is drawn as the way's objects are, ground and walls as the next.

        Without a label MuJoCo would leave these out.
        """
        for geom in self._scene.geoms[: self._scene.ngeom]:
            body = int(model.geom_bodyid[geom.objid])
            geom.segid = body - 1 if body else len(self._way.objects)


def _compile(mujoco, way: Way, width: int, height: int, shadows: bool):
    """Return the model: a body for each object, in their order; the rest belongs to the world."""
    spec = mujoco.MjSpec()
    spec.visual.quality.offsamples = 4 if shadows else 0
    spec.visual.quality.shadowsize = _SHADOWS if shadows else 0
    spec.visual.quality.numslices = 20
    spec.visual.global_.offwidth = width
    spec.visual.global_.offheight = height
    for name in LOOKS:
        _add_look(mujoco, spec, name)
    _add_light(mujoco, spec, way, shadows)
    for item in way.objects:
        half = item.yaw / 2
        body = spec.worldbody.add_body(
            pos=item.position, quat=(math.cos(half), 0.0, 0.0, math.sin(half))
        )
        for piece in pieces_of(item):
            _add_piece(mujoco, body, piece)
    for number, block in enumerate((*way.grounds, *way.walls, *way.scenery)):
        _add_block(mujoco, spec, f'block {number}', block)
    return spec.compile()


def _add_look(mujoco, spec, name: str) -> None:
    image = spec.add_texture(
        name=name, type=mujoco.mjtTexture.mjTEXTURE_2D, width=SIDE, height=SIDE, nchannel=3
    )
    image.data = texture(name).tobytes()
    material = spec.add_material(name=name, specular=0.0, shininess=0.0)
    slots = material.textures
    slots[mujoco.mjtTextureRole.mjTEXROLE_RGB] = name
    material.textures = slots


def _add_light(mujoco, spec, way: Way, shadows: bool) -> None:
    indoors = way.place == 'corridor'
    spec.add_texture(
        name='sky',
        type=mujoco.mjtTexture.mjTEXTURE_SKYBOX,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
        rgb1=(0.45, 0.62, 0.85),
        rgb2=(0.86, 0.90, 0.94),
        width=64,
        height=384,
    )
    # Shadows leave the light of a lamp at the camera, which stands for that of the sky.
    level = 0.42 if indoors else 0.36
    spec.visual.headlight.ambient = (level,) * 3
    spec.visual.headlight.diffuse = (0.22,) * 3
    spec.visual.headlight.specular = (0.0,) * 3
    direction = np.array(_LAMP if indoors else (_SUN[0], way.house * _SUN[1], _SUN[2]))
    spec.worldbody.add_light(
        pos=np.array((8.0, 0.0, 0.0)) - 12 * direction,
        dir=direction,
        type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
        castshadow=shadows and not indoors,
        ambient=(0.0,) * 3,
        diffuse=(0.40,) * 3 if indoors else (0.62, 0.59, 0.54),
        specular=(0.1,) * 3,
    )


def _add_piece(mujoco, body, piece: Piece) -> None:
    common = {'rgba': (*piece.rgb, 1.0), 'contype': 0, 'conaffinity': 0}
    if piece.shape == 'bar':
        body.add_geom(
            type=mujoco.mjtGeom.mjGEOM_CYLINDER,
            fromto=(*piece.at, *piece.to),
            size=piece.size,
            **common,
        )
        return
    kinds = {'box': mujoco.mjtGeom.mjGEOM_BOX, 'ball': mujoco.mjtGeom.mjGEOM_ELLIPSOID}
    body.add_geom(type=kinds[piece.shape], pos=piece.at, size=piece.size, **common)


def _add_block(mujoco, spec, name: str, block: Block) -> None:
    """Add a box as a mesh, whose texture keeps its scale on every side."""
    mesh = cuboid(block.low, block.high)
    spec.add_mesh(
        name=name,
        uservert=mesh.vertices.ravel(),
        usernormal=mesh.normals.ravel(),
        userface=mesh.faces.astype(np.int32).ravel(),
        userfacenormal=mesh.faces.astype(np.int32).ravel(),
        usertexcoord=_texture_coordinates(mesh, LOOKS[block.look][0]).ravel(),
        userfacetexcoord=mesh.faces.astype(np.int32).ravel(),
        inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL,
    )
    spec.worldbody.add_geom(
        type=mujoco.mjtGeom.mjGEOM_MESH,
        meshname=name,
        material=block.look,
        contype=0,
        conaffinity=0,
    )


def _texture_coordinates(mesh: Mesh, scale: float) -> np.ndarray:
    """Return u and v (n, 2): metres along the two axes that a side lies in, over the scale."""
    facing = np.abs(mesh.normals).argmax(axis=1)
    along = np.where(facing == 0, 1, 0)
    up = np.where(facing == 2, 1, 2)
    rows = np.arange(len(facing))
    return np.column_stack([mesh.vertices[rows, along], mesh.vertices[rows, up]]) / scale
