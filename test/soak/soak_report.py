"""What came of a soak: how memory grew, and a plot of it.

Samples are dicts with 'seconds' since the beginning, 'done', the number of results, and the memory
of each node in MB by its name.
"""

from pathlib import Path

WARM_UP = 0.2  # share of the run before memory is judged


def growth(samples, name):
    """Return the growth of a node's memory after the warm-up, as a share.

    The medians of the first and of the last quarter are compared.
    """
    values = [s[name] for s in samples][round(WARM_UP * len(samples)) :]
    part = max(len(values) // 4, 1)
    first, last = sorted(values[:part]), sorted(values[-part:])
    return last[len(last) // 2] / first[len(first) // 2] - 1


def resident_megabytes(pid):
    """Return the memory of a process that is its own: not shared, and not of files."""
    text = Path(f'/proc/{pid}/status').read_text()
    return int(text.split('RssAnon:')[1].split()[0]) / 1024


def plot(samples, names, path):
    """Draw memory and results over time as an SVG file."""
    import matplotlib

    matplotlib.use('svg')
    from matplotlib import pyplot

    figure, axis = pyplot.subplots(figsize=(8, 3.5), layout='constrained')
    minutes = [s['seconds'] / 60 for s in samples]
    for name in names:
        axis.plot(minutes, [s[name] for s in samples], label=f'node with {name} images')
    axis.set(xlabel='minutes', ylabel='anonymous memory, MB', ylim=(0, None))
    axis.axvspan(0, WARM_UP * minutes[-1], color='0.93', label='warm-up')
    right = axis.twinx()
    right.plot(minutes, [s['done'] for s in samples], 'k:', label='results')
    right.set(ylabel='results', ylim=(0, None))
    figure.legend(loc='outside upper center', ncols=4, frameon=False)
    figure.savefig(path, metadata={'Date': None})
