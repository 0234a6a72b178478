"""The export pipeline: check the checkpoint, write the folder, self-check, move into place."""

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
from kimi_ros.vlm.trt.bindings import engine_specs, profile_shapes
from kimi_ros.vlm.trt.build_info import KEY as IDENTITY
from kimi_ros.vlm.trt.build_info import BuildInfo

from .calibrate import calibrate_kv_cache
from .checkpoint import Checkpoint, open_checkpoint
from .embeddings import write_embeddings
from .errors import SelfCheckError
from .folder import atomic_folder, check_replaceable
from .graph_builder import GraphBuilder, WeightFile
from .graphs import graphs_for
from .hub import origin
from .known import license_of
from .layers import Layers
from .lora import AdaptedCheckpoint, adapt
from .lowering_ort import OrtLowering, min_onnxruntime
from .progress import Progress
from .samples import Sample, check_samples, read_samples
from .selfcheck import RELATIVE, check, number_of_checks, tolerance
from .settings import ExportSettings, PresetError, check_int8_cache, resolve_settings
from .tensorrt_build import EngineBuilder
from .tensorrt_settings import rebuild_command, resolve_tensorrt_settings
from .verify import compare_precisions

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
    release: str | None = None,
) -> Path:
    """Export a checkpoint as a model folder and return the folder.

    :param checkpoint: safetensors file, index of shards, folder, hub:owner/name@revision, or a name
        of config/checkpoints.yaml.
    :param out: the output folder; an existing model folder is replaced after a successful export.
    :param config: config.json, if it is not next to the tensors; `tokenizer` likewise.
    :param precision: 'fp32', 'fp16', 'int8' or 'int4'; None means the preset's, or fp32.
    :param preset: one of config/presets.yaml.
    :param calibrate: folder of images for the calibration of an int8 KV cache.
    :param verify: folder of images on which the result is compared with an fp32 export.
    :param lora: a LoRA adapter to merge.
    :param release: of Moondream 2 ('2025-06-21' ...), if nothing in the checkpoint tells it.
    :param target: 'onnx', or 'tensorrt' for engines for this machine's GPU.

    Raises CheckpointError, AdapterError, PresetError, SampleError, FolderError, BuildError or
    SelfCheckError, and never leaves a partial folder.
    """
    progress = progress or Progress()
    out = Path(out).expanduser()
    builder = None
    if target not in TARGETS:
        raise PresetError(f'the target must be {" or ".join(TARGETS)}, not {target!r}')
    if target == 'tensorrt':
        settings, builder = (
            resolve_tensorrt_settings(precision, preset, calibrate is not None),
            EngineBuilder(),
        )
    else:
        settings = resolve_settings(precision, preset)
    samples = [None if place is None else read_samples(place) for place in (calibrate, verify)]
    check_replaceable(out)
    opened = open_checkpoint(checkpoint, config, tokenizer, release)
    if lora:
        opened = adapt(opened, lora)
    if settings.max_crops and settings.max_crops < opened.config.vision.max_crops:
        opened = _with_max_crops(opened, settings.max_crops)
    if calibrate:
        check_int8_cache(settings, opened.config.text)
    for given in filter(None, samples):
        check_samples(given, opened)
    _report_missing_tasks(opened, progress)
    rebuild = ''
    if builder:
        rebuild = rebuild_command(checkpoint, out, settings, config, tokenizer, lora, release)
    with atomic_folder(out) as folder:
        export = _Export(opened, folder, settings, progress, builder, rebuild)
        export.write()
        if samples[0]:
            export.quantize_cache(samples[0])
        export.compare()
        if samples[1]:
            export.verify(samples[1])
    return out


class _Export:
    """An export in progress; model.json is up to date after each method."""

    def __init__(
        self,
        checkpoint: Checkpoint,
        folder: Path,
        settings: ExportSettings,
        progress: Progress,
        builder: EngineBuilder | None = None,
        rebuild: str = '',
    ) -> None:
        """With a builder, the folder contains TensorRT engines instead of ONNX graphs."""
        self._checkpoint = checkpoint
        self._folder = folder
        self._settings = settings
        self._quantization = settings.quantization
        self._progress = progress
        self._builder = builder
        self._rebuild = rebuild
        self._weights = None if builder else WeightFile(folder / 'weights.bin')
        self._verified: dict[str, Any] | None = None

    def write(self) -> None:
        """Write graphs, weights, embeddings and tokenizer."""
        checkpoint = self._checkpoint
        if self._builder:
            self._builder.build_all(checkpoint, self._quantization, self._folder, self._progress)
        else:
            self._progress.start('writing', len(checkpoint.tensors))
            with self._weights:
                for name in graphs_for(checkpoint.has_regions):
                    self._progress.log(f'writing {name}')
                    self._build(name, OrtLowering())
        write_embeddings(checkpoint, self._quantization, self._folder / 'tables.safetensors')
        (self._folder / 'tokenizer.json').write_bytes(checkpoint.tokenizer.read_bytes())
        self._write_model_json()

    def quantize_cache(self, samples: list[Sample]) -> None:
        """Quantize the KV cache to int8, with scales calibrated on the samples."""
        self._progress.start('calibrating', len(samples))
        scales = calibrate_kv_cache(self._folder, samples, self._progress)
        self._quantization = dataclasses.replace(self._quantization, cache='int8')
        # All weights are stored already: only the graph is rewritten.
        self._build('decoder', OrtLowering(scales))
        write_embeddings(
            self._checkpoint, self._quantization, self._folder / 'tables.safetensors', scales
        )
        self._write_model_json()

    def compare(self) -> None:
        """Compare the folder with the reference forward pass. Raises SelfCheckError."""
        outside = []
        self._progress.start('comparing', number_of_checks(self._checkpoint))
        for difference in check(self._checkpoint, self._folder):
            self._progress.log(
                f'{difference.part}: largest error {difference.absolute:.1e} '
                f'({difference.of_scale:.1e} of the scale)'
            )
            if not difference.within:
                outside.append(difference.part)
            self._progress.advance()
        if outside:
            raise SelfCheckError(
                f'the graphs differ from the reference in: {", ".join(outside)} (tolerance '
                f'{RELATIVE:g} of a value and {tolerance(self._quantization):g} of the scale); '
                'nothing was written'
            )

    def verify(self, samples: list[Sample]) -> None:
        """Compare with an fp32 export and record the result in model.json."""
        self._progress.log('writing an fp32 export to compare with')
        with tempfile.TemporaryDirectory(dir=self._folder) as place:
            exact = Path(place)
            _Export(self._checkpoint, exact, resolve_settings(), self._progress).write()
            self._progress.start('verifying', 2 * len(samples))
            report = compare_precisions(exact, self._folder, samples, self._progress)
        for line in report.lines():
            self._progress.log(line)
        self._verified = report.to_dict()
        self._write_model_json()

    def _build(self, name: str, lowering: OrtLowering) -> None:
        graph = GraphBuilder(name, self._weights)
        checkpoint = self._checkpoint
        config = checkpoint.config
        layers = Layers(
            graph, config, self._read, self._quantization, lowering, checkpoint.unmerged_blocks
        )
        graphs_for(self._checkpoint.has_regions)[name](layers, config)
        graph.save(self._folder / f'{name}.onnx')

    def _read(self, name: str):
        self._progress.advance()
        return self._checkpoint.read(name)

    def _write_model_json(self) -> None:
        checkpoint = self._checkpoint
        about = {
            'format': FORMAT,
            'name': checkpoint.name,
            'family': 'moondream2',
            'config': checkpoint.raw_config,
            'precision': self._settings.precision,
            'layout': self._quantization.to_dict(),
            'preset': self._settings.preset,
            'threads': self._settings.threads,
            'runtime': 'tensorrt' if self._builder else 'onnxruntime',
            'tasks': list(checkpoint.tasks),
            'languages': list(checkpoint.languages),
            'source': _source(checkpoint),
            'files': self._digests(),
            'tools': {'kimi_ros': __version__, 'onnx': onnx.__version__},
            'min_onnxruntime': '' if self._builder else min_onnxruntime(self._quantization),
        }
        if self._builder:
            about[IDENTITY] = self._identity(about).to_dict()
        if checkpoint.presence_threshold is not None:
            about['presence_threshold'] = checkpoint.presence_threshold
        if self._verified:
            about['verified'] = self._verified
        text = json.dumps(about, indent=1, ensure_ascii=False) + '\n'
        (self._folder / 'model.json').write_text(text, encoding='utf-8')

    def _identity(self, about: dict[str, Any]) -> BuildInfo:
        graphs = engine_specs(
            self._checkpoint.config, self._quantization, self._checkpoint.has_regions
        )
        return BuildInfo(
            machine=self._builder.machine,
            precision=about['precision'],
            profiles=profile_shapes(graphs),
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


def _report_missing_tasks(checkpoint: Checkpoint, progress: Progress) -> None:
    if not checkpoint.has_regions:
        progress.log(
            f'the checkpoint has no region heads: no {" and ".join(_REGION_TASKS)}, and no '
            'spatial references in queries'
        )
    lacking = [task for task in ('query', 'caption') if task not in checkpoint.tasks]
    if lacking:
        progress.log(f'the config has no templates for: {", ".join(lacking)}')


def _with_max_crops(checkpoint: Checkpoint, max_crops: int) -> Checkpoint:
    raw = checkpoint.raw_config
    vision = dataclasses.replace(checkpoint.config.vision, max_crops=max_crops)
    return dataclasses.replace(
        checkpoint,
        config=dataclasses.replace(checkpoint.config, vision=vision),
        raw_config=raw | {'vision': raw.get('vision', {}) | {'max_crops': max_crops}},
    )


def _source(checkpoint: Checkpoint) -> dict[str, Any]:
    """Names of the checkpoint's files, one digest of them all in this order, and its adapter."""
    files = checkpoint.files
    each = [sha256_of(file) for file in files]
    # A checkpoint of one file has the digest of that file.
    whole = each[0] if len(each) == 1 else hashlib.sha256(''.join(each).encode()).hexdigest()
    source: dict[str, Any] = {'files': [file.name for file in files], 'sha256': whole}
    hub_origin = origin(files[0].parent.resolve())
    if hub_origin:
        source |= {'repository': hub_origin.repository, 'revision': hub_origin.commit}
        source['license'] = license_of(hub_origin)
    tokenizer = origin(checkpoint.tokenizer.parent.resolve())
    if tokenizer:
        source['tokenizer'] = {
            'repository': tokenizer.repository,
            'revision': tokenizer.commit,
        }
    if isinstance(checkpoint, AdaptedCheckpoint):
        path = checkpoint.adapter.path
        source['adapter'] = {'file': path.name, 'sha256': sha256_of(path)}
    return source
