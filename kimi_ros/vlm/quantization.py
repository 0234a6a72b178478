"""Precision of each part of an exported model: weights, activations and KV cache."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from .errors import ConfigError

FLOATS = ('fp32', 'fp16')
_KINDS = {
    'activations': FLOATS,
    'vision': (*FLOATS, 'int8'),
    'decoder': (*FLOATS, 'int8', 'int4'),
    'cache': (*FLOATS, 'int8'),
}
GROUPS = (32, 128)


@dataclass(frozen=True)
class QuantizationConfig:
    """The precision of each part of the model; `layout` in model.json.

    :ivar activations: of the layers; norms and the residual stream are always fp32.
    :ivar vision: weights of the image encoder and the projection.
    :ivar decoder: weights of the text blocks and the vocabulary head; if these are quantized, the
        region heads (point, detect) are int8.
    :ivar group: group size of quantized weights: inputs that share one scale.
    :ivar cache: of the KV cache.
    """

    activations: str = 'fp32'
    vision: str = 'fp32'
    decoder: str = 'fp32'
    group: int = 128
    cache: str = 'fp32'

    def __post_init__(self) -> None:
        for name, kinds in _KINDS.items():
            value = getattr(self, name)
            if value not in kinds:
                raise ConfigError(f'{name} must be one of {", ".join(kinds)}, not {value!r}')
            if value in FLOATS and value != self.activations:
                raise ConfigError(f'{name} {value} does not go with activations {self.activations}')
        if self.group not in GROUPS:
            raise ConfigError(f'group must be {GROUPS[0]} or {GROUPS[1]}, not {self.group!r}')

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> QuantizationConfig:
        """The inverse of `to_dict`. Raises ConfigError."""
        try:
            return cls(**data)
        except TypeError as error:
            raise ConfigError(f'the layout {data!r} is malformed: {error}') from None

    def to_dict(self) -> dict[str, Any]:
        """The entry `layout` of model.json."""
        return asdict(self)

    def of(self, linear: str) -> str:
        """The precision of a linear layer's weight, by the layer's name in the checkpoint."""
        if linear.startswith(('vision.patch_emb', 'vision.stem.')):
            return self.activations  # the first layers, and small
        if linear.startswith('vision.'):
            return self.vision
        if linear.startswith('region.'):
            # The coordinate encoder becomes an embedding table, which is not quantized.
            quantized = '_decoder.' in linear and self.decoder not in FLOATS
            return 'int8' if quantized else self.activations
        return self.decoder
