"""Trains, calibrates and exports a reader; resumable."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from kimi_ros.reader import Reader
from kimi_ros.reader.reader import FORMAT
from kimi_ros.reader.word_vectors import WordVectors
from kimi_ros.resources import share
from kimi_train.compilation import can_compile, compile_forward
from kimi_train.memory import keep_freed_memory
from kimi_train.reader.calibrate import calibrate
from kimi_train.reader.dataset import LANGUAGES, InstructionDataset
from kimi_train.reader.evaluation import EvaluationResult, evaluate
from kimi_train.reader.export import export_onnx
from kimi_train.reader.layers import TransformerBlock
from kimi_train.reader.model import CandidateScorer, ModelConfig
from kimi_train.reader.trainer import Trainer, TrainingConfig

LICENCE = 'Apache-2.0'
SOURCES = (
    'weights: trained from scratch on instructions that kimi_ros generates',
    'English vectors: WordNet 3.0, (c) Princeton University, WordNet licence',
    'Chinese vectors: multilingual-E5-small, MIT; word list: jieba, MIT',
)


def train_reader(
    folder: Path,
    config: TrainingConfig,
    word_vectors: Path | None = None,
    model_config: ModelConfig | None = None,
    held_out: int = 300,
) -> Path:
    """Train, calibrate and export; return the reader's folder.

    :param folder: for last.pt, log.jsonl and the reader; training resumes from a checkpoint in it.
    :param word_vectors: folder with words.txt and vectors.npy; None uses the shipped ones.
    :param held_out: examples of each kind for calibration.
    """
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    keep_freed_memory()
    table = WordVectors.load(word_vectors or share('models/reader'))
    trainer = Trainer(table, config, model_config or ModelConfig())
    last = folder / 'last.pt'
    if last.exists():
        trainer.load(last)
        print(f'{folder.name}: resuming from step {trainer.step}')
    if trainer.progress < 1:
        if config.minutes >= 20 and can_compile(torch.device('cpu')):
            compile_forward((TransformerBlock, CandidateScorer))
        trainer.run(InstructionDataset(config.seed), folder)
    return write_reader(folder, table, held_out)


def write_reader(folder: Path, word_vectors: WordVectors, held_out: int = 300) -> Path:
    """Calibrate the last checkpoint and export it to `folder / 'reader'`; return that folder."""
    state = torch.load(folder / 'last.pt', map_location='cpu', weights_only=True)
    out = folder / 'reader'
    metadata = {
        'format': FORMAT,
        'licence': LICENCE,
        'made_from': SOURCES,
        'minutes': round(state['seconds'] / 60, 1),
        'training': state['training'],
    }
    export_onnx(state, word_vectors, out, metadata)
    knots, threshold = calibrate(Reader.load(out), held_out)
    size = export_onnx(
        state, word_vectors, out, {**metadata, 'calibration': knots, 'threshold': threshold}
    )
    print(f'{out}: {size / 1e6:.1f} MB, threshold {threshold:.2f}')
    return out


def format_report(results: dict[tuple[str, str], EvaluationResult]) -> str:
    """Return a table of results by language and held-out split."""
    lines = ['language  held out  exact   wrong, asked back  first fault']
    for (language, held_out), found in results.items():
        wrong = found.count - found.correct
        faults = ', '.join(f'{name} {n}' for name, n in found.errors.most_common(4))
        lines.append(
            f'{language:8}  {held_out:8}  {100 * found.correct / max(1, found.count):5.1f}   '
            f'{found.rejected:5} of {wrong:<9}  {faults}'
        )
    return '\n'.join(lines)


def evaluation_report(reader: Path, count: int, languages: Sequence[str] = LANGUAGES) -> str:
    """Return the accuracy of a reader on held-out nouns and skills, as a table."""
    read = Reader.load(reader)
    splits = ((language, split) for language in languages for split in ('nouns', 'skills'))
    return format_report(
        {(lang, split): evaluate(read, lang, count, split) for lang, split in splits}
    )
