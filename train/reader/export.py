"""Exports a trained reader as ONNX graphs in half precision, one for each stage of inference."""

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

from kimi_ros.reader.features import MAX_NGRAMS
from kimi_ros.reader.labels import EVENTS, SLOTS
from kimi_ros.reader.word_vectors import WordVectors
from kimi_train.reader.model import ModelConfig, ReaderModel

OPSET = 18
_MIN_FP16_SIZE = 256  # elements; smaller tensors stay in fp32
_INT8_TABLES = ('embedding.token_bucket.weight', 'embedding.ngram.weight')  # stored as int8


class _EncoderGraph(nn.Module):
    """Encoder: states (n, dim) of tokens."""

    INPUTS = {
        'token_bucket': 'n',
        'ngrams': 'n',
        'token_vector': 'n',
        'word_vector': 'n',
        'word_position': 'n',
        'segment': 'n',
        'position': 'n',
        'sequence': 'n',
    }
    OUTPUTS = {'encoded': 'n'}

    def __init__(self, model: ReaderModel):
        super().__init__()
        self.model = model

    def forward(
        self,
        token_bucket,
        ngrams,
        token_vector,
        word_vector,
        word_position,
        segment,
        position,
        sequence,
    ):
        token_vectors = self.model.embedding.token_vectors(token_bucket, ngrams, token_vector)
        inputs = (
            t.unsqueeze(0)
            for t in (token_vectors, word_vector, word_position, segment, position, sequence)
        )
        return self.model.encode(*inputs)[0]


class _CatalogueGraph(_EncoderGraph):
    """Catalogue: embeddings of candidates, arguments and enum values."""

    INPUTS = {'encoded': 'm', 'skill': 'm,s', 'argument': 'm,a', 'value': 'm,v'}
    OUTPUTS = {'tokens': 'k', 'candidates': 'c', 'arguments': 'b', 'values': 'v'}

    def forward(self, encoded, skill, argument, value):
        outputs = self.model.catalogue(*(t.unsqueeze(0) for t in (encoded, skill, argument, value)))
        return tuple(t[0] for t in outputs)


class _FusionGraph(_EncoderGraph):
    """Fusion: cross-attention of an instruction to a catalogue, and token tags."""

    INPUTS = {
        'encoded': 'n',
        'position': 'n',
        'tokens': 'k',
        'similarity': 'n,k',
        'exact_match': 'n,k',
    }
    OUTPUTS = {'hidden_states': 'n', 'role': 'n', 'coverage': 'n'}

    def forward(self, encoded, position, tokens, similarity, exact_match):
        sequence = torch.zeros_like(position)
        x = self.model.fuse(
            encoded[None, None],
            position[None, None],
            sequence[None, None],
            tokens[None],
            similarity[0, :][None] * 0,
            similarity[None, None],
            exact_match[None, None],
        )[0, 0]
        return x, self.model.role(x), self.model.coverage(x)


class _DecoderGraph(_EncoderGraph):
    """Decoder step: logits of the next event."""

    INPUTS = {
        'hidden_states': 'n',
        'tokens': 'k',
        'membership': 'k,c',
        'candidates': 'c',
        'similarity': 'n,k',
        'exact_match': 'n,k',
        'previous_candidates': 't',
        'previous_verbs': 't',
        'previous_phrases': 't',
    }
    OUTPUTS = {'decoder_state': '', 'event': ''}

    def forward(
        self,
        x,
        tokens,
        membership,
        candidates,
        similarity,
        exact_match,
        previous_candidates,
        previous_verbs,
        previous_phrases,
    ):
        mask = x[None, :, 0] * 0
        decoder_state = self.model.decode_step(
            x[None],
            mask[None],
            previous_candidates[None],
            previous_verbs[None],
            previous_phrases[None],
        )[:, -1:]
        logits = self.model.candidate_scorer(
            decoder_state[None],
            x[None, None],
            mask[None, None],
            tokens[None],
            membership[None],
            candidates[None],
            similarity[None, None],
            exact_match[None, None],
        )
        return decoder_state[0], logits[0, 0]


class _ArgumentGraph(_EncoderGraph):
    """Arguments decoder: spans of the verb and the arguments, and their labels."""

    INPUTS = {
        'hidden_states': 'n',
        'decoder_state': '',
        'previous_candidates': '',
        'has_verb': '',
        'arguments': 'a',
        'values': 'v',
        'argument_mask': 'a,n',
    }
    OUTPUTS = {
        'verb': '',
        'verb_end': '',
        'verb_state': '',
        'first': 'a',
        'first_end': 'a',
        'second': 'a',
        'second_end': 'a',
        'number': 'a',
        'relation': 'a',
        'present': 'a',
        'truth': 'a',
        'question': 'a',
        'value': 'a',
    }

    def forward(
        self, x, decoder_state, previous_candidates, has_verb, arguments, values, argument_mask
    ):
        model = self.model
        mask = x[None, :, 0] * 0
        padded = torch.cat([x, x[:1] * 0])
        query = decoder_state + previous_candidates
        verb = model.verb.start_logits(query, x, mask)
        verb_token = padded[verb.argmax(-1)] * has_verb
        verb_end = model.verb.end_logits(query, x, mask, verb_token)
        no_mask = arguments[None, :, 0] * 0
        slot_states = model.decode_arguments(
            x[None],
            mask[None],
            decoder_state[None],
            previous_candidates[None],
            verb_token[None],
            arguments[None],
            no_mask[None],
        )[0]
        out = []
        for pointer in (model.first, model.second):
            starts = pointer.start_logits(slot_states, x, mask)
            if pointer is model.first:
                starts = starts + nn.functional.pad(argument_mask, (0, 1))
            start_logits = padded[starts.argmax(-1)]
            out += [starts, pointer.end_logits(slot_states, x, mask, start_logits)]
        slot_logits = [
            head(slot_states)
            for head in (model.number, model.relation, model.present, model.truth, model.question)
        ]
        value = model.value_query(slot_states) @ values.T * model.config.scorer_dim**-0.5
        return verb, verb_end, verb_token, *out, *slot_logits, value


class _PhraseGraph(_EncoderGraph):
    """Phrase heads: landmarks, number and relation of noun phrases."""

    INPUTS = {'hidden_states': 'n', 'starts': 'p', 'ends': 'p'}
    OUTPUTS = {
        'landmark': 'p',
        'landmark_end': 'p',
        'other': 'p',
        'other_end': 'p',
        'number': 'p',
        'relation': 'p',
    }

    def forward(self, x, starts, ends):
        model = self.model
        mask = x[None, :, 0] * 0
        padded = torch.cat([x, x[:1] * 0])
        h = model.encode_phrases(x[starts], x[ends])
        out = []
        for pointer in (model.landmark, model.other):
            start_logits = pointer.start_logits(h, x, mask)
            out += [start_logits, pointer.end_logits(h, x, mask, padded[start_logits.argmax(-1)])]
        return *out, model.phrase_number(h), model.phrase_relation(h)


GRAPHS = {
    'encoder': _EncoderGraph,
    'catalogue': _CatalogueGraph,
    'fusion': _FusionGraph,
    'decoder': _DecoderGraph,
    'arguments': _ArgumentGraph,
    'phrase': _PhraseGraph,
}
_INTEGER_INPUTS = (
    'token_bucket',
    'ngrams',
    'word_position',
    'segment',
    'position',
    'sequence',
    'starts',
    'ends',
)


def export_onnx(state: dict, words: WordVectors, folder: Path, metadata: dict) -> int:
    """Write graphs, word vectors and model.json into a folder; return the size in bytes.

    :param state: a checkpoint of `Trainer.save`.
    :param metadata: further entries of model.json: calibration, threshold, licences.
    """
    config = ModelConfig(**state['config'])
    model = ReaderModel(config)
    model.load_state_dict(state['weights'])
    model.eval()
    folder.mkdir(parents=True, exist_ok=True)
    words.save(folder)
    for name, segment in GRAPHS.items():
        graph = _export_graph(segment(model), config)
        _to_half_precision(graph)
        onnx.save(graph, folder / f'{name}.onnx')
    files = sorted(p for p in folder.iterdir() if p.suffix in ('.onnx', '.npy', '.txt'))
    listed = {
        p.name: {'bytes': p.stat().st_size, 'sha256': hashlib.sha256(p.read_bytes()).hexdigest()}
        for p in files
    }
    graph_model = {
        'format': 1,
        'config': state['config'],
        'steps': state['step'],
        **metadata,
        'files': listed,
    }
    (folder / 'model.json').write_text(json.dumps(graph_model, indent=1) + '\n', encoding='utf-8')
    return sum(entry['bytes'] for entry in listed.values())


def _export_graph(segment: _EncoderGraph, config: ModelConfig) -> onnx.ModelProto:
    counts = {'n': 7, 'm': 9, 'k': 9 + len(EVENTS), 's': 3, 'a': 4, 'v': 5, 'p': 2, 't': 2}
    counts |= {'c': counts['s'] + len(EVENTS), 'b': counts['a'] + len(SLOTS), '': 1}
    widths = {
        'token_vector': config.word_dim,
        'word_vector': config.word_dim,
        'ngrams': MAX_NGRAMS,
        'values': config.scorer_dim,
        'has_verb': 1,
    }

    def example(name: str, dims: str) -> Tensor:
        first, *second = (counts[d] for d in dims.split(','))
        if name in _INTEGER_INPUTS:
            shape = (first, MAX_NGRAMS) if name == 'ngrams' else (first,)
            return torch.zeros(shape, dtype=torch.int64)
        return torch.rand(first, *(second or [widths.get(name, config.dim)]))

    axes = {}
    for name, dims in segment.INPUTS.items():
        axes[name] = {i: d for i, d in enumerate(dims.split(',')) if d}
    with warnings.catch_warnings():
        warnings.simplefilter('ignore')
        inputs = tuple(example(n, dims) for n, dims in segment.INPUTS.items())
        path = Path('/dev/shm') if Path('/dev/shm').is_dir() else Path('.')
        file = path / f'reader-{id(segment)}.onnx'
        try:
            torch.onnx.export(
                segment,
                inputs,
                str(file),
                dynamo=False,
                opset_version=OPSET,
                input_names=list(segment.INPUTS),
                output_names=list(segment.OUTPUTS),
                dynamic_axes=axes,
            )
            return onnx.load(str(file))
        finally:
            file.unlink(missing_ok=True)


def _to_half_precision(graph_model: onnx.ModelProto) -> None:
    """Store large tensors in fp16, embedding tables in int8; casts widen them at load time."""
    graph = graph_model.graph
    # The exporter deduplicates equal tensors through Identity nodes, which ONNX Runtime cannot fold
    # after the casts.
    aliases = {node.output[0]: node.input[0] for node in graph.node if node.op_type == 'Identity'}
    for node in list(graph.node):
        if node.op_type == 'Identity' and node.output[0] not in {o.name for o in graph.output}:
            graph.node.remove(node)
            continue
        for i, name in enumerate(node.input):
            while name in aliases:
                name = aliases[name]
            node.input[i] = name
    nodes, scales = [], []
    for tensor in graph.initializer:
        array = numpy_helper.to_array(tensor)
        name = tensor.name
        if name.endswith(_INT8_TABLES):
            scale = np.maximum(np.abs(array).max(1), 1e-8) / 127
            rows = np.round(array / scale[:, None]).astype(np.int8)
            tensor.CopyFrom(numpy_helper.from_array(rows, f'{name}_rows'))
            scales.append(numpy_helper.from_array(scale.astype(np.float32), f'{name}_scale'))
            inputs = [f'{name}_rows', f'{name}_scale']
            nodes.append(helper.make_node('DequantizeLinear', inputs, [name], axis=0))
        elif array.dtype == np.float32 and array.size >= _MIN_FP16_SIZE:
            tensor.CopyFrom(numpy_helper.from_array(array.astype(np.float16), f'{name}_half'))
            nodes.append(helper.make_node('Cast', [f'{name}_half'], [name], to=TensorProto.FLOAT))
    graph.initializer.extend(scales)
    for cast in reversed(nodes):
        graph.node.insert(0, cast)
    for node in graph.node:  # constants of the exporter
        for attribute in node.attribute:
            if attribute.type == onnx.AttributeProto.TENSOR:
                array = numpy_helper.to_array(attribute.t)
                assert array.size < 1e5 or array.dtype != np.float32
    del graph_model.metadata_props[:]
