"""docs/own_things.md works as written, on a smaller folder."""

import re
import shlex
from pathlib import Path

from scan_files import write_scans

from kimi_ros.cli.main import main

PAGE = (Path(__file__).parents[2] / 'docs' / 'own_things.md').read_text(encoding='utf-8')


def blocks(language):
    return re.findall(rf'```{language}\n(.*?)```', PAGE, re.DOTALL)


def test_the_page_works_as_written(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'cache'))
    write_scans(tmp_path / 'scans')
    (tmp_path / 'scans' / 'things.yaml').write_text(blocks('yaml')[0], encoding='utf-8')
    for line in blocks('console')[0].splitlines():
        command = shlex.split(line.removeprefix('$ '))
        assert command[0] == 'kimi'
        if 'draw' in command:
            command[command.index('--pictures') + 1] = '2'
            command += ['--size', '96x72', '--workers', '1']
        assert main(command[1:]) == 0, line
    capsys.readouterr()
    (code,) = blocks('python')
    exec(compile(code, 'own_things.md', 'exec'), {})
    assert '% visible' in capsys.readouterr().out
