"""Baseline: the image encoder in plain PyTorch with random weights."""

from __future__ import annotations

from kimi_ros.vlm.config import ModelConfig, VisionConfig

from .timing import Timer
from .worker import Missing

try:
    import torch
    from torch import nn
    from torch.nn import functional
except ImportError as error:
    raise Missing(f'PyTorch is not installed ({error}): make test-train installs it') from error


class _Block(nn.Module):
    def __init__(self, sizes: VisionConfig) -> None:
        super().__init__()
        dim = sizes.enc_dim
        self.heads = sizes.enc_n_heads
        self.ln1, self.ln2 = nn.LayerNorm(dim), nn.LayerNorm(dim)
        self.qkv, self.proj = nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.fc1, self.fc2 = nn.Linear(dim, sizes.enc_ff_dim), nn.Linear(sizes.enc_ff_dim, dim)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        n, patches, dim = x.shape
        qkv = self.qkv(self.ln1(x)).view(n, patches, 3, self.heads, dim // self.heads)
        mixed = functional.scaled_dot_product_attention(*qkv.permute(2, 0, 3, 1, 4))
        x = x + self.proj(mixed.transpose(1, 2).reshape(n, patches, dim))
        return x + self.fc2(functional.gelu(self.fc1(self.ln2(x)), approximate='tanh'))


class TorchVision:
    """The encoder in fp32."""

    def __init__(self, threads: int) -> None:
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        self._sizes = sizes = ModelConfig().vision
        patch = sizes.in_channels * sizes.enc_patch_size**2
        with torch.inference_mode():
            self._embed = nn.Linear(patch, sizes.enc_dim)
            self._places = torch.randn(1, sizes.patches, sizes.enc_dim) * 0.02
            self._blocks = nn.Sequential(*(_Block(sizes) for _ in range(sizes.enc_n_layers)))
            self._norm = nn.LayerNorm(sizes.enc_dim)

    @torch.inference_mode()
    def encode(self, crops: int = 1) -> float:
        """Seconds of encoding so many crops at once."""
        sizes = self._sizes
        pixels = torch.randn(crops, sizes.in_channels, sizes.crop_size, sizes.crop_size)
        with Timer() as watch:
            patches = functional.unfold(pixels, sizes.enc_patch_size, stride=sizes.enc_patch_size)
            x = self._embed(patches.transpose(1, 2)) + self._places
            self._norm(self._blocks(x))
        return watch.seconds
