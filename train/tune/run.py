"""Fine-tuning from end to end: read, check, train, write."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
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
from kimi_train.tune.batches import group_by_image
from kimi_train.tune.checkpoint import load_model, write_checkpoint
from kimi_train.tune.dataset import read_samples
from kimi_train.tune.loop import Loop, parameters_of
from kimi_train.tune.lora import add_adapters, matching_names, save_adapter
from kimi_train.tune.samples import Sample
from kimi_train.tune.settings import Settings, TuneError
from kimi_train.tune.tokenization import ExampleBuilder

TRACKERS = {'tensorboard': 'tensorboard', 'wandb': 'wandb', 'mlflow': 'mlflow'}


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


def read_data(
    files: Sequence[Path], checkpoint: Checkpoint | None, whole_images: bool = False
) -> Data:
    """Read and check files, also against a checkpoint. Raises DataError."""
    samples = read_samples(files, whole_images)
    if checkpoint is None:
        return Data(samples, [])
    tokenizer = TextTokenizer.from_file(checkpoint.tokenizer)
    writer = ExampleBuilder(checkpoint.config, tokenizer, checkpoint.has_regions)
    return Data(samples, writer.write_all(samples))


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

    A run that was stopped goes on from its last save, to the same end. Raises TuneError, DataError,
    CheckpointError.
    """
    if tracker and importlib.util.find_spec(TRACKERS[tracker]) is None:
        raise TuneError(f'{tracker} is not installed: pip install {tracker}, or choose another')
    data = read_data(files, checkpoint)
    out.mkdir(parents=True, exist_ok=True)
    accelerator = Accelerator(
        mixed_precision='bf16' if settings.precision == 'bf16' else 'no',
        log_with=tracker,
        project_config=ProjectConfiguration(str(out), logging_dir=str(out / 'tracker')),
    )
    if settings.batch_size < accelerator.num_processes:
        raise TuneError(
            f'{accelerator.num_processes} processes need as many images a step, not '
            f'{settings.batch_size}'
        )
    torch.manual_seed(settings.seed)
    model = load_model(checkpoint)
    trained = _choose(model, settings)
    model.gradient_checkpointing = settings.gradient_checkpointing
    if settings.precision == 'bf16':
        _halve_frozen(model)
    model.to(accelerator.device).train()
    longest = checkpoint.config.text.max_context
    groups = group_by_image(data.samples, data.examples, longest)
    identity = _identity(checkpoint, files, settings)
    loop = Loop(accelerator, model, trained, groups, settings, out, identity)
    accelerator.print(f'{data}; {sum(p.numel() for p in trained.values()):,} numbers are trained')
    if loop.step:
        accelerator.print(f'going on from step {loop.step}')
    if tracker:
        accelerator.init_trackers('kimi-train', config=identity)
    try:
        loop.run(save_every)
    except torch.OutOfMemoryError as error:
        raise TuneError(
            'the device has too little memory: use --gradient-checkpointing, a smaller '
            '--micro-batch-size, or --lora-rank'
        ) from error
    finally:
        accelerator.end_training()
    return _write(accelerator, checkpoint, trained, data, settings, out)


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


def _identity(checkpoint: Checkpoint, files: Sequence[Path], settings: Settings) -> dict[str, str]:
    digest = hashlib.sha256()
    for file in files:
        digest.update(file.read_bytes())
    sizes = [f'{file.name} ({file.stat().st_size} bytes)' for file in checkpoint.files]
    return {
        'checkpoint': ', '.join(sizes),
        'data': digest.hexdigest()[:16],
        **{name: json.dumps(value) for name, value in asdict(settings).items()},
    }


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
