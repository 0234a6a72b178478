"""`python -m bench`: measure, print a table with the machine, and write out/bench.json."""

from __future__ import annotations

import argparse
import json
import os
import platform
from datetime import date
from pathlib import Path

import onnxruntime
from rich.console import Console
from rich.table import Table


def main() -> None:
    """Measure the model, then the node."""
    parser = argparse.ArgumentParser(prog='python -m bench', description=__doc__)
    parser.add_argument('--model', default='nano')
    parser.add_argument('--threads', type=int, default=2)
    parser.add_argument('--rounds', type=int, default=25)
    parser.add_argument('--out', type=Path, default=Path('out/bench.json'))
    args = parser.parse_args()

    from bench import node

    # First, because importing the ROS wheels starts this program anew.
    over_ros = node.measure(args.model, args.rounds)
    from bench import model

    rows = model.measure(args.model, args.threads, args.rounds) | over_ros
    machine = {
        'processor': _processor(),
        'cores': os.cpu_count(),
        'python': platform.python_version(),
        'onnxruntime': onnxruntime.__version__,
        'date': date.today().isoformat(),
        'model': args.model,
        'threads': args.threads,
        'rounds': args.rounds,
    }
    table = Table('what', 'ms', title=', '.join(f'{k} {v}' for k, v in machine.items()))
    for name, seconds in rows.items():
        table.add_row(name, f'{seconds * 1000:.1f}')
    Console().print(table)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps({'machine': machine, 'seconds': rows}, indent=1) + '\n')


def _processor() -> str:
    cpuinfo = Path('/proc/cpuinfo')
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [line.partition(':')[2].strip() for line in lines if line.startswith('model name')]
    return names[0] if names else platform.machine()


if __name__ == '__main__':
    main()
