"""From samples to lessons: the very ids that kimi_ros.vlm feeds, with what is learnt at each."""

from __future__ import annotations

import math
from collections.abc import Sequence

from kimi_ros.vlm.config import ModelConfig
from kimi_ros.vlm.errors import InputError
from kimi_ros.vlm.prompt import Prompt, object_prompt, query_prompt
from kimi_ros.vlm.region import coordinate_of_bin, size_of_bin
from kimi_ros.vlm.tokenizer import TextTokenizer
from kimi_train.lessons import Lesson
from kimi_train.tune.samples import DataError, Pointed, Sample


class LessonWriter:
    """Writes lessons in a checkpoint's templates and tokenizer."""

    def __init__(self, config: ModelConfig, tokenizer: TextTokenizer, has_regions: bool):
        self._config, self._tokens = config, config.tokenizer
        self._tokenizer = tokenizer
        self._has_regions = has_regions

    def write_all(self, samples: Sequence[Sample]) -> list[Lesson]:
        """Return a lesson for each sample.

        Raises DataError with all lines that the checkpoint cannot be taught: a task without a
        template, places without region heads, more than fits the context.
        """
        lessons, faults = [], []
        for sample in samples:
            try:
                lesson = self.write(sample)
                self._check_room(sample, lesson)
                lessons.append(lesson)
            except (ValueError, InputError) as error:
                faults.append(f'{sample.where}: {error}')
        if faults:
            raise DataError(faults)
        return lessons

    def write(self, sample: Sample) -> Lesson:
        """Return a sample's lesson. Raises ValueError or InputError."""
        templates = self._tokens.templates
        if getattr(templates, 'query' if sample.task == 'plan' else sample.task) is None:
            raise ValueError(f'the checkpoint has no template for {sample.task}')
        if sample.task in ('point', 'detect'):
            return self._locate(sample)
        if sample.task == 'caption':
            if sample.words not in templates.caption:
                raise ValueError(f'the checkpoint has no captions of length {sample.words}')
            lesson = Lesson(list(templates.caption[sample.words]))
            lesson.say(self._tokenizer.encode(sample.answer), self._tokens.eos_id)
            return lesson
        return self._query(sample)

    def _query(self, sample: Sample) -> Lesson:
        lesson = Lesson([])
        for asked, answered in sample.history:
            self._ask(lesson, self._prompt(asked))
            lesson.say(self._tokenizer.encode(answered), self._tokens.eos_id)
            lesson.ids.append(self._tokens.eos_id)
        reasoning = bool(sample.reasoning)
        self._ask(lesson, self._prompt(sample.words, sample.spatial_refs, reasoning))
        if reasoning:
            for piece in sample.reasoning:
                self._think(lesson, piece)
            # The wish to answer ends the reasoning; what is fed then is the template's suffix.
            lesson.next_ids[lesson.last] = self._tokens.answer_id
            lesson.ids += self._tokens.templates.query.suffix
        lesson.say(self._tokenizer.encode(sample.answer), self._tokens.eos_id)
        return lesson

    def _prompt(self, words: str, refs=(), reasoning: bool = False) -> Prompt:
        # BOS, which begins a question without an image, belongs to the prefix.
        return query_prompt(
            self._config, self._tokenizer, words, spatial_refs=refs, reasoning=reasoning
        )

    def _ask(self, lesson: Lesson, prompt: Prompt) -> None:
        if prompt.coordinates:
            self._need_regions()
        start = len(lesson.ids)
        lesson.ids += prompt.ids
        places = zip(prompt.coordinate_at, prompt.coordinates, strict=True)
        lesson.coords |= {start + at: value for at, value in places}
        lesson.sizes |= {
            start + at: size for at, size in zip(prompt.size_at, prompt.sizes, strict=True)
        }

    def _think(self, lesson: Lesson, piece: str | Pointed) -> None:
        if isinstance(piece, str):
            self._append(lesson, self._tokenizer.encode(piece))
            return
        self._need_regions()
        self._append(lesson, [self._tokens.start_ground_points_id])
        self._append(lesson, self._tokenizer.encode(piece.text))
        for point in piece.points:
            for value in point:
                lesson.next_ids[lesson.last] = self._tokens.coord_id
                lesson.write_coordinate(self._decoded(value), self._tokens.coord_id)
        self._append(lesson, [self._tokens.end_ground_id])

    def _append(self, lesson: Lesson, ids: Sequence[int]) -> None:
        for token in ids:
            lesson.next_ids[lesson.last] = token
            lesson.ids.append(token)

    def _locate(self, sample: Sample) -> Lesson:
        self._need_regions()
        template = getattr(self._tokens.templates, sample.task)
        lesson = Lesson(list(object_prompt(template, self._tokenizer, sample.words).ids))
        for place in sample.places:
            # Whether there is another one is learnt as a token; the place itself is read by the
            # region heads, from the states that follow.
            lesson.next_ids[lesson.last] = self._tokens.coord_id
            x, y = place[:2]
            if len(place) == 4:
                x, y = (place[0] + place[2]) / 2, (place[1] + place[3]) / 2
            for value in (x, y):
                lesson.write_coordinate(self._decoded(value), self._tokens.coord_id)
            if len(place) == 4:
                width, height = place[2] - place[0], place[3] - place[1]
                size = self._decoded_size(width), self._decoded_size(height)
                lesson.write_size(size, self._tokens.size_id)
        lesson.next_ids[lesson.last] = self._tokens.eos_id
        return lesson

    def _decoded(self, value: float) -> float:
        """The nearest coordinate that can be decoded, which is what is fed in use."""
        bins = self._config.region.coord_out_dim
        return coordinate_of_bin(min(round(value * bins), bins - 1), bins)

    def _decoded_size(self, value: float) -> float:
        bins = self._config.region.size_bins
        index = round((math.log2(max(value, 2**-10)) + 10) / 10 * (bins - 1))
        return size_of_bin(index, bins)

    def _need_regions(self) -> None:
        if not self._has_regions:
            raise ValueError(
                'the checkpoint has no region heads: no points, boxes or spatial references'
            )

    def _check_room(self, sample: Sample, lesson: Lesson) -> None:
        prefix = self._config.prefix_length if sample.image else 1
        over = prefix + len(lesson.ids) - self._config.text.max_context
        if over > 0:
            raise ValueError(
                f'is {over} tokens longer than the context of {self._config.text.max_context}'
            )
