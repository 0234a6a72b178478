"""Fine-tuning from end to end: read, check, train, write."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from accelerate import Accelerator
from accelerate.utils import ProjectConfiguration
from torch import nn

from kimi_export.checkpoint import Checkpoint
from kimi_ros.vlm.tokenizer import TextTokenizer
from kimi_train.examples import Example
from kimi_train.model import Moondream
from kimi_train.precision import has_bf16
from kimi_train.tune.batches import EpochOrder, ImageGroup, group_by_image
from kimi_train.tune.checkpoint import load_model, write_checkpoint
from kimi_train.tune.dataset import read_samples
from kimi_train.tune.identity import run_identity
from kimi_train.tune.loop import Loop, parameters_of
from kimi_train.tune.lora import add_adapters, matching_names, save_adapter
from kimi_train.tune.rehearsal import TABLES, chunks, rehearsal_samples
from kimi_train.tune.samples import Sample
from kimi_train.tune.settings import Settings, TuneError
from kimi_train.tune.tokenization import ExampleBuilder
from kimi_train.tune.trackers import check_tracker, tracker_options
from kimi_train.tune.validation import REHEARSAL, split, validation_source


@dataclass(frozen=True)
class Data:
    """Checked samples and, where a checkpoint was given, their examples."""

    samples: list[Sample]
    examples: list[Example]

    def __str__(self) -> str:
        """Say how much there is of what."""
        tasks = Counter(sample.task for sample in self.samples)
        images = {sample.image for sample in self.samples} - {None}
        tokens = sum(len(example.ids) for example in self.examples)
        parts = ', '.join(f'{count} {task}' for task, count in tasks.most_common())
        text = f'{len(self.samples)} lines ({parts}) about {len(images)} images'
        return f'{text}, {tokens} tokens' if tokens else text

    @property
    def notes(self) -> list[str]:
        """Return what a person may have forgotten."""
        located = [sample for sample in self.samples if sample.task in ('point', 'detect')]
        if not located or any(not sample.places for sample in located):
            return []
        return [
            'no point or detect line says that something is not there (an empty list): the model '
            'learns that whatever is asked for is there'
        ]


def read_data(files: Sequence[Path], checkpoint: Checkpoint | None) -> Data:
    """Read and check files, also against a checkpoint. Raises DataError."""
    return _with_examples(read_samples(files), checkpoint)


def _with_examples(samples: list[Sample], checkpoint: Checkpoint | None) -> Data:
    if checkpoint is None:
        return Data(samples, [])
    tokenizer = TextTokenizer.from_file(checkpoint.tokenizer)
    builder = ExampleBuilder(checkpoint.config, tokenizer, checkpoint.has_regions)
    return Data(samples, builder.write_all(samples))


def best_precision() -> str:
    """'bf16' where a GPU computes in it, else 'fp32'."""
    on_gpu = torch.cuda.is_available() and has_bf16(torch.device('cuda'))
    return 'bf16' if on_gpu else 'fp32'


def tune(
    checkpoint: Checkpoint,
    files: Sequence[Path],
    out: Path,
    settings: Settings,
    tracker: str | None = None,
    save_every: int = 50,
) -> Path:
    """Fine-tune a checkpoint and return what was written: a folder, or a LoRA adapter.

    A run that was stopped resumes from its last save, and ends the same; a finished one goes on
    where `settings.epochs` has grown. Raises TuneError, DataError, CheckpointError.
    """
    check_tracker(tracker)
    accelerator = Accelerator(
        # Without this, Accelerate takes the processes of torchrun on a CPU for runs of their own.
        cpu=not torch.accelerator.is_available(),
        mixed_precision='bf16' if settings.precision == 'bf16' else 'no',
        log_with=tracker,
        project_config=ProjectConfiguration(str(out), logging_dir=str(out / 'tracker')),
    )
    try:
        _check_processes(accelerator, settings)
        data, validation, validation_files = _own_data(checkpoint, files, settings)
        out.mkdir(parents=True, exist_ok=True)
        rehearsal, rehearsal_validation = _rehearsal(accelerator, checkpoint, data, out, settings)
        images = {s.image for part in (data, validation) for s in part.samples} - {None}
        identity = run_identity(checkpoint, files, validation_files, images, settings)

        torch.manual_seed(settings.seed)
        model = load_model(checkpoint)
        trained = _choose(model, settings)
        model.gradient_checkpointing = settings.gradient_checkpointing
        if settings.precision == 'bf16':
            _halve_frozen(model)
        model.to(accelerator.device).train()
        order = EpochOrder(
            _groups(checkpoint, data),
            settings.epochs,
            settings.batch_size,
            settings.seed,
            [_groups(checkpoint, part) for part in rehearsal],
        )
        held_out = _groups(checkpoint, validation)
        held_out += _groups(checkpoint, rehearsal_validation, REHEARSAL)
        loop = Loop(accelerator, model, trained, order, held_out, settings, out, identity)
        _tell(accelerator, checkpoint, data, validation, trained, settings)
        if loop.step:
            accelerator.print(f'resuming from step {loop.step}')
        if tracker:
            options = tracker_options(tracker, out, loop.step)
            accelerator.init_trackers('kimi-train', config=identity, init_kwargs=options)
        loop.run(save_every)
        return _write(accelerator, checkpoint, trained, data, settings, out)
    except torch.OutOfMemoryError as error:
        raise TuneError(
            'the device has too little memory: use --gradient-checkpointing, a smaller '
            '--micro-batch-size, or --lora-rank'
        ) from error
    finally:
        # Only now: it takes the processes apart, which wait for each other until the end.
        accelerator.end_training()


def _check_processes(accelerator: Accelerator, settings: Settings) -> None:
    """Raise TuneError where fewer processes were started than asked for, or too many for a step."""
    # `accelerate launch` sets the address for several processes even where it then starts one.
    launched = {'ACCELERATE_USE_CPU', 'MASTER_ADDR'} <= os.environ.keys()
    if launched and accelerator.num_processes == 1 and 'WORLD_SIZE' not in os.environ:
        raise TuneError(
            'accelerate launch was asked for several processes and started one, as it does '
            'without several GPUs: use torchrun --nproc_per_node N -m kimi_train tune ...'
        )
    started = int(os.environ.get('WORLD_SIZE', 1))
    if accelerator.num_processes != started:
        raise TuneError(
            f'{started} processes were started, and Accelerate sees {accelerator.num_processes}: '
            'nothing would be shared between them; use torchrun'
        )
    if settings.batch_size < accelerator.num_processes:
        raise TuneError(
            f'{accelerator.num_processes} processes need a --batch-size of at least as many '
            f'images, not {settings.batch_size}'
        )


def _own_data(
    checkpoint: Checkpoint, files: Sequence[Path], settings: Settings
) -> tuple[Data, Data, list[Path]]:
    """Return the data to train on, those to validate on, and the latter's files."""
    samples, held_out, held_out_files = read_samples(files), [], []
    if settings.validation:
        source = validation_source(settings.validation)
        if isinstance(source, Path):
            held_out, held_out_files = read_samples([source]), [source]
        else:
            samples, held_out = split(samples, source, settings.seed)
    data, validation = (_with_examples(part, checkpoint) for part in (samples, held_out))
    return data, validation, held_out_files


def _rehearsal(
    accelerator: Accelerator, checkpoint: Checkpoint, data: Data, out: Path, settings: Settings
) -> tuple[list[Data], Data]:
    """Return what each epoch rehearses, as many images as one's own, and what is validated."""
    if not settings.rehearse:
        return [], Data([], [])
    own = max(1, len({sample.image for sample in data.samples}))
    with accelerator.main_process_first():
        samples, held_out = rehearsal_samples(settings.rehearse, out, own * settings.epochs)
    if not settings.validation:
        held_out = []
    parts = [_with_examples(part, checkpoint) for part in chunks(samples, own)]
    return parts, _with_examples(held_out, checkpoint)


def _groups(checkpoint: Checkpoint, data: Data, prefix: str = '') -> list[ImageGroup]:
    longest = checkpoint.config.text.max_context
    return group_by_image(data.samples, data.examples, longest, prefix)


def _tell(accelerator, checkpoint, data: Data, validation: Data, trained, settings) -> None:
    count = sum(p.numel() for p in trained.values())
    processes = accelerator.num_processes
    on = f'{processes} process{"es" if processes > 1 else ""}'
    accelerator.print(f'{data}; {count:,} parameters are trained, in {on}')
    if validation.samples:
        accelerator.print(f'validation: {validation}')
    for note in data.notes:
        accelerator.print(f'note: {note}')
    if checkpoint.tasks and not settings.rehearse:
        hint = f'--rehearse {TABLES[0]}' if checkpoint.name == 'nano' else '--rehearse FILE'
        accelerator.print(
            f'note: without {hint} the checkpoint forgets what is not in these data, '
            'plans above all; --validation shows how it does on lines that are held out'
        )


def _choose(model: Moondream, settings: Settings) -> dict[str, nn.Parameter]:
    if settings.lora_rank:
        return add_adapters(model, settings.target_modules, settings.lora_rank, settings.lora_scale)
    names = [name for name, _ in model.named_parameters()]
    return parameters_of(model, matching_names(settings.target_modules, names, 'tensor'))


def _halve_frozen(model: nn.Module) -> None:
    """Keep layers that are not trained in bf16, in which they are computed anyway."""
    for module in model.modules():
        if isinstance(module, nn.Linear) and not module.weight.requires_grad:
            module.weight.data = module.weight.data.bfloat16()


def _write(accelerator, checkpoint, trained, data, settings, out: Path) -> Path:
    tasks = sorted({sample.task for sample in data.samples})
    languages = sorted(set().union(*(sample.languages for sample in data.samples)))
    path = out / ('adapter.safetensors' if settings.lora_rank else 'checkpoint')
    if accelerator.is_main_process and settings.lora_rank:
        save_adapter(path, trained, settings.lora_scale, tasks, languages)
    elif accelerator.is_main_process:
        write_checkpoint(checkpoint, trained, path, tasks, languages)
    accelerator.wait_for_everyone()
    return path
