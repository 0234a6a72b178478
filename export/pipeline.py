"""The export from end to end: check, write beside, compare, move into place."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any

import onnx

from kimi_ros import __version__
from kimi_ros.vlm.folder import FORMAT, sha256_of
from kimi_ros.vlm.trt.identity import KEY as IDENTITY
from kimi_ros.vlm.trt.identity import Identity
from kimi_ros.vlm.trt.plan import plan, profiles

from .builder import GraphBuilder, WeightFile
from .calibrate import cache_scales
from .checkpoint import Checkpoint, open_checkpoint
from .errors import SelfCheckError
from .folder import check_replaceable, written_beside
from .graphs import graphs_for
from .hub import origin
from .layers import Layers
from .lora import AdaptedCheckpoint, adapt
from .lowering_ort import OrtLowering, min_onnxruntime
from .presets import Choice, PresetError, check_small_cache, choose
from .progress import Progress
from .samples import Sample, check_samples, read_samples
from .selfcheck import RELATIVE, check, parts_of, tolerance
from .tables import write_tables
from .tensorrt_build import Builder
from .tensorrt_choice import choose_for_tensorrt, rebuild_command
from .verify import compare

TARGETS = ('onnx', 'tensorrt')
_REGION_TASKS = ('point', 'detect')


def export_model(
    checkpoint: str | Path,
    out: str | Path,
    config: str | Path | None = None,
    tokenizer: str | Path | None = None,
    progress: Progress | None = None,
    *,
    precision: str | None = None,
    preset: str | None = None,
    calibrate: str | Path | None = None,
    verify: str | Path | None = None,
    lora: str | Path | None = None,
    target: str = 'onnx',
) -> Path:
    """Export a checkpoint as a model folder and return the folder.

    :param checkpoint: safetensors file, index of shards, folder, or hub:owner/name@revision.
    :param out: the folder to write; a model folder that is there is replaced when all is well.
    :param config: config.json, where it does not lie beside the tensors; `tokenizer` likewise.
    :param precision: 'fp32', 'fp16', 'int8' or 'int4'; None takes the preset's, or fp32.
    :param preset: one of config/presets.yaml.
    :param calibrate: folder of pictures from which the scales of an 8-bit cache are taken.
    :param verify: folder of pictures on which the result is compared with an fp32 export.
    :param lora: a LoRA adapter to merge.
    :param target: 'onnx', or 'tensorrt' for engines that belong to this machine's GPU.

    Raises CheckpointError, AdapterError, PresetError, SampleError, FolderError, BuildError or
    SelfCheckError, and leaves nothing half-made.
    """
    progress = progress or Progress()
    out = Path(out).expanduser()
    builder = None
    if target not in TARGETS:
        raise PresetError(f'the target must be {" or ".join(TARGETS)}, not {target!r}')
    if target == 'tensorrt':
        choice, builder = choose_for_tensorrt(precision, preset, calibrate is not None), Builder()
    else:
        choice = choose(precision, preset)
    samples = [None if place is None else read_samples(place) for place in (calibrate, verify)]
    check_replaceable(out)
    opened = open_checkpoint(checkpoint, config, tokenizer)
    if lora:
        opened = adapt(opened, lora)
    if choice.max_crops and choice.max_crops < opened.config.vision.max_crops:
        opened = _with_max_crops(opened, choice.max_crops)
    if calibrate:
        check_small_cache(choice, opened.config.text)
    for given in filter(None, samples):
        check_samples(given, opened)
    _say_what_lacks(opened, progress)
    rebuild = rebuild_command(checkpoint, out, choice, config, tokenizer, lora) if builder else ''
    with written_beside(out) as folder:
        export = _Export(opened, folder, choice, progress, builder, rebuild)
        export.write()
        if samples[0]:
            export.shrink_cache(samples[0])
        export.compare()
        if samples[1]:
            export.verify(samples[1])
    return out


class _Export:
    """One folder on its way; every method leaves it as model.json says."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        folder: Path,
        choice: Choice,
        progress: Progress,
        builder: Builder | None = None,
        rebuild: str = '',
    ) -> None:
        """With a builder the folder holds TensorRT engines instead of ONNX graphs."""
        self._checkpoint = checkpoint
        self._folder = folder
        self._choice = choice
        self._layout = choice.layout
        self._progress = progress
        self._builder = builder
        self._rebuild = rebuild
        self._weights = None if builder else WeightFile(folder / 'weights.bin')
        self._verified: dict[str, Any] | None = None

    def write(self) -> None:
        """Write graphs, weights, tables and tokenizer."""
        checkpoint = self._checkpoint
        if self._builder:
            self._builder.build_all(checkpoint, self._layout, self._folder, self._progress)
        else:
            self._progress.begin('writing', len(checkpoint.tensors))
            with self._weights:
                for name in graphs_for(checkpoint.has_regions):
                    self._progress.say(f'writing {name}')
                    self._build(name, OrtLowering())
        write_tables(checkpoint, self._layout, self._folder / 'tables.safetensors')
        (self._folder / 'tokenizer.json').write_bytes(checkpoint.tokenizer.read_bytes())
        self._describe()

    def shrink_cache(self, samples: list[Sample]) -> None:
        """Make the cache one of 8 bits, with scales from what the samples leave in it."""
        self._progress.begin('calibrating', len(samples))
        scales = cache_scales(self._folder, samples, self._progress)
        self._layout = dataclasses.replace(self._layout, cache='int8')
        # All weights are stored already: only the graph is written anew.
        self._build('decoder', OrtLowering(scales))
        write_tables(self._checkpoint, self._layout, self._folder / 'tables.safetensors', scales)
        self._describe()

    def compare(self) -> None:
        """Run the folder beside the checkpoint. Raises SelfCheckError."""
        outside = []
        self._progress.begin('comparing', parts_of(self._checkpoint))
        for difference in check(self._checkpoint, self._folder):
            self._progress.say(
                f'{difference.part}: largest error {difference.absolute:.1e} '
                f'({difference.of_scale:.1e} of the scale)'
            )
            if not difference.within:
                outside.append(difference.part)
            self._progress.advance()
        if outside:
            raise SelfCheckError(
                f'the graphs differ from the checkpoint in: {", ".join(outside)} (more than '
                f'{RELATIVE:g} of a value and {tolerance(self._layout):g} of the scale); nothing '
                'was kept'
            )

    def verify(self, samples: list[Sample]) -> None:
        """Measure the loss against fp32 and write it into model.json."""
        self._progress.say('writing an fp32 export to compare with')
        with tempfile.TemporaryDirectory(dir=self._folder) as place:
            exact = Path(place)
            _Export(self._checkpoint, exact, choose(), self._progress).write()
            self._progress.begin('verifying', 2 * len(samples))
            loss = compare(exact, self._folder, samples, self._progress)
        for line in loss.lines():
            self._progress.say(line)
        self._verified = loss.to_dict()
        self._describe()

    def _build(self, name: str, lowering: OrtLowering) -> None:
        graph = GraphBuilder(name, self._weights)
        checkpoint = self._checkpoint
        config = checkpoint.config
        layers = Layers(graph, config, self._read, self._layout, lowering, checkpoint.branches)
        graphs_for(self._checkpoint.has_regions)[name](layers, config)
        graph.save(self._folder / f'{name}.onnx')

    def _read(self, name: str):
        self._progress.advance()
        return self._checkpoint.read(name)

    def _describe(self) -> None:
        checkpoint = self._checkpoint
        about = {
            'format': FORMAT,
            'name': checkpoint.name,
            'family': 'moondream2',
            'config': checkpoint.raw_config,
            'precision': self._choice.precision,
            'layout': self._layout.to_dict(),
            'preset': self._choice.preset,
            'threads': self._choice.threads,
            'runtime': 'tensorrt' if self._builder else 'onnxruntime',
            'tasks': list(checkpoint.tasks),
            'languages': list(checkpoint.languages),
            'source': _source(checkpoint),
            'files': self._digests(),
            'tools': {'kimi_ros': __version__, 'onnx': onnx.__version__},
            'min_onnxruntime': '' if self._builder else min_onnxruntime(self._layout),
        }
        if self._builder:
            about[IDENTITY] = self._identity(about).to_dict()
        if self._verified:
            about['verified'] = self._verified
        text = json.dumps(about, indent=1, ensure_ascii=False) + '\n'
        (self._folder / 'model.json').write_text(text, encoding='utf-8')

    def _identity(self, about: dict[str, Any]) -> Identity:
        graphs = plan(self._checkpoint.config, self._layout, self._checkpoint.has_regions)
        return Identity(
            machine=self._builder.machine,
            precision=about['precision'],
            profiles=profiles(graphs),
            checkpoint=about['source']['sha256'],
            engines={n: d for n, d in about['files'].items() if n.endswith('.engine')},
            rebuild=self._rebuild,
        )

    def _digests(self) -> dict[str, str]:
        digests = {'weights.bin': self._weights.sha256} if self._weights else {}
        for file in sorted(self._folder.iterdir()):
            if file.name not in digests and file.name != 'model.json':
                digests[file.name] = sha256_of(file)
        return digests


def _say_what_lacks(checkpoint: Checkpoint, progress: Progress) -> None:
    if not checkpoint.has_regions:
        progress.say(
            f'the checkpoint has no region heads: no {" and ".join(_REGION_TASKS)}, and no '
            'coordinates in questions'
        )
    lacking = [task for task in ('query', 'caption') if task not in checkpoint.tasks]
    if lacking:
        progress.say(f'the config has no templates for: {", ".join(lacking)}')


def _with_max_crops(checkpoint: Checkpoint, max_crops: int) -> Checkpoint:
    raw = checkpoint.raw_config
    vision = dataclasses.replace(checkpoint.config.vision, max_crops=max_crops)
    return dataclasses.replace(
        checkpoint,
        config=dataclasses.replace(checkpoint.config, vision=vision),
        raw_config=raw | {'vision': raw.get('vision', {}) | {'max_crops': max_crops}},
    )


def _source(checkpoint: Checkpoint) -> dict[str, Any]:
    """Names of the checkpoint's files and one digest of them all in this order; its adapter."""
    files = checkpoint.files
    each = [sha256_of(file) for file in files]
    # A checkpoint of one file is known by that file's own digest.
    whole = each[0] if len(each) == 1 else hashlib.sha256(''.join(each).encode()).hexdigest()
    source: dict[str, Any] = {'files': [file.name for file in files], 'sha256': whole}
    came_from = origin(files[0].parent.resolve())
    if came_from:
        source |= {'repository': came_from.repository, 'revision': came_from.commit}
    if isinstance(checkpoint, AdaptedCheckpoint):
        path = checkpoint.adapter.path
        source['adapter'] = {'file': path.name, 'sha256': sha256_of(path)}
    return source
