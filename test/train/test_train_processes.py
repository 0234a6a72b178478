"""Several processes learn what one does, and none of their work is lost at the end.

AdamW divides by the gradient's own size, so that rounding moves weights by a share of the learning
rate: at 1e-4, four steps move weights by up to 4e-4, and 1e-5 tells the same from another training.
"""

import json
import os
import re
import subprocess
import sys
import time

import psutil
import pytest
import torch
from safetensors.torch import load_file

from kimi_train.cli import main

RUN = ['--epochs', '4', '--batch-size', '4', '--learning-rate', '1e-4', '--tracker', 'none']
ENVIRONMENT = os.environ | {'OMP_NUM_THREADS': '1'}
TORCHRUN = [
    '-m', 'torch.distributed.run', '--standalone', '--nproc_per_node', '2',
]  # fmt: skip
# Starts kimi-train with a disk on which tensors take a while.
SLOW = """
import sys, time
from kimi_train import files, training_loop
from kimi_train.tune import checkpoint, lora, loop
def slowed(write):
    def slow(tensors, path, *rest):
        name = path.with_name(f'.{path.name}.writing')
        name.touch()
        time.sleep(2)
        write(tensors, path, *rest)
        name.unlink()
    return slow
checkpoint.save_tensors = lora.save_tensors = slowed(files.save_tensors)
loop.save_state = slowed(training_loop.save_state)
from kimi_train.cli import main
sys.exit(main(sys.argv[1:]))
"""

# Two processes that accelerate starts itself.
ACCELERATE = """
import sys
from accelerate import debug_launcher
from kimi_train.cli import main
def run(arguments):
    assert main(arguments) == 0
if __name__ == '__main__':
    debug_launcher(run, (sys.argv[1:],), num_processes=2)
"""


def arguments(checkpoint, data, out, *options):
    return ['tune', str(checkpoint), str(data), '--out', str(out), *RUN, *options]


def torchrun(*words, **options):
    command = [sys.executable, *TORCHRUN, *words]
    options = {'env': ENVIRONMENT, 'stdout': subprocess.PIPE, 'stderr': subprocess.STDOUT,
               'text': True, 'bufsize': -1} | options  # fmt: skip
    return subprocess.Popen(command, **options)


def finished(process):
    said, _ = process.communicate(timeout=300)
    return process.returncode, said


@pytest.fixture(scope='module', params=[(), ('--lora-rank', '2')], ids=['weights', 'lora'])
def single(request, tiny, user_data, tmp_path_factory):
    """The options, and what one process wrote."""
    out = tmp_path_factory.mktemp('single')
    assert main(arguments(tiny, user_data, out, *request.param)) == 0
    return request.param, out


def result(out, options):
    return load_file(out / ('adapter.safetensors' if options else 'checkpoint/model.safetensors'))


def assert_alike(out, other, options):
    expected = result(other, options)
    found = result(out, options)
    assert found.keys() == expected.keys()
    for name, tensor in found.items():
        torch.testing.assert_close(tensor, expected[name], rtol=0, atol=1e-5)


def test_two_processes_of_torchrun_write_what_one_does(single, tiny, user_data, tmp_path):
    options, alone = single
    code, said = finished(
        torchrun('-m', 'kimi_train', *arguments(tiny, user_data, tmp_path, *options))
    )
    assert code == 0, said
    assert 'in 2 processes' in said  # or nothing was shown
    assert_alike(tmp_path, alone, options)


@pytest.mark.parametrize('single', [()], indirect=True, ids=['weights'])
def test_two_processes_of_accelerate_write_what_one_does(single, tiny, user_data, tmp_path):
    options, alone = single
    script, out = tmp_path / 'two.py', tmp_path / 'run'
    script.write_text(ACCELERATE)
    command = [sys.executable, str(script), *arguments(tiny, user_data, out)]
    done = subprocess.run(command, env=ENVIRONMENT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    assert 'in 2 processes' in done.stdout
    assert_alike(out, alone, options)


@pytest.mark.parametrize('single', [()], indirect=True, ids=['weights'])
def test_a_slow_write_at_the_end_is_waited_for(single, tiny, user_data, tmp_path):
    options, alone = single
    script = tmp_path / 'slow.py'
    script.write_text(SLOW)
    code, said = finished(torchrun(str(script), *arguments(tiny, user_data, tmp_path / 'run')))
    assert code == 0 and 'in 2 processes' in said, said
    assert_alike(tmp_path / 'run', alone, options)


@pytest.mark.parametrize('single', [()], indirect=True, ids=['weights'])
@pytest.mark.parametrize(
    'where', ['.last.pt.writing', '.checkpoint.part/.model.safetensors.writing']
)
def test_processes_killed_while_they_save_resume(single, tiny, user_data, tmp_path, where):
    options, alone = single
    script, out = tmp_path / 'slow.py', tmp_path / 'run'
    script.write_text(SLOW)
    process = torchrun(str(script), *arguments(tiny, user_data, out, '--save-every', '2'))
    try:
        deadline = time.monotonic() + 200
        while not (out / where).exists():
            assert process.poll() is None, process.communicate()[0]
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        # Workers may be in sessions of their own.
        for worker in psutil.Process(process.pid).children(recursive=True):
            worker.kill()
        process.kill()
        process.communicate()
    assert not (out / 'checkpoint').exists()
    again = arguments(tiny, user_data, out, '--save-every', '2')
    code, said = finished(torchrun('-m', 'kimi_train', *again))
    assert code == 0 and 'in 2 processes' in said, said
    assert_alike(out, alone, options)
    steps = [json.loads(line)['step'] for line in (out / 'log.jsonl').read_text().splitlines()]
    assert steps == list(range(1, len(steps) + 1))


def test_a_launch_that_gives_one_process_is_refused(tiny, user_data, tmp_path):
    """Without GPUs accelerate launch starts one process, however many it is asked for."""
    launch = [sys.executable, '-m', 'accelerate.commands.launch', '--cpu', '--num_processes', '2']
    words = ['-m', 'kimi_train', *arguments(tiny, user_data, tmp_path)]
    done = subprocess.run(
        [*launch, *words], env=ENVIRONMENT, capture_output=True, text=True, timeout=300
    )
    assert done.returncode != 0 and not (tmp_path / 'checkpoint').exists()
    assert re.search('started one.*torchrun --nproc_per_node', done.stderr, re.S)


def test_accelerate_launch_with_one_process_trains(tiny, user_data, tmp_path):
    launch = [sys.executable, '-m', 'accelerate.commands.launch', '--cpu', '--num_processes', '1']
    words = ['-m', 'kimi_train', *arguments(tiny, user_data, tmp_path, '--epochs', '1')]
    done = subprocess.run([*launch, *words], env=ENVIRONMENT, timeout=300)
    assert done.returncode == 0 and (tmp_path / 'checkpoint').exists()
