"""VisionLanguageModel: the public API for query, caption, point and detect."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Callable, Generator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from .cancellation import raise_if_cancelled
from .config import PromptTemplate
from .crops import overlap_crops
from .detection import detect_boxes, detect_points, probability_of_presence
from .engine import Engine, open_engine
from .errors import InputError, ModelFolderError, TaskNotSupported, task_hint
from .folder import ModelFolder, read_folder
from .generation import TokenGenerator
from .grammar import GrammarCompiler
from .image_prefix import ImagePrefix
from .lock import FairLock
from .nano import load_nano
from .prompt import Prompt, SpatialRef, object_prompt, query_prompt
from .reasoning import generate_reasoning
from .results import Answer, Box, EncodedImage, Point, Reasoning
from .sampling import Sampler, SamplingParams
from .stream import Stream, StreamCancel
from .tokenizer import TextTokenizer
from .trace import prompt_of_ids, teacher_forced_logits, trace_arrays
from .validation import check_context_length, check_int
from .vision import encode_crops

DEFAULT_MAX_TOKENS = 768
DEFAULT_TOP_P = 0.3
DEFAULT_MAX_OBJECTS = 50
_Found = TypeVar('_Found', Point, Box)


class VisionLanguageModel:
    """A loaded model.

    Thread-safe: concurrent calls are served one after the other, in the order of arrival; a call
    while a stream is open raises Busy. Every call takes `cancel`, an event that ends it with
    Cancelled within one step (the encoding of one crop, or one run of the decoder).
    """

    def __init__(
        self,
        engine: Engine,
        tokenizer: TextTokenizer,
        *,
        name: str,
        tasks: Sequence[str],
        languages: Sequence[str] = ('en',),
        presence_threshold: float | None = None,
    ) -> None:
        """Assemble a model from its parts; use `load` to load one from a folder.

        presence_threshold: least `presence` of what `point` and `detect` find; None leaves it to
        the most probable token.
        """
        self.config = engine.config
        self.name = name
        self.tasks = tuple(tasks)
        self.languages = tuple(languages)
        self.presence_threshold = presence_threshold
        self.tokenizer = tokenizer
        self._engine = engine
        self._grammars = GrammarCompiler(
            tokenizer, self.config.text.vocab_size, self.config.tokenizer.eos_id
        )
        self._lock = FairLock()
        self._prefix = ImagePrefix(engine)
        self._stream: weakref.ref[Stream] | None = None

    @classmethod
    def load(
        cls, model: str | Path, device: str = 'auto', threads: int | None = None
    ) -> VisionLanguageModel:
        """Load 'nano' or a folder that kimi-export wrote.

        device: 'auto' (a GPU if there is one and the folder was exported for it), 'cpu' or 'cuda'.
        threads: of onnxruntime; None means the folder's setting, or the physical cores, at most 4.
        Raises ModelFolderError, DeviceNotAvailable, InputError.
        """
        if threads is not None:
            threads = check_int(threads, 'threads')

        def open_folder(path: str | Path) -> VisionLanguageModel:
            return cls._open(read_folder(path), device, threads)

        return load_nano(open_folder) if model == 'nano' else open_folder(model)

    @classmethod
    def _open(cls, folder: ModelFolder, device: str, threads: int | None) -> VisionLanguageModel:
        path = folder.file('tokenizer.json')
        tokenizer = TextTokenizer.from_file(path)
        if tokenizer.vocab_size > folder.config.text.vocab_size:
            raise ModelFolderError(
                f'{path} has {tokenizer.vocab_size} ids, the model has '
                f'{folder.config.text.vocab_size}; export the checkpoint with its own tokenizer'
            )
        engine = open_engine(folder, device, threads)
        return cls(
            engine,
            tokenizer,
            name=folder.name,
            tasks=folder.tasks,
            languages=folder.languages,
            presence_threshold=folder.presence_threshold,
        )

    def __enter__(self) -> VisionLanguageModel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close an open stream, wait for the calls before this one, and free the memory."""
        if self._lock.closed:
            return
        stream = None if self._stream is None else self._stream()
        if stream is not None:
            stream.close()
        with self._lock.hold(None, wait_for_stream=True):
            self._lock.closed = True
            self._prefix.forget()
            self._engine.close()

    def require(self, task: str) -> None:
        """Raise TaskNotSupported, with a hint, unless the model supports `task`."""
        if task not in self.tasks:
            raise TaskNotSupported(
                f'the model {self.name!r} does not support {task!r}, only '
                f'{", ".join(self.tasks)}; {task_hint(task)}'
            )

    def encode_image(self, rgb: np.ndarray, cancel: threading.Event | None = None) -> EncodedImage:
        """Encode an image, uint8 (H, W, 3) RGB of any size. Raises ImageError."""
        crops = overlap_crops(rgb, self.config.vision)
        with self._lock.hold(cancel):
            features = encode_crops(self._engine, crops, cancel)
            return self._prefix.assemble(rgb, crops, features)

    def query(
        self,
        image: EncodedImage | None,
        question: str,
        *,
        max_tokens: int = DEFAULT_MAX_TOKENS,
        temperature: float = 0.0,
        top_p: float = DEFAULT_TOP_P,
        seed: int | None = None,
        reasoning: bool = False,
        spatial_refs: Sequence[SpatialRef] = (),
        history: Sequence[tuple[str, str]] = (),
        grammar: dict[str, Any] | str | None = None,
        stream: bool = False,
        cancel: threading.Event | None = None,
    ) -> Answer | Stream:
        """Answer a question about the image, or a text-only question if `image` is None.

        max_tokens limits the answer and, in reasoning mode, also the reasoning. temperature 0 is
        greedy decoding; above 0, top_p and seed apply. spatial_refs: (x, y) or (x_min, y_min,
        x_max, y_max), 0-1. history: earlier (question, answer) pairs. grammar: a JSON schema (dict)
        or a Lark grammar (str) that constrains the answer. stream=True returns a Stream of str
        pieces at once.

        Raises TaskNotSupported, PromptTooLong, InputError, ImageError, GrammarError, Busy,
        Cancelled.
        """
        self.require('query')
        sampling = SamplingParams(max_tokens, temperature, top_p, seed)
        prompt = query_prompt(
            self.config,
            self.tokenizer,
            question,
            with_image=image is not None,
            reasoning=reasoning,
            spatial_refs=spatial_refs,
            history=history,
        )
        if prompt.coordinates and not self._can_point:
            self.require('point')
        return self._answer(image, prompt, sampling, cancel, reasoning, grammar, stream)

    def caption(
        self,
        image: EncodedImage,
        length: str = 'normal',
        *,
        max_tokens: int = DEFAULT_MAX_TOKENS,
        temperature: float = 0.0,
        top_p: float = DEFAULT_TOP_P,
        seed: int | None = None,
        stream: bool = False,
        cancel: threading.Event | None = None,
    ) -> Answer | Stream:
        """Describe the image; length is 'short', 'normal' or 'long'. Otherwise as `query`."""
        self.require('caption')
        sampling = SamplingParams(max_tokens, temperature, top_p, seed)
        lengths = self.config.tokenizer.templates.caption or {}
        if not isinstance(length, str) or length not in lengths:
            raise InputError(f'length must be one of {", ".join(lengths)}, not {length!r}')
        self._prefix.check(image)
        return self._answer(image, Prompt(lengths[length]), sampling, cancel, False, None, stream)

    def point(
        self,
        image: EncodedImage,
        name: str,
        *,
        max_objects: int = DEFAULT_MAX_OBJECTS,
        cancel: threading.Event | None = None,
    ) -> list[Point]:
        """Point at every object of that name; scores as in `coordinates.detection_score`."""
        return self._look_for(detect_points, 'point', image, name, max_objects, cancel)

    def detect(
        self,
        image: EncodedImage,
        name: str,
        *,
        max_objects: int = DEFAULT_MAX_OBJECTS,
        cancel: threading.Event | None = None,
    ) -> list[Box]:
        """Box every object of that name; scores as in `coordinates.detection_score`."""
        return self._look_for(detect_boxes, 'detect', image, name, max_objects, cancel)

    def presence(
        self,
        image: EncodedImage,
        name: str,
        task: str = 'point',
        cancel: threading.Event | None = None,
    ) -> float:
        """Probability that the image shows anything of that name, as 'point' or 'detect' sees it.

        Whether the task finds anything depends on it alone: see `presence_threshold`.
        """
        prompt = self._object_prompt(task, name, 1)
        with self._lock.hold(cancel):
            hidden = self._prefill_object_prompt(image, prompt, cancel)
            return probability_of_presence(self._engine.logits(hidden), self._eos)

    def trace(
        self,
        rgb: np.ndarray,
        prompt_ids: Sequence[int],
        cancel: threading.Event | None = None,
    ) -> dict[str, np.ndarray]:
        """Run an image and a prompt and return intermediate arrays; see `trace.trace_arrays`.

        Raises InputError, ImageError, PromptTooLong, Busy, Cancelled.
        """
        crops = overlap_crops(rgb, self.config.vision)
        prompt = prompt_of_ids(prompt_ids, self.config.text.vocab_size)
        check_context_length(self.config, len(prompt.ids), with_image=True)
        with self._lock.hold(cancel):
            features = encode_crops(self._engine, crops, cancel)
            image = self._prefix.assemble(rgb, crops, features)
            self._prefix.prefill(image, cancel)
            return trace_arrays(self._engine, crops, features, image, prompt)

    def answer_logits(
        self,
        image: EncodedImage | None,
        question: str,
        ids: Sequence[int],
        cancel: threading.Event | None = None,
    ) -> np.ndarray:
        """Teacher-forced logits f32 (n, vocab) before each id of an answer; raises as `query`."""
        self.require('query')
        with_image = image is not None
        prompt = query_prompt(self.config, self.tokenizer, question, with_image=with_image)
        # The last id is never fed back.
        check_context_length(self.config, len(prompt.ids) + len(ids[1:]), with_image)
        with self._lock.hold(cancel):
            self._prefix.prefill(image, cancel)
            return teacher_forced_logits(self._engine, prompt, ids, cancel)

    @property
    def _eos(self) -> int:
        return self.config.tokenizer.eos_id

    @property
    def _query_suffix(self) -> tuple[int, ...]:
        template = self.config.tokenizer.templates.query
        return () if template is None else template.suffix

    @property
    def _can_point(self) -> bool:
        return 'point' in self.tasks or 'detect' in self.tasks

    def _prefill_object_prompt(
        self, image: EncodedImage, prompt: Prompt, cancel: threading.Event | None
    ) -> np.ndarray:
        self._prefix.check(image)
        check_context_length(self.config, len(prompt.ids), with_image=True)
        self._prefix.prefill(image, cancel)
        raise_if_cancelled(cancel)
        return self._engine.step(prompt.embed(self._engine))

    def _look_for(
        self,
        decode: Callable[..., list[_Found]],
        task: str,
        image: EncodedImage,
        name: str,
        max_objects: int,
        cancel: threading.Event | None,
    ) -> list[_Found]:
        prompt, stop = self._object_prompt(task, name, max_objects), self._eos
        least = self.presence_threshold
        with self._lock.hold(cancel):
            hidden = self._prefill_object_prompt(image, prompt, cancel)
            return decode(
                self._engine, hidden, max_objects, stop_id=stop, threshold=least, cancel=cancel
            )

    def _object_prompt(self, task: str, name: str, max_objects: int) -> Prompt:
        self.require(task)
        check_int(max_objects, 'max_objects')
        template: PromptTemplate | None = getattr(self.config.tokenizer.templates, task)
        if template is None:
            raise TaskNotSupported(f'the config of {self.name!r} has no template for this task')
        space = self.config.tokenizer.space_before_object
        return object_prompt(template, self.tokenizer, name, space)

    def _answer(
        self,
        image: EncodedImage | None,
        prompt: Prompt,
        sampling: SamplingParams,
        cancel: threading.Event | None,
        reasoning: bool,
        grammar: dict[str, Any] | str | None,
        stream: bool,
    ) -> Answer | Stream:
        if image is not None:
            self._prefix.check(image)
        suffix = len(self._query_suffix) if reasoning else 0
        check_context_length(self.config, len(prompt.ids) + suffix, with_image=image is not None)
        constraint = None if grammar is None else self._grammars.compile(grammar)
        cancel = StreamCancel(cancel)

        def pieces() -> Generator[str, None, Answer]:
            self._prefix.prefill(image, cancel)
            embeds, sampler = prompt.embed(self._engine), Sampler(sampling)
            thoughts: Reasoning | None = None
            if reasoning:
                thoughts = generate_reasoning(
                    self._engine,
                    self.tokenizer,
                    embeds,
                    sampler,
                    max_tokens=sampling.max_tokens,
                    suffix=self._query_suffix,
                    can_point=self._can_point,
                    cancel=cancel,
                )
                embeds = self._engine.embed_tokens(self._query_suffix)
            generator = TokenGenerator(
                self._engine,
                sampler,
                sampling.max_tokens,
                stop_id=self._eos,
                cancel=cancel,
                constraint=constraint,
            )
            text = yield from generator.pieces(embeds, self.tokenizer)
            answer_ids = tuple(generator.ids)
            return Answer(text, generator.finish, answer_ids, prompt.ids, thoughts)

        self._lock.acquire(cancel, stream=stream)
        answer = Stream(pieces(), self._lock.release, cancel)
        if not stream:
            return answer.result()
        self._stream = weakref.ref(answer)
        return answer
