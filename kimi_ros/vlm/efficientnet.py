"""The structure of EfficientNet-Lite0's convolutional trunk, as the image encoder's stem.

The trunk halves the image five times. The encoder's patches of 16 pixels read three of its scales:
2 x 2 positions of the one at 8 pixels, one position of that at 16, and the position at 32 that the
patch lies in. Sizes are those of Tan and Le (2019, arXiv:1905.11946) in the Lite0 variant: no
squeeze-and-excitation, ReLU6.
"""

from __future__ import annotations

from dataclasses import dataclass

NAME = 'efficientnet_lite0'
PATCH_SIZE = 16  # pixels of a patch
DEEPEST = 32  # pixels of a position of the last scale: crops are a multiple of it
FIRST_CHANNELS = 32  # of the first convolution, 3 x 3 in steps of 2


@dataclass(frozen=True)
class ConvBlock:
    """An inverted residual block: expansion, depthwise convolution, projection.

    :ivar expansion: channels inside for each one outside; 1 leaves the first convolution out.
    """

    kernel: int
    stride: int
    expansion: int
    inputs: int
    outputs: int

    @property
    def inner(self) -> int:
        """Channels of the depthwise convolution."""
        return self.inputs * self.expansion

    @property
    def residual(self) -> bool:
        """Whether the block's input is added to its output."""
        return self.stride == 1 and self.inputs == self.outputs


@dataclass(frozen=True)
class Scale:
    """Features that patches read: after which block, how many channels, of how many pixels."""

    block: int
    channels: int
    pixels: int


def _stage(
    repeats: int, kernel: int, stride: int, expansion: int, inputs: int, outputs: int
) -> tuple[ConvBlock, ...]:
    first = ConvBlock(kernel, stride, expansion, inputs, outputs)
    return (first, *(ConvBlock(kernel, 1, expansion, outputs, outputs),) * (repeats - 1))


BLOCKS: tuple[ConvBlock, ...] = (
    *_stage(1, 3, 1, 1, 32, 16),
    *_stage(2, 3, 2, 6, 16, 24),
    *_stage(2, 5, 2, 6, 24, 40),
    *_stage(3, 3, 2, 6, 40, 80),
    *_stage(3, 5, 1, 6, 80, 112),
    *_stage(4, 5, 2, 6, 112, 192),
    *_stage(1, 3, 1, 6, 192, 320),
)
SCALES = (Scale(4, 40, 8), Scale(10, 112, 16), Scale(15, 320, 32))
# What a patch reads: of each scale its own positions, or the one that it lies in.
FEATURES = sum(s.channels * max(1, PATCH_SIZE // s.pixels) ** 2 for s in SCALES)


def same_padding(kernel: int, stride: int) -> tuple[int, int]:
    """Return the zeros before and after rows and columns that are a multiple of the stride.

    TensorFlow's SAME padding, with which the weights were trained: of an odd number the larger half
    stands after.
    """
    total = kernel - stride
    return total // 2, total - total // 2
