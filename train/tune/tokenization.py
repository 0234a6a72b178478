"""Samples become examples: the token ids that kimi_ros.vlm feeds, with the target of each."""

from __future__ import annotations

import math
from collections.abc import Sequence

from kimi_ros.vlm.config import ModelConfig
from kimi_ros.vlm.coordinates import bin_to_coordinate, bin_to_size
from kimi_ros.vlm.errors import InputError
from kimi_ros.vlm.prompt import Prompt, object_prompt, query_prompt
from kimi_ros.vlm.tokenizer import TextTokenizer
from kimi_train.examples import Example
from kimi_train.tune.samples import DataError, Pointed, Sample


class ExampleBuilder:
    """Builds examples with a checkpoint's templates and tokenizer."""

    def __init__(self, config: ModelConfig, tokenizer: TextTokenizer, has_regions: bool):
        self._config, self._tokens = config, config.tokenizer
        self._tokenizer = tokenizer
        self._has_regions = has_regions

    def write_all(self, samples: Sequence[Sample]) -> list[Example]:
        """Return an example for each sample.

        Raises DataError with all lines that the checkpoint cannot be taught: a task without a
        template, places without region heads, more than fits the context.
        """
        examples, faults = [], []
        for sample in samples:
            try:
                example = self.write(sample)
                self._check_room(sample, example)
                examples.append(example)
            except (ValueError, InputError) as error:
                faults.append(f'{sample.where}: {error}')
        if faults:
            raise DataError(faults)
        return examples

    def write(self, sample: Sample) -> Example:
        """Return a sample's example. Raises ValueError or InputError."""
        templates = self._tokens.templates
        if getattr(templates, 'query' if sample.task == 'plan' else sample.task) is None:
            raise ValueError(f'the checkpoint has no template for {sample.task}')
        if sample.task in ('point', 'detect'):
            return self._locate(sample)
        if sample.task == 'caption':
            if sample.words not in templates.caption:
                raise ValueError(f'the checkpoint has no captions of length {sample.words}')
            example = Example(list(templates.caption[sample.words]))
            example.append_answer(self._tokenizer.encode(sample.answer), self._tokens.eos_id)
            return example
        return self._query(sample)

    def _query(self, sample: Sample) -> Example:
        example = Example([])
        for asked, answered in sample.history:
            self._ask(example, self._prompt(asked))
            example.append_answer(self._tokenizer.encode(answered), self._tokens.eos_id)
            example.ids.append(self._tokens.eos_id)
        reasoning = bool(sample.reasoning)
        self._ask(example, self._prompt(sample.words, sample.spatial_refs, reasoning))
        if reasoning:
            for piece in sample.reasoning:
                self._think(example, piece)
            # The wish to answer ends the reasoning; what is fed then is the template's suffix.
            example.target_ids[example.last_position] = self._tokens.answer_id
            example.ids += self._tokens.templates.query.suffix
        example.append_answer(self._tokenizer.encode(sample.answer), self._tokens.eos_id)
        return example

    def _prompt(self, words: str, refs=(), reasoning: bool = False) -> Prompt:
        # BOS, which begins a question without an image, belongs to the prefix.
        return query_prompt(
            self._config, self._tokenizer, words, spatial_refs=refs, reasoning=reasoning
        )

    def _ask(self, example: Example, prompt: Prompt) -> None:
        if prompt.coordinates:
            self._need_regions()
        start = len(example.ids)
        example.ids += prompt.ids
        places = zip(prompt.coordinate_at, prompt.coordinates, strict=True)
        example.coords |= {start + at: value for at, value in places}
        example.sizes |= {
            start + at: size for at, size in zip(prompt.size_at, prompt.sizes, strict=True)
        }

    def _think(self, example: Example, piece: str | Pointed) -> None:
        if isinstance(piece, str):
            self._append(example, self._tokenizer.encode(piece))
            return
        self._need_regions()
        self._append(example, [self._tokens.start_ground_points_id])
        self._append(example, self._tokenizer.encode(piece.text))
        for point in piece.points:
            for value in point:
                example.target_ids[example.last_position] = self._tokens.coord_id
                example.append_coordinate(self._decoded(value), self._tokens.coord_id)
        self._append(example, [self._tokens.end_ground_id])

    def _append(self, example: Example, ids: Sequence[int]) -> None:
        for token in ids:
            example.target_ids[example.last_position] = token
            example.ids.append(token)

    def _locate(self, sample: Sample) -> Example:
        self._need_regions()
        template = getattr(self._tokens.templates, sample.task)
        example = Example(list(object_prompt(template, self._tokenizer, sample.words).ids))
        for place in sample.places:
            # Whether there is another one is learnt as a token; the place itself is read by the
            # region heads, from the states that follow.
            example.target_ids[example.last_position] = self._tokens.coord_id
            x, y = place[:2]
            if len(place) == 4:
                x, y = (place[0] + place[2]) / 2, (place[1] + place[3]) / 2
            for value in (x, y):
                example.append_coordinate(self._decoded(value), self._tokens.coord_id)
            if len(place) == 4:
                width, height = place[2] - place[0], place[3] - place[1]
                size = self._decoded_size(width), self._decoded_size(height)
                example.append_size(size, self._tokens.size_id)
        example.target_ids[example.last_position] = self._tokens.eos_id
        return example

    def _decoded(self, value: float) -> float:
        """Return the nearest coordinate that can be decoded: what is fed at inference."""
        bins = self._config.region.coord_out_dim
        return bin_to_coordinate(min(round(value * bins), bins - 1), bins)

    def _decoded_size(self, value: float) -> float:
        bins = self._config.region.size_bins
        index = round((math.log2(max(value, 2**-10)) + 10) / 10 * (bins - 1))
        return bin_to_size(index, bins)

    def _need_regions(self) -> None:
        if not self._has_regions:
            raise ValueError(
                'the checkpoint has no region heads: no points, boxes or spatial references'
            )
        if self._tokens.coord_id is None:
            raise ValueError(
                'this release has no token for coordinates: points and boxes can be fine-tuned '
                'from release 2025-06-21 on'
            )

    def _check_room(self, sample: Sample, example: Example) -> None:
        prefix = self._config.prefix_length if sample.image else 1
        over = prefix + len(example.ids) - self._config.text.max_context
        if over > 0:
            raise ValueError(
                f'is {over} tokens longer than the context of {self._config.text.max_context}'
            )
