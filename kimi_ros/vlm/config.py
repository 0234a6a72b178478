"""The config of a Moondream 2 checkpoint: sizes, special token ids and prompt templates.

The keys are those of the checkpoint's own config.json. A missing key takes the value of the
published 2B model, except n_kv_heads, which defaults to n_heads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any

from . import efficientnet
from .errors import ConfigError

# Far beyond any model of this architecture, so that a typo does not exhaust the memory.
_MAX_LAYERS, _MAX_SIZE = 1000, 2**20
_OPTIONAL_IDS = (
    'answer_id',
    'thinking_id',
    'coord_id',
    'size_id',
    'start_ground_points_id',
    'end_ground_id',
)


@dataclass(frozen=True)
class TextConfig:
    """The text decoder: a transformer with parallel blocks and rotary embeddings.

    `prefix_attn` is accepted because checkpoints have it, and not used: the length of the image
    prefix is `ModelConfig.prefix_length`.
    """

    dim: int = 2048
    ff_dim: int = 8192
    n_layers: int = 24
    vocab_size: int = 51200
    max_context: int = 2048
    n_heads: int = 32
    n_kv_heads: int = 32
    prefix_attn: int = 730
    group_size: int | None = None

    @property
    def head_dim(self) -> int:
        """Dimensions of one attention head."""
        return self.dim // self.n_heads

    @property
    def rotary_dim(self) -> int:
        """Rotated dimensions of a head, the leading ones: half of it, at most 32."""
        return min(32, self.head_dim // 2)


@dataclass(frozen=True)
class VisionConfig:
    """The image encoder, the projection and the cropping of images.

    :ivar stem: 'efficientnet_lite0' if patches are embedded by its convolutional trunk (a hybrid
        encoder, section 3.1 of arXiv:2010.11929); None if by one linear layer.
    """

    enc_dim: int = 1152
    enc_patch_size: int = 14
    enc_n_layers: int = 27
    enc_ff_dim: int = 4304
    enc_n_heads: int = 16
    proj_out_dim: int = 2048
    crop_size: int = 378
    in_channels: int = 3
    max_crops: int = 12
    overlap_margin: int = 4
    proj_inner_dim: int = 8192
    stem: str | None = None

    @property
    def patch_features(self) -> int:
        """Inputs of the linear layer that embeds a patch: its pixels, or the stem's features."""
        if self.stem:
            return efficientnet.FEATURES
        return self.in_channels * self.enc_patch_size**2

    @property
    def grid(self) -> int:
        """Patches along one side of a crop."""
        return self.crop_size // self.enc_patch_size

    @property
    def patches(self) -> int:
        """Patches in one crop."""
        return self.grid**2


@dataclass(frozen=True)
class RegionConfig:
    """The region model: encoders and decoder heads of coordinates and sizes."""

    dim: int = 2048
    coord_feat_dim: int = 256
    coord_out_dim: int = 1024
    size_feat_dim: int = 512
    size_out_dim: int = 2048
    inner_dim: int = 8192
    group_size: int | None = None
    log_sizes: bool = True
    """Whether size bins are logarithmic; linear in the release of 2025-01-09."""

    @property
    def size_bins(self) -> int:
        """Number of bins of the width; the height has as many."""
        return self.size_out_dim // 2


@dataclass(frozen=True)
class PromptTemplate:
    """Token ids before and after the user's text."""

    prefix: tuple[int, ...]
    suffix: tuple[int, ...]


@dataclass(frozen=True)
class Templates:
    """Prompt templates by task; None if the model does not support the task."""

    caption: Mapping[str, tuple[int, ...]] | None
    query: PromptTemplate | None
    detect: PromptTemplate | None
    point: PromptTemplate | None


_PUBLISHED_TEMPLATES = {
    'caption': {
        'short': [1, 32708, 2, 12492, 3],
        'normal': [1, 32708, 2, 6382, 3],
        'long': [1, 32708, 2, 4059, 3],
    },
    'query': {'prefix': [1, 15381, 2], 'suffix': [3]},
    'detect': {'prefix': [1, 7235, 476, 2], 'suffix': [3]},
    'point': {'prefix': [1, 2581, 2], 'suffix': [3]},
}


@dataclass(frozen=True)
class TokenizerConfig:
    """Special token ids and the prompt format; the defaults are those of the release of 2025-06-21.

    An id is None if the release does not have it: without answer_id and thinking_id there is no
    reasoning, without coord_id there are no spatial references.

    :ivar space_before_question: whether a question is encoded with a leading space.
    :ivar space_before_object: the same for the object of point and detect.
    :ivar repeat_query_suffix: whether the suffix of a query is written twice.
    """

    templates: Templates
    bos_id: int = 0
    eos_id: int = 0
    answer_id: int | None = 3
    thinking_id: int | None = 4
    coord_id: int | None = 5
    size_id: int | None = 6
    start_ground_points_id: int | None = 7
    end_ground_id: int | None = 9
    space_before_question: bool = False
    space_before_object: bool = True
    repeat_query_suffix: bool = True


@dataclass(frozen=True)
class ModelConfig:
    """The complete config of a checkpoint."""

    text: TextConfig = field(default_factory=TextConfig)
    vision: VisionConfig = field(default_factory=VisionConfig)
    region: RegionConfig = field(default_factory=RegionConfig)
    tokenizer: TokenizerConfig = field(
        default_factory=lambda: TokenizerConfig(_templates(_PUBLISHED_TEMPLATES))
    )

    @property
    def prefix_length(self) -> int:
        """Context positions of an image: BOS and one for each patch of a crop."""
        return 1 + self.vision.patches

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ModelConfig:
        """Build a config from the mapping in a checkpoint's config.json.

        Raises ConfigError, naming the key, for an unknown key, a wrong type or inconsistent sizes.
        Sections other than text, vision, region and tokenizer are ignored.
        """
        if not isinstance(data, Mapping):
            raise ConfigError(f'the config must be a JSON object, not {type(data).__name__}')
        text = _section(data, 'text')
        if 'n_kv_heads' not in text and 'n_heads' in text:
            text['n_kv_heads'] = text['n_heads']
        tokenizer = _section(data, 'tokenizer')
        tokenizer['templates'] = _templates(tokenizer.get('templates', _PUBLISHED_TEMPLATES))
        config = cls(
            text=_build(TextConfig, 'text', text),
            vision=_build(VisionConfig, 'vision', _section(data, 'vision')),
            region=_build(RegionConfig, 'region', _section(data, 'region')),
            tokenizer=_build(TokenizerConfig, 'tokenizer', tokenizer),
        )
        _check(config)
        return config


def _section(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    section = data.get(name, {})
    if not isinstance(section, Mapping):
        raise ConfigError(f'{name} must be a JSON object, not {type(section).__name__}')
    return dict(section)


def _build(kind: type, section: str, values: dict[str, Any]) -> Any:
    known = {item.name: item for item in fields(kind)}
    for key, value in values.items():
        if key not in known:
            raise ConfigError(f'{section}.{key} is not a known key (known: {", ".join(known)})')
        if key == 'templates':
            continue
        if value is None and (known[key].default is None or key in _OPTIONAL_IDS):
            continue
        if key == 'stem':
            if value != efficientnet.NAME:
                raise ConfigError(
                    f'{section}.stem must be null or {efficientnet.NAME!r}, not {value!r}'
                )
            continue
        if isinstance(known[key].default, bool):
            if not isinstance(value, bool):
                raise ConfigError(f'{section}.{key} must be true or false, not {value!r}')
            continue
        # bool is an int to Python, but never a size.
        if not isinstance(value, int) or isinstance(value, bool):
            raise ConfigError(f'{section}.{key} must be an integer, not {value!r}')
        smallest = 0 if key.endswith('_id') or key in ('overlap_margin', 'prefix_attn') else 1
        if value < smallest:
            raise ConfigError(f'{section}.{key} must be at least {smallest}, not {value}')
        largest = _MAX_LAYERS if key.endswith('n_layers') else _MAX_SIZE
        if value > largest:
            raise ConfigError(f'{section}.{key} must be at most {largest}, not {value}')
    missing = [n for n, f in known.items() if f.default is MISSING and n not in values]
    if missing:
        raise ConfigError(f'{section}.{missing[0]} is missing')
    return kind(**values)


def _ids(value: Any, name: str) -> tuple[int, ...]:
    if not isinstance(value, (list, tuple)) or not all(type(item) is int for item in value):
        raise ConfigError(f'{name} must be a list of token ids, not {value!r}')
    return tuple(value)


def _template(templates: Mapping[str, Any], task: str) -> PromptTemplate | None:
    value = templates.get(task)
    if value is None:
        return None
    where = f'tokenizer.templates.{task}'
    if not isinstance(value, Mapping) or not {'prefix', 'suffix'} <= set(value):
        raise ConfigError(f'{where} must be null or an object with prefix and suffix')
    return PromptTemplate(
        _ids(value['prefix'], f'{where}.prefix'), _ids(value['suffix'], f'{where}.suffix')
    )


def _templates(value: Any) -> Templates:
    if not isinstance(value, Mapping):
        raise ConfigError(f'tokenizer.templates must be a JSON object, not {value!r}')
    caption = value.get('caption')
    if caption is not None:
        if not isinstance(caption, Mapping):
            raise ConfigError('tokenizer.templates.caption must be null or an object of lengths')
        caption = {k: _ids(v, f'tokenizer.templates.caption.{k}') for k, v in caption.items()}
    return Templates(
        caption=caption,
        query=_template(value, 'query'),
        detect=_template(value, 'detect'),
        point=_template(value, 'point'),
    )


def _check(config: ModelConfig) -> None:
    text, vision, region = config.text, config.vision, config.region
    window = vision.grid - 2 * vision.overlap_margin
    rules = (
        (
            text.dim % text.n_heads == 0,
            f'text.dim {text.dim} is not a multiple of text.n_heads {text.n_heads}',
        ),
        (
            text.head_dim % 4 == 0,
            f'text heads have {text.head_dim} dimensions; rotary embeddings of '
            'half a head need a multiple of 4',
        ),
        (
            text.n_heads % text.n_kv_heads == 0,
            f'text.n_heads {text.n_heads} is not a multiple of text.n_kv_heads {text.n_kv_heads}',
        ),
        (
            vision.enc_dim % vision.enc_n_heads == 0,
            f'vision.enc_dim {vision.enc_dim} is not a '
            f'multiple of vision.enc_n_heads {vision.enc_n_heads}',
        ),
        (
            vision.crop_size % vision.enc_patch_size == 0,
            f'vision.crop_size {vision.crop_size} is '
            f'not a multiple of vision.enc_patch_size {vision.enc_patch_size}',
        ),
        (
            not vision.stem
            or vision.enc_patch_size == efficientnet.PATCH_SIZE
            and vision.crop_size % efficientnet.DEEPEST == 0,
            f'vision.stem {vision.stem} needs patches of {efficientnet.PATCH_SIZE} pixels and '
            f'crops of a multiple of {efficientnet.DEEPEST}, not {vision.enc_patch_size} and '
            f'{vision.crop_size}',
        ),
        (vision.in_channels == 3, f'vision.in_channels must be 3, not {vision.in_channels}'),
        (
            window > 0,
            f'vision.overlap_margin {vision.overlap_margin} leaves no patches of a crop of '
            f'{vision.grid} patches',
        ),
        (
            vision.proj_out_dim == text.dim,
            f'vision.proj_out_dim {vision.proj_out_dim} differs from text.dim {text.dim}',
        ),
        (region.dim == text.dim, f'region.dim {region.dim} differs from text.dim {text.dim}'),
        (region.coord_feat_dim % 2 == 0, 'region.coord_feat_dim must be even'),
        (region.size_feat_dim % 2 == 0, 'region.size_feat_dim must be even'),
        (region.size_out_dim % 2 == 0, 'region.size_out_dim must be even'),
        (
            region.coord_out_dim > 1 and region.size_out_dim > 2,
            'region heads need at least two bins',
        ),
        (
            config.prefix_length < text.max_context,
            f'an image takes {config.prefix_length} '
            f'positions, text.max_context is {text.max_context}',
        ),
    )
    for holds, message in rules:
        if not holds:
            raise ConfigError(message)
    _check_ids(config)


def _check_ids(config: ModelConfig) -> None:
    tokenizer, vocabulary = config.tokenizer, config.text.vocab_size
    used: dict[str, tuple[int, ...]] = {
        item.name: (getattr(tokenizer, item.name),)
        for item in fields(tokenizer)
        if item.name.endswith('_id') and getattr(tokenizer, item.name) is not None
    }
    templates = tokenizer.templates
    for length, ids in (templates.caption or {}).items():
        used[f'templates.caption.{length}'] = ids
    for task in ('query', 'detect', 'point'):
        template = getattr(templates, task)
        if template is not None:
            used[f'templates.{task}'] = template.prefix + template.suffix
    for name, ids in used.items():
        for token in ids:
            if not 0 <= token < vocabulary:
                raise ConfigError(
                    f'tokenizer.{name} uses id {token}, the vocabulary has {vocabulary}'
                )
