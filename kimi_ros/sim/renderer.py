"""Drawing scenes with MuJoCo: colour, depth and segmentation, without a screen."""

import dataclasses
from collections.abc import Sequence

import numpy as np

from kimi_ros.sim.full.detailed_object import DetailedObject
from kimi_ros.sim.full.object_drawer import ObjectDrawer, non_touching_batches, picture_scene
from kimi_ros.sim.object_classes import CATEGORIES, NOMINAL_SIZES
from kimi_ros.sim.offscreen import OffscreenRenderer
from kimi_ros.sim.projection import camera_pose, intrinsics
from kimi_ros.sim.rendered_frame import RenderedFrame
from kimi_ros.sim.scene import Scene, SceneCamera, SceneLight, SceneObject, SceneTable
from kimi_ros.sim.shapes import SEGMENTS, Mesh, Part, make_shapes

NEAR, FAR = 0.05, 12.0
MAX_GEOMS = 400
WALL_DISTANCE = 2.6
FLOOR_HEIGHT = -0.75
TABLE_THICKNESS = 0.03


class Renderer(OffscreenRenderer):
    """Draws any scene; the model with all shapes is compiled once.

    Not to be shared between threads. Use it as a context manager, or call `close`.
    """

    def __init__(self, width: int = 640, height: int = 480):
        """Open an OpenGL context and compile the model.

        :param width: of the images, pixels.
        :param height: of the images, pixels; scenes are laid out for width : height = 4 : 3.
        :raises GLNotAvailable: when MuJoCo is missing or no OpenGL here draws without a screen.
        :raises ValueError: when a side is not between 1 and 4096 pixels.
        """
        if not (0 < width <= 4096 and 0 < height <= 4096):
            raise ValueError(f'an image has 1 to 4096 pixels a side, not {width}x{height}')
        super().__init__(width, height, NEAR, FAR)
        mujoco = self._mujoco
        model, self._parts, self._drawer = _compile(mujoco, width, height)
        self._scene = mujoco.MjvScene(model, MAX_GEOMS)
        self._scene.flags[:] = 0
        self._scene.flags[mujoco.mjtRndFlag.mjRND_CULL_FACE] = 1
        self._open_canvas(model)

    def render(
        self,
        scene: Scene,
        depth: bool = True,
        segmentation: bool = True,
        count_unoccluded: bool = False,
    ) -> RenderedFrame:
        """Draw a scene.

        :param scene: from `sample_scene`.
        :param depth: whether to read depth too.
        :param segmentation: whether to draw the objects' indices too; leaving it out saves a pass.
        :param count_unoccluded: whether to count the pixels that each object would show unoccluded,
            from which its occlusion follows; costs one to four small passes more.
        :raises RuntimeError: after `close`.
        """
        self._begin()
        self._set_camera(scene.camera)
        self._set_lights(scene.lights)
        self._paint_pictures(scene)
        self._scene.ngeom = 0
        self._add_objects(scene)
        self._add_room(scene.table, label=len(scene.objects))
        solid = self._scene.ngeom
        for item in scene.objects:
            if isinstance(item, DetailedObject):
                self._drawer.add_shadow(self._add, item, scene)
            else:
                self._add_shadow(item, scene.lights[0])

        rgb = np.empty((self._height, self._width, 3), np.uint8)
        buffer = np.empty((self._height, self._width), np.float32) if depth else None
        self._draw(rgb, None if segmentation else buffer)
        labels = None
        if segmentation:
            self._scene.ngeom = solid
            codes = np.empty_like(rgb)
            self._draw(codes, buffer, labels=True)
            labels = codes[::-1, :, 0].astype(np.int16) - 1
            labels[labels == len(scene.objects)] = -1
        return RenderedFrame(
            np.ascontiguousarray(rgb[::-1]),
            None if buffer is None else self._metres(buffer[::-1]),
            labels,
            intrinsics(scene.camera.fov_y, self._width, self._height),
            camera_pose(scene.camera),
            self._count_unoccluded(scene) if count_unoccluded else None,
        )

    def _add_objects(self, scene: Scene, only: Sequence[int] | None = None) -> None:
        for index, item in enumerate(scene.objects):
            if only is not None and index not in only:
                continue
            if isinstance(item, DetailedObject):
                self._drawer.add_thing(self._add, index, item)
            else:
                self._add_object(index, item)

    def _count_unoccluded(self, scene: Scene) -> tuple[int, ...]:
        """The pixels of every object by itself; those that do not touch share a pass."""
        counts = [0] * len(scene.objects)
        for together in non_touching_batches(scene, self._width, self._height):
            self._scene.ngeom = 0
            self._add_objects(scene, together)
            codes = np.empty((self._height, self._width, 3), np.uint8)
            self._draw(codes, None, labels=True)
            found = np.bincount(codes[..., 0].ravel(), minlength=len(counts) + 1)
            for index in together:
                counts[index] = int(found[index + 1])
        return tuple(counts)

    def _paint_pictures(self, scene: Scene) -> None:
        """Put what the scene's pictures show onto their textures."""
        shown = [t.shows for t in scene.objects if isinstance(t, DetailedObject) and t.shows[0]]
        for shows in dict.fromkeys(shown):
            if shows not in self._drawer.pictures:
                still = picture_scene(*shows)
                self._set_camera(still.camera)
                self._set_lights(still.lights)
                self._scene.ngeom = 0
                self._add_objects(still)
                self._add_room(still.table, len(still.objects))
                image = np.empty((self._height, self._width, 3), np.uint8)
                self._draw(image, None)
                self._drawer.pictures[shows] = image[::-1].copy()
                self._set_camera(scene.camera)
                self._set_lights(scene.lights)
        self._drawer.upload(shown, self._canvas)

    def _set_camera(self, camera: SceneCamera) -> None:
        self._look(camera_pose(camera), camera.fov_y)

    def _set_lights(self, lights: tuple[SceneLight, ...]) -> None:
        self._scene.nlight = len(lights)
        for slot, light in zip(self._scene.lights, lights, strict=False):
            slot.type = self._mujoco.mjtLightType.mjLIGHT_DIRECTIONAL
            slot.dir[:] = light.direction
            slot.pos[:] = -3 * np.asarray(light.direction)
            slot.ambient[:] = light.ambient
            slot.diffuse[:] = light.diffuse
            slot.specular[:] = light.specular
            slot.attenuation[:] = 1.0, 0.0, 0.0
            slot.headlight = slot.castshadow = 0
            slot.texid = -1

    def _add(
        self,
        geom_type: int,
        size,
        position,
        matrix: np.ndarray,
        rgba,
        label: int = -1,
        shine: float = 0.0,
    ):
        geom = self._scene.geoms[self._scene.ngeom]
        self._mujoco.mjv_initGeom(
            geom,
            geom_type,
            np.asarray(size, float),
            np.asarray(position, float),
            np.asarray(matrix, float).reshape(9),
            np.asarray(rgba, np.float32),
        )
        geom.segid = label
        geom.specular, geom.shininess, geom.emission, geom.reflectance = shine, 0.5, 0.0, 0.0
        self._scene.ngeom += 1
        return geom

    def _add_mesh(
        self, number: int, position, matrix: np.ndarray, rgba, label: int, shine: float
    ) -> None:
        geom = self._add(
            self._mujoco.mjtGeom.mjGEOM_MESH, (1, 1, 1), position, matrix, rgba, label, shine
        )
        geom.dataid = 2 * number

    def _add_object(self, index: int, item: SceneObject) -> None:
        scale = np.asarray(item.size) / NOMINAL_SIZES[item.category]
        turn = item.pose[:3, :3] * scale
        base = np.asarray(item.position) - (0.0, 0.0, item.size[2] / 2)
        for part in self._parts[item.category]:
            rgb = part.rgb or tuple(c * part.shade for c in item.rgb)
            self._add_mesh(
                part.number,
                turn @ part.origin + base,
                turn @ part.axes,
                (*rgb, 1.0),
                index,
                0.5 if part.shade == 1.0 and part.rgb is None else 0.0,
            )

    def _add_room(self, table: SceneTable, label: int) -> None:
        """Table, floor and wall; without a label MuJoCo would leave them out of the depth."""
        near, far = table.x_range
        for size, position, rgb in (
            (
                ((far - near) / 2, table.half_width, TABLE_THICKNESS / 2),
                ((near + far) / 2, 0.0, -TABLE_THICKNESS / 2),
                table.rgb,
            ),
            ((4.0, 4.0, 0.01), (0.0, 0.0, FLOOR_HEIGHT - 0.01), table.floor_rgb),
            ((0.01, 4.0, 2.0), (WALL_DISTANCE, 0.0, 1.25 + FLOOR_HEIGHT), table.wall_rgb),
        ):
            self._add(
                self._mujoco.mjtGeom.mjGEOM_BOX, size, position, np.eye(3), (*rgb, 1.0), label
            )

    def _add_shadow(self, item: SceneObject, light: SceneLight) -> None:
        """Two soft dark patches where the object darkens the table, drawn a hair above it."""
        geometry = self._mujoco.mjtGeom
        reach = np.asarray(light.direction[:2]) / -light.direction[2] * item.size[2]
        half = np.asarray(item.size[:2]) / 2
        for layer, (grow, share) in enumerate(((1.14, 0.20), (1.04, 0.10)), start=1):
            thick = 0.0004 * layer
            if item.category in ('book', 'box', 'block'):
                shape, size = geometry.mjGEOM_BOX, (*(half * grow), thick)
            else:
                shape, size = geometry.mjGEOM_CYLINDER, (half[1] * grow, thick, 0.0)
            self._add(
                shape,
                size,
                (*(item.position[:2] + reach * share), thick),
                item.pose[:3, :3],
                (0.0, 0.0, 0.0, 0.20),
            )


@dataclasses.dataclass(frozen=True)
class _PlacedPart:
    """A part as compiled: MuJoCo moves a mesh's origin and axes, `origin` and `axes` undo it."""

    number: int
    origin: np.ndarray
    axes: np.ndarray
    shade: float
    rgb: tuple[float, float, float] | None


def _compile(mujoco, width: int, height: int):
    """The MuJoCo model that holds every mesh, and the parts of every category."""
    spec = mujoco.MjSpec()
    spec.visual.quality.offsamples = 0
    spec.visual.quality.shadowsize = 0
    spec.visual.quality.numslices = SEGMENTS
    spec.visual.global_.offwidth = width
    spec.visual.global_.offheight = height
    shapes = make_shapes()
    for category in CATEGORIES:
        for number, part in enumerate(shapes[category]):
            _add_mesh_asset(mujoco, spec, f'{category}_{number}', part.mesh)
    drawer = ObjectDrawer(mujoco, spec)
    model = spec.compile()
    drawer.compiled(model)
    parts = {
        category: [
            _place(mujoco, model, f'{category}_{number}', part)
            for number, part in enumerate(shapes[category])
        ]
        for category in CATEGORIES
    }
    return model, parts, drawer


def _add_mesh_asset(mujoco, spec, name: str, mesh: Mesh) -> None:
    spec.add_mesh(
        name=name,
        uservert=mesh.vertices.ravel(),
        usernormal=mesh.normals.ravel(),
        userface=mesh.faces.astype(np.int32).ravel(),
        userfacenormal=mesh.faces.astype(np.int32).ravel(),
        inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL,
    )


def _place(mujoco, model, name: str, part: Part) -> _PlacedPart:
    number = model.mesh(name).id
    axes = np.empty(9)
    mujoco.mju_quat2Mat(axes, model.mesh_quat[number])
    return _PlacedPart(
        number, model.mesh_pos[number].copy(), axes.reshape(3, 3), part.shade, part.rgb
    )
