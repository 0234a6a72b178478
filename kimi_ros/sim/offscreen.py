"""What all that draws with MuJoCo without a screen shares: opening, looking, reading, closing."""

from __future__ import annotations

import contextlib
import math
from typing import Any, TypeVar

import numpy as np

from kimi_ros.sim import gl

_RendererT = TypeVar('_RendererT', bound='OffscreenRenderer')


class OffscreenRenderer:
    """A canvas of OpenGL; a subclass fills `_scene` and calls `_open_canvas`.

    Not to be shared between threads. Use it as a context manager, or call `close`.
    """

    _scene: Any  # mujoco.MjvScene

    def __init__(self, width: int, height: int, near: float, far: float):
        """Open an OpenGL context.

        :param width: of the images, pixels.
        :param height: of the images, pixels.
        :param near: metres ahead of the camera from which on things are drawn; `far` to where.
        :raises GLNotAvailable: when MuJoCo is missing or no OpenGL here draws without a screen.
        """
        self._context = self._canvas = None
        self._context = gl.open_context(width, height)
        # Only now: whoever wants scenes or recorded frames need not have MuJoCo.
        import mujoco

        self._mujoco = mujoco
        self._width, self._height = width, height
        self._near, self._far = near, far
        self._rect = mujoco.MjrRect(0, 0, width, height)

    def _open_canvas(self, model: Any) -> None:
        """Send a model's meshes and textures to OpenGL.

        :raises GLNotAvailable: when OpenGL refuses them.
        """
        mujoco = self._mujoco
        try:
            self._canvas = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_50.value)
        except mujoco.FatalError as error:
            self.close()
            raise gl.unavailable(str(error)) from error
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN.value, self._canvas)
        self._canvas.readDepthMap = mujoco.mjtDepthMap.mjDEPTH_ZEROFAR

    def __enter__(self: _RendererT) -> _RendererT:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Give the memory back; may be called twice."""
        if self._canvas is not None:
            with contextlib.suppress(Exception):
                self._context.make_current()
            self._canvas.free()
        if self._context is not None:
            self._context.free()
        self._canvas = self._context = None

    def _begin(self) -> None:
        """Make this the context that is drawn in; RuntimeError after `close`."""
        if self._canvas is None:
            raise RuntimeError('this renderer is closed; make a new one')
        self._context.make_current()

    def _look(self, pose: np.ndarray, fov_y: float) -> None:
        """Put the eye at a camera's pose, (4, 4) optical -> base; `fov_y` in radians."""
        top = self._near * math.tan(fov_y / 2)
        for eye in self._scene.camera:
            eye.pos[:] = pose[:3, 3]
            eye.forward[:] = pose[:3, 2]
            eye.up[:] = -pose[:3, 1]
            eye.frustum_center, eye.frustum_width = 0.0, top * self._width / self._height
            eye.frustum_bottom, eye.frustum_top = -top, top
            eye.frustum_near, eye.frustum_far = self._near, self._far

    def _draw(self, rgb: np.ndarray, depth: np.ndarray | None, labels: bool = False) -> None:
        """Draw the scene and read it, from the bottom row up.

        :param rgb: uint8 (H, W, 3), which is written.
        :param depth: float32 (H, W), which is written: OpenGL's, for `_metres`; or None.
        :param labels: draw what `segid` says, plus one, in place of colours.
        """
        flags = self._mujoco.mjtRndFlag
        for flag in (flags.mjRND_SEGMENT, flags.mjRND_IDCOLOR):
            self._scene.flags[flag] = labels
        self._mujoco.mjr_render(self._rect, self._scene, self._canvas)
        self._mujoco.mjr_readPixels(rgb, depth, self._rect, self._canvas)

    def _metres(self, buffer: np.ndarray) -> np.ndarray:
        """OpenGL's reversed depth (1 near, 0 far) to metres: 1/z runs linearly; 0 for nothing."""
        inverse = buffer * (1 / self._near - 1 / self._far) + 1 / self._far
        return np.where(buffer > 0, 1 / inverse, 0).astype(np.float32)
