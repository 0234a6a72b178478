"""The trained network as ONNX graphs, one for each part that reading calls, in half precision."""

from __future__ import annotations

import hashlib
import json
import warnings
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from kimi_ros.reader.features import PIECES_EACH
from kimi_ros.reader.heads import EVENTS, SLOTS
from kimi_ros.reader.words import WordTable
from kimi_train.reader.model import Network, Sizes

OPSET = 18
_LARGE = 256  # numbers: what is smaller stays in float32
_TABLES = ('embedding.unit.weight', 'embedding.piece.weight')  # these are kept in 8 bits


class _Encode(nn.Module):
    """Tokens, encoded: (n, dim)."""

    INPUTS = {
        'unit': 'n', 'pieces': 'n', 'own': 'n', 'cover': 'n', 'place': 'n', 'part': 'n',
        'position': 'n', 'whose': 'n',
    }  # fmt: skip
    OUTPUTS = {'encoded': 'n'}

    def __init__(self, network: Network):
        super().__init__()
        self.net = network

    def forward(self, unit, pieces, own, cover, place, part, position, whose):
        kinds = self.net.embedding.kinds(unit, pieces, own)
        every = (t.unsqueeze(0) for t in (kinds, cover, place, part, position, whose))
        return self.net.encode(*every)[0]


class _Catalogue(_Encode):
    """What a catalogue's encoded tokens say."""

    INPUTS = {'encoded': 'm', 'skill': 'm,s', 'argument': 'm,a', 'value': 'm,v'}
    OUTPUTS = {'tokens': 'k', 'candidates': 'c', 'arguments': 'b', 'values': 'v'}

    def forward(self, encoded, skill, argument, value):
        found = self.net.catalogue(*(t.unsqueeze(0) for t in (encoded, skill, argument, value)))
        return tuple(t[0] for t in found)


class _Mix(_Encode):
    """An instruction's tokens beside a catalogue, and their tags."""

    INPUTS = {'encoded': 'n', 'position': 'n', 'tokens': 'k', 'sim': 'n,k', 'same': 'n,k'}
    OUTPUTS = {'x': 'n', 'role': 'n', 'told': 'n'}

    def forward(self, encoded, position, tokens, sim, same):
        whose = torch.zeros_like(position)
        x = self.net.mix(
            encoded[None, None], position[None, None], whose[None, None], tokens[None],
            sim[0, :][None] * 0, sim[None, None], same[None, None],
        )[0, 0]  # fmt: skip
        return x, self.net.role(x), self.net.told(x)


class _Decide(_Encode):
    """What comes next, and how likely each candidate is."""

    INPUTS = {
        'x': 'n', 'tokens': 'k', 'of': 'k,c', 'candidates': 'c', 'sim': 'n,k', 'same': 'n,k',
        'came': 't', 'verbs': 't', 'things': 't',
    }  # fmt: skip
    OUTPUTS = {'z': '', 'event': ''}

    def forward(self, x, tokens, of, candidates, sim, same, came, verbs, things):
        away = x[None, :, 0] * 0
        z = self.net.decide(x[None], away[None], came[None], verbs[None], things[None])[:, -1:]
        logits = self.net.match(
            z[None], x[None, None], away[None, None], tokens[None], of[None], candidates[None],
            sim[None, None], same[None, None],
        )  # fmt: skip
        return z[0], logits[0, 0]


class _Hold(_Encode):
    """What a step holds: its verb, and for each argument where it was said and how."""

    INPUTS = {
        'x': 'n',
        'z': '',
        'came': '',
        'verbal': '',
        'arguments': 'a',
        'values': 'v',
        'closed': 'a,n',
    }
    OUTPUTS = {
        'verb': '', 'verb_end': '', 'verb_token': '', 'first': 'a', 'first_end': 'a',
        'second': 'a', 'second_end': 'a', 'number': 'a', 'relation': 'a', 'present': 'a',
        'truth': 'a', 'question': 'a', 'value': 'a',
    }  # fmt: skip

    def forward(self, x, z, came, verbal, arguments, values, closed):
        net = self.net
        away = x[None, :, 0] * 0
        padded = torch.cat([x, x[:1] * 0])
        said = z + came
        verb = net.verb.starts(said, x, away)
        verb_token = padded[verb.argmax(-1)] * verbal
        verb_end = net.verb.ends(said, x, away, verb_token)
        none = arguments[None, :, 0] * 0
        held = net.hold(
            x[None], away[None], z[None], came[None], verb_token[None], arguments[None], none[None]
        )[0]
        out = []
        for pointer in (net.first, net.second):
            starts = pointer.starts(held, x, away)
            if pointer is net.first:
                starts = starts + nn.functional.pad(closed, (0, 1))
            began = padded[starts.argmax(-1)]
            out += [starts, pointer.ends(held, x, away, began)]
        decided = [
            head(held) for head in (net.number, net.relation, net.present, net.truth, net.question)
        ]
        value = net.value(held) @ values.T * net.sizes.match**-0.5
        return verb, verb_end, verb_token, *out, *decided, value


class _Phrase(_Encode):
    """What is in noun phrases, by their first and last tokens."""

    INPUTS = {'x': 'n', 'starts': 'p', 'ends': 'p'}
    OUTPUTS = {
        'landmark': 'p', 'landmark_end': 'p', 'other': 'p', 'other_end': 'p', 'number': 'p',
        'relation': 'p',
    }  # fmt: skip

    def forward(self, x, starts, ends):
        net = self.net
        away = x[None, :, 0] * 0
        padded = torch.cat([x, x[:1] * 0])
        h = net.phrases(x[starts], x[ends])
        out = []
        for pointer in (net.landmark, net.other):
            began = pointer.starts(h, x, away)
            out += [began, pointer.ends(h, x, away, padded[began.argmax(-1)])]
        return *out, net.phrase_number(h), net.phrase_relation(h)


PARTS = {
    'encode': _Encode, 'catalogue': _Catalogue, 'mix': _Mix, 'decide': _Decide, 'hold': _Hold,
    'phrase': _Phrase,
}  # fmt: skip
_WHOLE = ('unit', 'pieces', 'place', 'part', 'position', 'whose', 'starts', 'ends')


def export(state: dict, words: WordTable, folder: Path, about: dict) -> int:
    """Write graphs, the words' table and model.json into a folder; return their size in bytes.

    :param state: of the trainer, as it saves it.
    :param about: further entries of model.json: calibration, threshold, licences.
    """
    sizes = Sizes(**state['sizes'])
    network = Network(sizes)
    network.load_state_dict(state['exact'])
    network.eval()
    folder.mkdir(parents=True, exist_ok=True)
    words.save(folder)
    for name, part in PARTS.items():
        graph = _exported(part(network), sizes)
        _halve(graph)
        onnx.save(graph, folder / f'{name}.onnx')
    files = sorted(p for p in folder.iterdir() if p.suffix in ('.onnx', '.npy', '.txt'))
    listed = {
        p.name: {'bytes': p.stat().st_size, 'sha256': hashlib.sha256(p.read_bytes()).hexdigest()}
        for p in files
    }
    model = {'format': 1, 'sizes': state['sizes'], 'steps': state['step'], **about, 'files': listed}
    (folder / 'model.json').write_text(json.dumps(model, indent=1) + '\n', encoding='utf-8')
    return sum(entry['bytes'] for entry in listed.values())


def _exported(part: _Encode, sizes: Sizes) -> onnx.ModelProto:
    counts = {'n': 7, 'm': 9, 'k': 9 + len(EVENTS), 's': 3, 'a': 4, 'v': 5, 'p': 2, 't': 2}
    counts |= {'c': counts['s'] + len(EVENTS), 'b': counts['a'] + len(SLOTS), '': 1}
    widths = {
        'own': sizes.word,
        'cover': sizes.word,
        'pieces': PIECES_EACH,
        'values': sizes.match,
        'verbal': 1,
    }

    def example(name: str, dims: str) -> Tensor:
        first, *second = (counts[d] for d in dims.split(','))
        if name in _WHOLE:
            shape = (first, PIECES_EACH) if name == 'pieces' else (first,)
            return torch.zeros(shape, dtype=torch.int64)
        return torch.rand(first, *(second or [widths.get(name, sizes.dim)]))

    axes = {}
    for name, dims in part.INPUTS.items():
        axes[name] = {i: d for i, d in enumerate(dims.split(',')) if d}
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        inputs = tuple(example(n, dims) for n, dims in part.INPUTS.items())
        path = Path('/dev/shm') if Path('/dev/shm').is_dir() else Path('.')
        file = path / f'reader-{id(part)}.onnx'
        try:
            torch.onnx.export(
                part, inputs, str(file), dynamo=False, opset_version=OPSET,
                input_names=list(part.INPUTS), output_names=list(part.OUTPUTS), dynamic_axes=axes,
            )  # fmt: skip
            return onnx.load(str(file))
        finally:
            file.unlink(missing_ok=True)


def _halve(model: onnx.ModelProto) -> None:
    """Keep the graph's large tensors in half precision; a runtime widens them when it loads."""
    graph = model.graph
    # The exporter says equal tensors once, and onnxruntime loses the way to them.
    same = {node.output[0]: node.input[0] for node in graph.node if node.op_type == 'Identity'}
    for node in list(graph.node):
        if node.op_type == 'Identity' and node.output[0] not in {o.name for o in graph.output}:
            graph.node.remove(node)
            continue
        for i, name in enumerate(node.input):
            while name in same:
                name = same[name]
            node.input[i] = name
    casts, scales = [], []
    for tensor in graph.initializer:
        array = numpy_helper.to_array(tensor)
        name = tensor.name
        if name.endswith(_TABLES):
            scale = np.maximum(np.abs(array).max(1), 1e-8) / 127
            rows = np.round(array / scale[:, None]).astype(np.int8)
            tensor.CopyFrom(numpy_helper.from_array(rows, f'{name}_rows'))
            scales.append(numpy_helper.from_array(scale.astype(np.float32), f'{name}_scale'))
            inputs = [f'{name}_rows', f'{name}_scale']
            casts.append(helper.make_node('DequantizeLinear', inputs, [name], axis=0))
        elif array.dtype == np.float32 and array.size >= _LARGE:
            tensor.CopyFrom(numpy_helper.from_array(array.astype(np.float16), f'{name}_half'))
            casts.append(helper.make_node('Cast', [f'{name}_half'], [name], to=TensorProto.FLOAT))
    graph.initializer.extend(scales)
    for cast in reversed(casts):
        graph.node.insert(0, cast)
    for node in graph.node:  # the exporter's constants
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.TENSOR:
                array = numpy_helper.to_array(attribute.t)
                assert array.size < 1e5 or array.dtype != np.float32
    del model.metadata_props[:]
