"""The door to the vision-language model: images and words in, words, points and boxes out."""

from __future__ import annotations

import threading
import weakref
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from .arguments import check_integer
from .config import Wrap
from .crops import Crops, overlap_crops
from .decoding import Chooser, Sampling, Writer, raise_if_cancelled
from .engine import Engine, open_engine
from .errors import ImageError, InputError, ModelFolderError, PromptTooLong, TaskNotSupported
from .folder import ModelFolder, read_folder
from .grammar import GrammarCompiler
from .nano import load_nano
from .objects import find_boxes, find_points
from .prompt import Prompt, SpatialRef, object_prompt, query_prompt
from .reasoning import reason
from .results import Answer, Box, EncodedImage, Point, Reasoning
from .tokenizer import TextStream, TextTokenizer
from .trace import follow_answer, trace_arrays
from .turns import Stream, StreamCancel, Turns
from .vision import encode_crops, project_features

DEFAULT_MAX_TOKENS = 768
DEFAULT_TOP_P = 0.3
DEFAULT_MAX_OBJECTS = 50

_HELP = {
    'plan': 'fine-tune it on plans with kimi-train, load "nano", or let a remote model think',
    'point': 'export a checkpoint that has region weights and a point template, or load "nano"',
    'detect': 'export a checkpoint that has region weights and a detect template, or load "nano"',
}
_HELP_OTHERS = 'export a checkpoint whose config has a template for it, or load "nano"'


class VisionLanguageModel:
    """One loaded model.

    Calls from several threads are served in turn; a call while a stream is open raises Busy. Every
    call takes `cancel`, an event that ends it with Cancelled within one step (the encoding of one
    crop, or one run of the decoder).
    """

    def __init__(
        self,
        engine: Engine,
        tokenizer: TextTokenizer,
        *,
        name: str,
        tasks: Sequence[str],
        languages: Sequence[str] = ('en',),
    ) -> None:
        """Put a model together from its parts; `load` does so from a folder."""
        self.config = engine.config
        self.name = name
        self.tasks = tuple(tasks)
        self.languages = tuple(languages)
        self.tokenizer = tokenizer
        self._engine = engine
        self._grammars = GrammarCompiler(
            tokenizer, self.config.text.vocab_size, self.config.tokenizer.eos_id
        )
        self._turns = Turns()
        self._image: EncodedImage | None = None
        self._encoder = object()
        self._stream: weakref.ref[Stream] | None = None

    @classmethod
    def load(
        cls, model: str | Path, device: str = 'auto', threads: int | None = None
    ) -> VisionLanguageModel:
        """Load 'nano' or a folder that kimi-export wrote.

        device: 'auto' (a GPU where there is one and the folder was made for it), 'cpu' or 'cuda'.
        threads: of onnxruntime; None means the folder's, or the physical cores, at most 4.
        Raises ModelFolderError, DeviceNotAvailable, InputError.
        """
        if threads is not None:
            threads = check_integer(threads, 'threads')

        def open_folder(path: str | Path) -> VisionLanguageModel:
            return cls._open(read_folder(path), device, threads)

        return load_nano(open_folder) if model == 'nano' else open_folder(model)

    @classmethod
    def _open(cls, folder: ModelFolder, device: str, threads: int | None) -> VisionLanguageModel:
        path = folder.file('tokenizer.json')
        tokenizer = TextTokenizer.from_file(path)
        if tokenizer.vocab_size > folder.config.text.vocab_size:
            raise ModelFolderError(
                f'{path} has {tokenizer.vocab_size} ids, the model {folder.config.text.vocab_size};'
                ' export the checkpoint with its own tokenizer'
            )
        engine = open_engine(folder, device, threads)
        return cls(
            engine, tokenizer, name=folder.name, tasks=folder.tasks, languages=folder.languages
        )

    def __enter__(self) -> VisionLanguageModel:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End an open stream and, when the calls before this one are done, free the memory."""
        if self._turns.closed:
            return
        stream = self._stream and self._stream()
        if stream is not None:
            stream.close()
        with self._turns.turn(None, patient=True):
            self._turns.closed = True
            self._image = None
            self._engine.close()

    def require(self, task: str) -> None:
        """Raise TaskNotSupported, saying what would help, unless the model was made for `task`."""
        if task not in self.tasks:
            raise TaskNotSupported(
                f'the model {self.name!r} was not made for {task!r}, only for '
                f'{", ".join(self.tasks)}; {_HELP.get(task, _HELP_OTHERS)}'
            )

    def encode_image(self, rgb: np.ndarray, cancel: threading.Event | None = None) -> EncodedImage:
        """Encode uint8 (H, W, 3), RGB, of any size from 1x1 on. Raises ImageError."""
        crops = overlap_crops(rgb, self.config.vision)
        with self._turns.turn(cancel):
            features = encode_crops(self._engine, crops, cancel)
            return self._join(rgb, crops, features)

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
        """Answer a question about the image, or, without one, from the words alone.

        max_tokens bounds the answer, and in reasoning mode also the reasoning; temperature 0 is
        greedy, above it top_p and seed count. spatial_refs: (x, y) or (x_min, y_min, x_max, y_max),
        0-1. history: earlier (question, answer) pairs. grammar: a JSON schema (dict) or Lark (str)
        that the answer follows. With stream=True a Stream of str pieces is returned at once.

        Raises TaskNotSupported, PromptTooLong, InputError, ImageError, GrammarError, Busy,
        Cancelled.
        """
        self.require('query')
        sampling = Sampling(max_tokens, temperature, top_p, seed)
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
        """Describe the image; length 'short', 'normal' or 'long'. Otherwise as `query`."""
        self.require('caption')
        sampling = Sampling(max_tokens, temperature, top_p, seed)
        lengths = self.config.tokenizer.templates.caption
        if not isinstance(length, str) or length not in lengths:
            raise InputError(f'captions of this model are {", ".join(lengths)}, not {length!r}')
        self._check_encoded(image)
        return self._answer(image, Prompt(lengths[length]), sampling, cancel, False, None, stream)

    def point(
        self,
        image: EncodedImage,
        name: str,
        *,
        max_objects: int = DEFAULT_MAX_OBJECTS,
        cancel: threading.Event | None = None,
    ) -> list[Point]:
        """Point at every object of that name; scores as in `region.score_of`."""
        self.require('point')
        prompt = self._object_prompt(self.config.tokenizer.templates.point, name, max_objects)
        with self._turns.turn(cancel):
            hidden = self._look_for(image, prompt, cancel)
            return find_points(self._engine, hidden, max_objects, stop_id=self._eos, cancel=cancel)

    def detect(
        self,
        image: EncodedImage,
        name: str,
        *,
        max_objects: int = DEFAULT_MAX_OBJECTS,
        cancel: threading.Event | None = None,
    ) -> list[Box]:
        """Draw a box around every object of that name; scores as in `region.score_of`."""
        self.require('detect')
        prompt = self._object_prompt(self.config.tokenizer.templates.detect, name, max_objects)
        with self._turns.turn(cancel):
            hidden = self._look_for(image, prompt, cancel)
            return find_boxes(self._engine, hidden, max_objects, stop_id=self._eos, cancel=cancel)

    def trace(
        self,
        rgb: np.ndarray,
        prompt_ids: Sequence[int],
        cancel: threading.Event | None = None,
    ) -> dict[str, np.ndarray]:
        """Run an image and a prompt, and return what happened on the way: `trace.trace_arrays`.

        Raises InputError, ImageError, PromptTooLong, Busy, Cancelled.
        """
        crops = overlap_crops(rgb, self.config.vision)
        prompt = Prompt(tuple(check_integer(token, 'a prompt id', 0) for token in prompt_ids))
        vocabulary = self.config.text.vocab_size
        if not prompt.ids or max(prompt.ids) >= vocabulary:
            raise InputError(f'prompt_ids must be ids below {vocabulary}, not {prompt_ids!r}')
        self._check_room(len(prompt.ids), with_image=True)
        with self._turns.turn(cancel):
            features = encode_crops(self._engine, crops, cancel)
            image = self._join(rgb, crops, features)
            self._look_at(image, cancel)
            return trace_arrays(self._engine, crops, features, image, prompt)

    def follow(
        self,
        image: EncodedImage | None,
        question: str,
        ids: Sequence[int],
        cancel: threading.Event | None = None,
    ) -> np.ndarray:
        """Logits f32 (n, vocab) before each id of an answer that is given; raises as `query`."""
        self.require('query')
        seen = image is not None
        prompt = query_prompt(self.config, self.tokenizer, question, with_image=seen)
        self._check_room(len(prompt.ids) + len(ids[1:]), seen)  # the last one is not fed
        with self._turns.turn(cancel):
            self._look_at(image, cancel)
            return follow_answer(self._engine, prompt, ids, cancel)

    @property
    def _eos(self) -> int:
        return self.config.tokenizer.eos_id

    @property
    def _can_point(self) -> bool:
        return 'point' in self.tasks or 'detect' in self.tasks

    def _join(self, rgb: np.ndarray, crops: Crops, features: np.ndarray) -> EncodedImage:
        embeds = project_features(self._engine, crops, features)
        return EncodedImage(embeds, rgb.shape[0], rgb.shape[1], crops.tiling, self._encoder)

    def _look_at(self, image: EncodedImage | None, cancel: threading.Event | None) -> None:
        """Make the cache hold exactly this image, or nothing."""
        if image is None:
            self._image = None
            self._engine.rewind(0)
        elif image is self._image:
            self._engine.rewind(self.config.prefix_length)
        else:
            raise_if_cancelled(cancel)
            self._image = None
            bos = self._engine.embed_tokens([self.config.tokenizer.bos_id])
            self._engine.prefill_image(np.concatenate([bos, image.embeds]))
            self._image = image

    def _look_for(
        self, image: EncodedImage, prompt: Prompt, cancel: threading.Event | None
    ) -> np.ndarray:
        self._check_encoded(image)
        self._check_room(len(prompt.ids), with_image=True)
        self._look_at(image, cancel)
        raise_if_cancelled(cancel)
        return self._engine.step(prompt.embed(self._engine))

    def _object_prompt(self, template: Wrap, name: str, max_objects: int) -> Prompt:
        check_integer(max_objects, 'max_objects')
        return object_prompt(template, self.tokenizer, name)

    def _answer(
        self,
        image: EncodedImage | None,
        prompt: Prompt,
        sampling: Sampling,
        cancel: threading.Event | None,
        reasoning: bool,
        grammar: dict[str, Any] | str | None,
        stream: bool,
    ) -> Answer | Stream:
        if image is not None:
            self._check_encoded(image)
        suffix = len(self.config.tokenizer.templates.query.suffix) if reasoning else 0
        self._check_room(len(prompt.ids) + suffix, with_image=image is not None)
        constraint = None if grammar is None else self._grammars.compile(grammar)
        cancel = StreamCancel(cancel)

        def pieces() -> Generator[str, None, Answer]:
            self._look_at(image, cancel)
            embeds, choose, thoughts = prompt.embed(self._engine), Chooser(sampling), None
            if reasoning:
                thoughts, embeds = self._think(embeds, choose, sampling.max_tokens, cancel)
            writer = Writer(
                self._engine,
                choose,
                sampling.max_tokens,
                stop_id=self._eos,
                cancel=cancel,
                constraint=constraint,
            )
            words, text = TextStream(self.tokenizer), ''
            for ids in writer.write(embeds):
                piece = words.push(ids)
                text += piece
                if piece:
                    yield piece
            rest = words.flush()
            if rest:
                yield rest
            return Answer(text + rest, writer.finish, tuple(writer.ids), prompt.ids, thoughts)

        self._turns.take(cancel, stream=stream)
        answer = Stream(pieces(), self._turns.give_back, cancel)
        if not stream:
            return answer.result()
        self._stream = weakref.ref(answer)
        return answer

    def _think(
        self,
        embeds: np.ndarray,
        choose: Chooser,
        max_tokens: int,
        cancel: threading.Event | None,
    ) -> tuple[Reasoning, np.ndarray]:
        """Reason; return it and the embeddings that ask for the answer."""
        thoughts = reason(
            self._engine,
            self.tokenizer,
            embeds,
            choose,
            max_tokens,
            can_point=self._can_point,
            cancel=cancel,
        )
        suffix = self.config.tokenizer.templates.query.suffix
        return thoughts, self._engine.embed_tokens(suffix)

    def _check_encoded(self, image: EncodedImage) -> None:
        if not isinstance(image, EncodedImage):
            raise ImageError(
                f'an EncodedImage is needed, not {type(image).__name__}; make one with '
                'encode_image(rgb) and use it for every question about that image'
            )
        if image.encoder is not self._encoder:
            raise ImageError('the image was encoded by another model; encode it with this one')

    def _check_room(self, count: int, with_image: bool) -> None:
        taken = self.config.prefix_length if with_image else 0
        excess = taken + count - self.config.text.max_context
        if excess > 0:
            raise PromptTooLong(
                f'the prompt is {excess} tokens too long: {count} tokens'
                + (f' and {taken} for the image' if with_image else '')
                + f' do not fit into {self.config.text.max_context}; shorten the question or the '
                'history',
                excess,
            )
