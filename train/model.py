"""The Moondream 2 architecture in PyTorch, under the checkpoint's own tensor names.

The forward pass is written for training: an image's prefix runs once beside the rows of questions
that see it, and a block can return its attention, so that it can be supervised. If
`Moondream.gradient_checkpointing` is set, blocks recompute their activations in the backward pass.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from kimi_ros.vlm.config import ModelConfig, TextConfig, VisionConfig
from kimi_train.stem import EfficientNetStem, patches


class Attention(nn.Module):
    """The projections of an attention layer: packed queries, keys and values, and the output."""

    def __init__(self, dim: int, qkv_dim: int):
        super().__init__()
        self.qkv = nn.Linear(dim, qkv_dim)
        self.proj = nn.Linear(dim, dim)


class Mlp(nn.Module):
    """Two linear layers with the tanh form of GELU between them."""

    def __init__(self, dim: int, inner: int, out: int):
        super().__init__()
        self.fc1 = nn.Linear(dim, inner)
        self.fc2 = nn.Linear(inner, out)

    def forward(self, x: Tensor) -> Tensor:
        """Return (..., out) for (..., dim)."""
        return self.fc2(F.gelu(self.fc1(x), approximate='tanh'))


def attention(q: Tensor, k: Tensor, v: Tensor, mask: Tensor | None = None) -> Tensor:
    """Return the attention's mix of values, (..., heads, positions, head_dim).

    On a CPU in bfloat16, over short sequences, plain matrix products train 1.5 times as fast as the
    fused kernel. In float32 the fused kernel is twice as fast.
    """
    plain = q.device.type == 'cpu' and torch.is_autocast_enabled('cpu') and k.shape[-2] <= _SHORT
    if not plain:
        return F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
    scores = (q * q.shape[-1] ** -0.5) @ k.transpose(-1, -2)
    if mask is not None:
        # Added, so that the backward pass has nothing to do for the mask.
        scores += torch.where(mask, 0.0, torch.finfo(scores.dtype).min).to(scores.dtype)
    return scores.softmax(-1).to(v.dtype) @ v


_SHORT = 1024


class VisionBlock(nn.Module):
    """Pre-norm transformer block of the encoder; every patch sees every patch."""

    def __init__(self, config: VisionConfig):
        super().__init__()
        self.heads = config.enc_n_heads
        self.ln1 = nn.LayerNorm(config.enc_dim)
        self.attn = Attention(config.enc_dim, 3 * config.enc_dim)
        self.ln2 = nn.LayerNorm(config.enc_dim)
        self.mlp = Mlp(config.enc_dim, config.enc_ff_dim, config.enc_dim)

    def forward(self, x: Tensor) -> Tensor:
        """Return (n, patches, dim) for the same."""
        batch, patches, dim = x.shape
        qkv = self.attn.qkv(self.ln1(x)).view(batch, patches, 3, self.heads, dim // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)
        mixed = attention(q, k, v).transpose(1, 2).reshape(x.shape)
        x = x + self.attn.proj(mixed)
        return x + self.mlp(self.ln2(x))


class VisionModel(nn.Module):
    """Crops to patch features, and features to embeddings for the decoder."""

    def __init__(self, config: VisionConfig):
        super().__init__()
        self.config = config
        grid = config.crop_size // config.enc_patch_size
        self.stem = EfficientNetStem() if config.stem else None
        self.patch_emb = nn.Linear(config.patch_features, config.enc_dim)
        self.pos_emb = nn.Parameter(0.02 * torch.randn(1, grid * grid, config.enc_dim))
        self.blocks = nn.ModuleList(VisionBlock(config) for _ in range(config.enc_n_layers))
        self.gradient_checkpointing = False
        self.post_ln = nn.LayerNorm(config.enc_dim)
        self.proj_mlp = Mlp(2 * config.enc_dim, config.proj_inner_dim, config.proj_out_dim)

    def encode(self, crops: Tensor) -> Tensor:
        """Return (n, patches, enc_dim) features of normalised crops (n, 3, S, S)."""
        read = self.stem(crops) if self.stem else patches(crops, self.config.grid)
        x = self.patch_emb(read) + self.pos_emb
        for block in self.blocks:
            x = _run(block, self.gradient_checkpointing, x)
        return self.post_ln(x)

    def local(self, crops: Tensor, tiling: tuple[int, int]) -> Tensor:
        """Return (patches, enc_dim): features of local crops, stitched and averaged to one crop's.

        :param crops: (rows * columns, patches, enc_dim), row by row.
        """
        rows, columns = tiling
        grid, margin = self.config.grid, self.config.overlap_margin
        tiles = crops.view(rows, columns, grid, grid, -1)
        # Of every tile its middle is kept, and its margin where it lies on the image's edge.
        strips = []
        for r in range(rows):
            top, bottom = 0 if r == 0 else margin, grid if r == rows - 1 else grid - margin
            parts = []
            for c in range(columns):
                left, right = 0 if c == 0 else margin, grid if c == columns - 1 else grid - margin
                parts.append(tiles[r, c, top:bottom, left:right])
            strips.append(torch.cat(parts, 1))
        joined = torch.cat(strips, 0).permute(2, 0, 1)[None]
        return F.adaptive_avg_pool2d(joined, grid)[0].permute(1, 2, 0).flatten(0, 1)

    def project(self, global_features: Tensor, local_features: Tensor) -> Tensor:
        """Return (n, patches, dim) embeddings of two (n, patches, enc_dim) views of the image."""
        return self.proj_mlp(torch.cat([global_features, local_features], dim=-1))


def rotary_table(rotary_dim: int, positions: int) -> tuple[Tensor, Tensor]:
    """Return cosine and sine, each (positions, rotary_dim / 2), base 10,000."""
    inverse = 1.0 / (10000.0 ** (torch.arange(0, rotary_dim, 2).float() / rotary_dim))
    angles = torch.arange(positions).float()[:, None] * inverse[None]
    return angles.cos(), angles.sin()


def apply_rotary(x: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
    """Rotate the first dimensions of each head in halves; x is (..., positions, head_dim)."""
    half = cos.shape[-1]
    a, b, rest = x[..., :half], x[..., half : 2 * half], x[..., 2 * half :]
    turned = a * cos - b * sin, a * sin + b * cos
    # Back from the angles' precision: what is made of keys is large.
    return torch.cat([*(part.to(x.dtype) for part in turned), rest], dim=-1)


@dataclass(frozen=True)
class RotaryEmbedding:
    """Cosines and sines of the rotation, of the prefix and, broadcast over heads, of the rows."""

    prefix: tuple[Tensor, Tensor]
    rows: tuple[Tensor, Tensor]


class TextBlock(nn.Module):
    """Parallel block: one layer norm feeds attention and MLP."""

    def __init__(self, config: TextConfig):
        super().__init__()
        self.heads, self.kv_heads = config.n_heads, config.n_kv_heads
        self.head_dim = config.dim // config.n_heads
        self.ln = nn.LayerNorm(config.dim)
        self.attn = Attention(config.dim, config.dim + 2 * config.n_kv_heads * self.head_dim)
        self.mlp = Mlp(config.dim, config.ff_dim, config.dim)

    def qkv(self, x: Tensor, cos: Tensor, sin: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return rotated queries and keys, and values: (..., heads, positions, head_dim)."""
        d = self.head_dim
        q, k, v = self.attn.qkv(x).split(
            [self.heads * d, self.kv_heads * d, self.kv_heads * d], dim=-1
        )
        q = apply_rotary(q.unflatten(-1, (self.heads, d)).transpose(-2, -3), cos, sin)
        k = apply_rotary(k.unflatten(-1, (self.kv_heads, d)).transpose(-2, -3), cos, sin)
        v = v.unflatten(-1, (self.kv_heads, d)).transpose(-2, -3)
        groups = self.heads // self.kv_heads
        if groups > 1:
            k, v = k.repeat_interleave(groups, -3), v.repeat_interleave(groups, -3)
        return q, k, v

    def mix(self, x: Tensor, normed: Tensor, attended: Tensor) -> Tensor:
        """Return the block's result (n, length, dim) of what its heads attended to."""
        return x + self.attn.proj(attended.transpose(1, 2).flatten(2)) + self.mlp(normed)

    def forward(
        self, prefix: Tensor, x: Tensor, image: Tensor, rotary: RotaryEmbedding, mask: Tensor
    ) -> tuple[Tensor, ...]:
        """Return prefixes and questions after this block, and the questions' queries and keys.

        :param prefix: (images, prefix, dim), of which every place sees every place.
        :param x: (rows, length, dim).
        :param image: (rows,) whose prefix a row's questions see.
        :param mask: (rows, 1, length, prefix + length), the attention mask.
        :return: besides prefix and x queries (rows, heads, length, head_dim) and keys (rows, heads,
            prefix + length, head_dim).
        """
        normed, normed_x = self.ln(prefix), self.ln(x)
        own = self.qkv(normed, *rotary.prefix)
        q, k, v = self.qkv(normed_x, *rotary.rows)
        k = torch.cat([own[1].index_select(0, image), k], -2)
        v = torch.cat([own[2].index_select(0, image), v], -2)
        x = self.mix(x, normed_x, attention(q, k, v, mask))
        return self.mix(prefix, normed, attention(*own)), x, q, k


def _run(block: nn.Module, gradient_checkpointing: bool, *inputs):
    if gradient_checkpointing and torch.is_grad_enabled():
        return checkpoint(block, *inputs, use_reentrant=False)
    return block(*inputs)


@dataclass(frozen=True)
class AttentionProbe:
    """Which attention is returned.

    :ivar at: (n, 4): block, row, head and place, sorted by block.
    """

    at: Tensor

    @property
    def blocks(self) -> set[int]:
        """Return the blocks that are probed."""
        return set(self.at[:, 0].tolist())

    def log_probabilities(self, block: int, q: Tensor, k: Tensor, mask: Tensor) -> Tensor:
        """Return the log-probabilities (n, prefix + length) at the probed positions of a block."""
        row, head, place = self.at[self.at[:, 0] == block, 1:].unbind(-1)
        # All positions of the few heads at once: gathering keys for each query takes far longer.
        few = int(head.max()) + 1
        scores = (q[:, :few] @ k[:, :few].mT)[row, head, place].float() / math.sqrt(k.shape[-1])
        return scores.masked_fill(~mask[row, 0, place], -torch.inf).log_softmax(-1)


class TextModel(nn.Module):
    """The decoder."""

    def __init__(self, config: TextConfig):
        super().__init__()
        self.config = config
        self.wte = nn.Parameter(0.02 * torch.randn(config.vocab_size, config.dim))
        self.blocks = nn.ModuleList(TextBlock(config) for _ in range(config.n_layers))
        self.post_ln = nn.LayerNorm(config.dim)
        self.gradient_checkpointing = False
        self.lm_head = nn.Linear(config.dim, config.vocab_size)
        # Also where the weights are made without memory, to be filled from a checkpoint.
        with torch.device('cpu'):
            cos, sin = rotary_table(config.rotary_dim, config.max_context)
        self.register_buffer('cos', cos, persistent=False)
        self.register_buffer('sin', sin, persistent=False)

    def forward(
        self,
        prefix: Tensor,
        x: Tensor,
        image: Tensor,
        positions: Tensor,
        mask: Tensor,
        probe: AttentionProbe | None = None,
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        """Run image prefixes, once each, and rows of questions that see them.

        :param prefix: (images, prefix, dim) embeddings of BOS and the image.
        :param x: (rows, length, dim) embeddings of questions, one after the other.
        :param image: (rows,) the image that a row is about.
        :param positions: (rows, length) where each stands in its own question's context.
        :param mask: (rows, 1, length, prefix + length), the attention mask.
        :return: hidden states (rows, length, dim); the same as they enter the first block that is
            looked at; and the log-probabilities (n, prefix + length) that `probe` asks for.
        """
        places = prefix.shape[1]
        rotary = RotaryEmbedding(
            (self.cos[:places], self.sin[:places]),
            (self.cos[positions][:, None], self.sin[positions][:, None]),
        )
        blocks = probe.blocks if probe else ()
        log_probabilities: list[Tensor] = []
        entering = None
        for index, block in enumerate(self.blocks):
            if index in blocks:
                entering = x if entering is None else entering
                prefix, x, q, k = block(prefix, x, image, rotary, mask)
                log_probabilities.append(probe.log_probabilities(index, q, k, mask))
            else:
                prefix, x, *_ = _run(
                    block, self.gradient_checkpointing, prefix, x, image, rotary, mask
                )
        return x, entering, torch.cat(log_probabilities) if log_probabilities else None

    def logits(self, hidden: Tensor) -> Tensor:
        """Return the vocabulary's logits of hidden states (..., dim)."""
        return self.lm_head(self.post_ln(hidden))


def fourier(x: Tensor, frequencies: Tensor) -> Tensor:
    """Return [cos, sin] of 2 pi x @ frequencies; x (..., k), frequencies (k, features)."""
    # Not as a matrix product: half precision would round the angles.
    angles = 2 * math.pi * (x[..., None] * frequencies).sum(-2)
    return torch.cat([angles.cos(), angles.sin()], dim=-1)


class RegionModel(nn.Module):
    """Coordinates and sizes in and out of the decoder's space."""

    def __init__(self, config):
        super().__init__()
        c = config
        self.coord_encoder = nn.Linear(c.coord_feat_dim, c.dim)
        self.coord_decoder = Mlp(c.dim, c.inner_dim, c.coord_out_dim)
        self.size_encoder = nn.Linear(c.size_feat_dim, c.dim)
        self.size_decoder = Mlp(c.dim, c.inner_dim, c.size_out_dim)
        self.coord_features = nn.Parameter(torch.randn(1, c.coord_feat_dim // 2))
        self.size_features = nn.Parameter(torch.randn(2, c.size_feat_dim // 2))

    def encode_coordinate(self, value: Tensor) -> Tensor:
        """Return (..., dim) embeddings of coordinates (...) in 0-1."""
        return self.coord_encoder(fourier(value[..., None], self.coord_features))

    def encode_size(self, size: Tensor) -> Tensor:
        """Return (..., dim) embeddings of widths and heights (..., 2) in 0-1."""
        return self.size_encoder(fourier(size, self.size_features))


class Moondream(nn.Module):
    """The whole model; `state_dict()` has the checkpoint's names after 'model.'."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.config = config
        self.vision = VisionModel(config.vision)
        self.text = TextModel(config.text)
        self.region = RegionModel(config.region)

    @property
    def gradient_checkpointing(self) -> bool:
        """Whether activations are computed again instead of kept."""
        return self.text.gradient_checkpointing

    @gradient_checkpointing.setter
    def gradient_checkpointing(self, on: bool) -> None:
        self.text.gradient_checkpointing = self.vision.gradient_checkpointing = on

    def prefix(self, features: Tensor) -> Tensor:
        """Return (images, 1 + patches, dim): BOS and the image, for one-crop images' features."""
        return self.prepend_bos(self.vision.project(features, features))

    def prepend_bos(self, images: Tensor) -> Tensor:
        """Return (images, 1 + patches, dim): BOS before embeddings (images, patches, dim)."""
        return torch.cat([self.bos(len(images)).to(images.dtype), images], dim=1)

    def bos(self, times: int) -> Tensor:
        """Return (times, 1, dim): the prefix of questions without an image."""
        return self.text.wte[self.config.tokenizer.bos_id].expand(times, 1, -1)

    def images(self, crops: Tensor, tilings: list[tuple[int, int]]) -> Tensor:
        """Return the embeddings of images of any size, (images, patches, dim).

        :param crops: (n, 3, S, S) normalised crops, one image's after the other: the whole image
            and, unless its tiling is (1, 1), its local crops row by row.
        """
        counts = [1 if tiling == (1, 1) else 1 + tiling[0] * tiling[1] for tiling in tilings]
        parts = self.vision.encode(crops).split(counts)
        local = [
            part[0] if tiling == (1, 1) else self.vision.local(part[1:], tiling)
            for part, tiling in zip(parts, tilings, strict=True)
        ]
        return self.vision.project(torch.stack([part[0] for part in parts]), torch.stack(local))
