"""How a model folder stores its weights and computes with them."""

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
class Layout:
    """What each part of the model is kept in.

    :ivar activations: what the layers compute with; norms and the residual stream are fp32.
    :ivar vision: weights of the encoder and the projection.
    :ivar decoder: weights of the text blocks and of the head over the vocabulary; where these are
        quantised, the heads that point and draw boxes are int8.
    :ivar group: inputs that share one scale in quantised weights.
    :ivar cache: keys and values.
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
    def from_dict(cls, data: Mapping[str, Any]) -> Layout:
        """Read what `to_dict` gave. Raises ConfigError."""
        try:
            return cls(**data)
        except TypeError as error:
            raise ConfigError(f'the layout {data!r} is malformed: {error}') from None

    def to_dict(self) -> dict[str, Any]:
        """As model.json has it."""
        return asdict(self)

    def of(self, linear: str) -> str:
        """What the weights of a linear layer are kept in, by its name in the checkpoint."""
        if linear == 'vision.patch_emb':
            return self.activations  # small, and the first to see the picture
        if linear.startswith('vision.'):
            return self.vision
        if linear.startswith('region.'):
            # What encodes coordinates becomes a table.
            quantised = '_decoder.' in linear and self.decoder not in FLOATS
            return 'int8' if quantised else self.activations
        return self.decoder
