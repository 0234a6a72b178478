"""The reader from the generator to the folder that ships; what is there already is gone on from."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from kimi_ros.reader import Reader
from kimi_ros.reader.reader import FORMAT
from kimi_ros.reader.words import WordTable
from kimi_ros.resources import share
from kimi_train.memory import keep_freed_memory
from kimi_train.precision import has_bf16
from kimi_train.reader.calibrate import calibrate
from kimi_train.reader.export import export
from kimi_train.reader.loop import Plan, Trainer
from kimi_train.reader.model import Sizes
from kimi_train.reader.score import Score, score
from kimi_train.reader.source import LANGUAGES, Source

LICENCE = 'Apache-2.0'
SOURCES = (
    'weights: trained from scratch on instructions that kimi_ros generates',
    'English vectors: WordNet 3.0, (c) Princeton University, WordNet licence',
    'Chinese vectors: multilingual-E5-small, MIT; word list: jieba, MIT',
)


def make_reader(
    folder: Path,
    plan: Plan,
    words: Path | None = None,
    sizes: Sizes | None = None,
    held_out: int = 300,
) -> Path:
    """Train, calibrate and write; returns the reader's folder.

    :param folder: for last.pt, log.jsonl and the reader; a training in it is gone on with.
    :param words: folder with words.txt and vectors.npy; None takes those that the package ships.
    :param held_out: examples of each kind that calibrate it.
    """
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    keep_freed_memory()
    table = WordTable.load(words or share('models/reader'))
    trainer = Trainer(table, plan, sizes or Sizes())
    last = folder / 'last.pt'
    if last.exists():
        trainer.load(last)
        print(f'{folder.name}: going on from step {trainer.step}')
    if trainer.done < 1:
        if has_bf16(torch.device('cpu')) and plan.minutes >= 20:
            trainer.compile()
        trainer.run(Source(plan.seed), folder)
    return write_reader(folder, table, held_out)


def write_reader(folder: Path, words: WordTable, held_out: int = 300) -> Path:
    """Write the reader of the last save into `folder / 'reader'`, calibrated; return that."""
    state = torch.load(folder / 'last.pt', map_location='cpu', weights_only=True)
    out = folder / 'reader'
    about = {
        'format': FORMAT,
        'licence': LICENCE,
        'made_from': SOURCES,
        'minutes': round(state['spent'] / 60, 1),
        'plan': state['plan'],
    }
    export(state, words, out, about)
    knots, threshold = calibrate(Reader.load(out), held_out)
    size = export(state, words, out, {**about, 'calibration': knots, 'threshold': threshold})
    print(f'{out}: {size / 1e6:.1f} MB, asks back below {threshold:.2f}')
    return out


def report(scores: dict[tuple[str, str], Score]) -> str:
    """Return a table of scores by language and by what was held out."""
    lines = ['language  held out  exact   wrong, asked back  first fault']
    for (language, held_out), found in scores.items():
        wrong = found.count - found.exact
        faults = ', '.join(f'{name} {n}' for name, n in found.wrong.most_common(4))
        lines.append(
            f'{language:8}  {held_out:8}  {100 * found.exact / max(1, found.count):5.1f}   '
            f'{found.asked:5} of {wrong:<9}  {faults}'
        )
    return '\n'.join(lines)


def examine(reader: Path, count: int, languages: Sequence[str] = LANGUAGES) -> str:
    """Return how a reader's folder does on generated nouns and skills that training never held."""
    read = Reader.load(reader)
    kinds = ((language, held) for language in languages for held in ('nouns', 'skills'))
    return report({(lang, held): score(read, lang, count, held) for lang, held in kinds})
