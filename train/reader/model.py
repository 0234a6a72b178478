"""The reader's model: an encoder, a fusion with the catalogue, and a decoder with pointer heads.

Sizes: G catalogues in a batch, B instructions for each, L tokens of an instruction, M tokens of a
catalogue (the `EVENTS` first, one token each), C candidates of the decoder (the `EVENTS`, then the
skills), T decoder steps, A slots of a step.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from kimi_ros.reader.features import NGRAM_BUCKETS, SEGMENTS, TOKEN_BUCKETS
from kimi_ros.reader.labels import COVERAGE, EVENTS, NUMBERS, ROLES, SLOTS
from kimi_ros.reader.reading import QUESTIONS, RELATIONS
from kimi_train.reader.layers import HEAD_DIM, RMSNorm, TransformerBlock, rotary

MASKED = -1e4  # attention bias of masked tokens


@dataclass(frozen=True)
class ModelConfig:
    """The sizes of the model."""

    dim: int = 192
    token_dim: int = 96
    ngram_dim: int = 96
    word_dim: int = 112
    encoder_layers: int = 4
    fusion_layers: int = 2
    decoder_layers: int = 1
    argument_layers: int = 1
    pointer_dim: int = 96
    scorer_dim: int = 64


class TokenEmbedding(nn.Module):
    """Embeds tokens: hashed token, hashed character n-grams, word vectors, position in the word."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.token_bucket = nn.Embedding(TOKEN_BUCKETS, config.token_dim)
        self.ngram = nn.Embedding(NGRAM_BUCKETS, config.ngram_dim, padding_idx=0)
        self.projection = nn.Linear(
            config.token_dim + config.ngram_dim + config.word_dim, config.dim
        )
        self.word = nn.Linear(config.word_dim, config.dim)
        self.word_position = nn.Embedding(4, config.dim)
        self.segment = nn.Embedding(SEGMENTS, config.dim)
        self.norm = RMSNorm(config.dim)

    def token_vectors(self, token_bucket: Tensor, ngrams: Tensor, token_vector: Tensor) -> Tensor:
        """Return (n, dim), the part of the embedding that does not depend on the context.

        :param token_bucket: (n,).
        :param ngrams: (n, MAX_NGRAMS).
        :param token_vector: (n, word), the vectors of the tokens.
        """
        parts = self.ngram(ngrams).sum(-2)
        parts = parts * (1 + (ngrams > 0).sum(-1, keepdim=True)).to(parts.dtype).rsqrt()
        return self.projection(
            torch.cat([self.token_bucket(token_bucket), parts, token_vector], -1)
        )

    def forward(
        self, token_vectors: Tensor, word_vector: Tensor, word_position: Tensor, segment: Tensor
    ) -> Tensor:
        """Return (..., n, dim).

        :param token_vectors: (..., n, dim) of `token_vectors`.
        :param word_vector: (..., n, word), the vectors of the words that the tokens are in.
        """
        return self.norm(
            token_vectors
            + self.word(word_vector)
            + self.word_position(word_position)
            + self.segment(segment)
        )


class SpanPointer(nn.Module):
    """Pointer head: a start, and an end conditioned on the start. Index L means no span."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.size = config.pointer_dim
        self.start_query = nn.Linear(config.dim, config.pointer_dim)
        self.end_query = nn.Linear(config.dim, config.pointer_dim)
        self.start_state = nn.Linear(config.dim, config.pointer_dim)
        self.key = nn.Linear(config.dim, 2 * config.pointer_dim)
        self.no_span = nn.Linear(config.dim, 1)

    def start_logits(self, q: Tensor, x: Tensor, mask: Tensor) -> Tensor:
        """Return logits (..., n, L + 1) of queries (..., n, dim) over tokens (..., L, dim).

        :param mask: (..., 1, L), `MASKED` at padding.
        """
        logits = self._logits(self.start_query(q), x, slice(self.size)) + mask
        return torch.cat([logits, self.no_span(q).float()], -1)

    def end_logits(self, q: Tensor, x: Tensor, mask: Tensor, start_states: Tensor) -> Tensor:
        """Return logits (..., n, L), given the states (..., n, dim) of the spans' first tokens."""
        query = self.end_query(q) + self.start_state(start_states)
        return self._logits(query, x, slice(self.size, None)) + mask

    def _logits(self, query: Tensor, x: Tensor, part: slice) -> Tensor:
        # The keys' projection is applied to the queries, which are fewer than the tokens.
        projected = query @ self.key.weight[part]
        bias = (query @ self.key.bias[part].unsqueeze(-1)).float()
        return ((projected @ x.transpose(-1, -2)).float() + bias) * self.size**-0.5


class ReaderModel(nn.Module):
    """The whole model. Inference calls its stages one by one."""

    def __init__(self, config: ModelConfig = ModelConfig()):  # noqa: B008
        super().__init__()
        self.config = config
        d, heads = config.dim, config.dim // HEAD_DIM
        self.embedding = TokenEmbedding(config)
        self.encoder = nn.ModuleList(
            TransformerBlock(d, 3, False) for _ in range(config.encoder_layers)
        )
        self.fusion = nn.ModuleList(
            TransformerBlock(d, 3, True) for _ in range(config.fusion_layers)
        )
        # Attention bias per head, for similarity and for exact match.
        self.similarity_weight = nn.Parameter(torch.zeros(config.fusion_layers, 2, heads))
        self.fusion_norm = RMSNorm(d)
        self.event_embedding = nn.Parameter(torch.randn(len(EVENTS), d) * 0.5)
        self.slot_embedding = nn.Parameter(torch.randn(len(SLOTS), d) * 0.5)
        self.token_weight = nn.Linear(d, 1)
        self.candidate_projection = nn.Linear(2 * d, d)
        self.argument_projection = nn.Linear(2 * d, d)
        # Decoder of events.
        self.start_embedding = nn.Parameter(torch.randn(d) * 0.5)
        self.history_projections = nn.ModuleList(nn.Linear(d, d, bias=False) for _ in range(3))
        self.decoder = nn.ModuleList(
            TransformerBlock(d, 3, True) for _ in range(config.decoder_layers)
        )
        self.decoder_norm = RMSNorm(d)
        self.candidate_scorer = CandidateScorer(config)
        self.verb = SpanPointer(config)
        # Decoder of arguments.
        self.argument_inputs = nn.ModuleList(nn.Linear(d, d, bias=False) for _ in range(4))
        self.argument_decoder = nn.ModuleList(
            TransformerBlock(d, 3, True) for _ in range(config.argument_layers)
        )
        self.argument_norm = RMSNorm(d)
        self.first, self.second = SpanPointer(config), SpanPointer(config)
        self.number = nn.Linear(d, len(NUMBERS))
        self.relation = nn.Linear(d, 1 + len(RELATIONS))
        self.present = nn.Linear(d, 2)
        self.truth = nn.Linear(d, 3)
        self.question = nn.Linear(d, len(QUESTIONS))
        self.value_query = nn.Linear(d, config.scorer_dim)
        self.value_key = nn.Linear(d, config.scorer_dim)
        # Heads on tokens and phrases.
        self.role = nn.Linear(d, len(ROLES))
        self.coverage = nn.Linear(d, len(COVERAGE))
        self.phrase_mlp = nn.Sequential(nn.Linear(2 * d, d), nn.GELU(), nn.Linear(d, d), RMSNorm(d))
        self.landmark, self.other = SpanPointer(config), SpanPointer(config)
        self.phrase_number = nn.Linear(d, len(NUMBERS))
        self.phrase_relation = nn.Linear(d, 1 + len(RELATIONS))

    def encode(
        self, token_vectors, word_vector, word_position, segment, position, sequence: Tensor
    ) -> Tensor:
        """Return (..., n, dim) of packed sequences.

        :param sequence: (..., n), the index of each token's text; < 0 for padding.
        """
        x = self.embedding(token_vectors, word_vector, word_position, segment)
        exact_match = sequence.unsqueeze(-1) == sequence.unsqueeze(-2)
        bias = ((~exact_match).float() * MASKED).unsqueeze(-3)
        continues = (sequence == torch.roll(sequence, 1, -1)) & (position > 0)
        continues = continues.to(x.dtype).unsqueeze(-1)
        rotary_angles = rotary(position, x.dtype)
        for block in self.encoder:
            x = block(x, bias, rotary_angles, continues)
        return x

    def catalogue(self, y: Tensor, skill: Tensor, argument: Tensor, value: Tensor):
        """Pool the catalogue's token states.

        :param y: (..., M', dim), the encoded tokens.
        :param skill: (..., M', skills), 1 if a token belongs to a skill; the other two likewise.
        :return: tokens (..., M, dim), candidates (..., C, dim), arguments
            (..., SLOTS + arguments, dim), values (..., values, match).
        """
        weights = self.token_weight(y).float().clamp(-8, 8).exp().to(y.dtype)
        mean = _weighted_mean(skill, y)
        skills = self.candidate_projection(
            torch.cat([_weighted_mean(skill * weights, y), mean], -1)
        )
        argument_of_skill = argument.transpose(-1, -2) @ skill  # share of each argument's tokens
        argument_of_skill = argument_of_skill / argument_of_skill.sum(-1, keepdim=True).clamp(min=1)
        arguments = self.argument_projection(
            torch.cat([_weighted_mean(argument, y), argument_of_skill @ mean], -1)
        )
        batch_shape = y.shape[:-2]
        events = self.event_embedding.expand(*batch_shape, -1, -1)
        slots = self.slot_embedding.expand(*batch_shape, -1, -1)
        return (
            torch.cat([events, y], -2),
            torch.cat([events, skills], -2),
            torch.cat([slots, arguments], -2),
            self.value_key(_weighted_mean(value, y)),
        )

    def fuse(self, x, position, sequence, y, catalogue_mask, similarity, exact_match) -> Tensor:
        """Return the instruction's states after cross-attention to the catalogue.

        :param x: (G, B, L, dim).
        :param y: (G, M, dim).
        :param catalogue_mask: (G, M), `MASKED` at padding.
        :param similarity: (G, B, L, M), cosine similarity of the words' vectors.
        :param exact_match: (G, B, L, M), 1 for equal stems.
        """
        same_sequence = sequence.unsqueeze(-1) == sequence.unsqueeze(-2)
        bias = ((~same_sequence).float() * MASKED).unsqueeze(-3)
        continues = (position > 0).to(x.dtype).unsqueeze(-1)
        rotary_angles = rotary(position, x.dtype)
        context = y.unsqueeze(1)
        for i, block in enumerate(self.fusion):
            weights = self.similarity_weight[i][..., None, None] * 4
            context_bias = (
                similarity.unsqueeze(-3) * weights[0] + exact_match.unsqueeze(-3) * weights[1]
            )
            context_bias = context_bias + catalogue_mask[:, None, None, None]
            x = block(x, bias, rotary_angles, continues, context, context_bias)
        return self.fusion_norm(x)

    def decode_step(
        self, x, mask, previous_candidates: Tensor, previous_verbs: Tensor, previous_phrases: Tensor
    ) -> Tensor:
        """Return the decoder states (..., T, dim), given the previous events.

        :param x: (..., L, dim); mask: (..., 1, L).
        :param previous_candidates: (..., T, dim), the previous candidates; ignored at T = 0.
        :param previous_verbs: (..., T, dim), states of their verbs; zero for none.
        :param previous_phrases: (..., T, dim), sums of their argument states.
        """
        z = sum(
            segment(a)
            for segment, a in zip(
                self.history_projections,
                (previous_candidates, previous_verbs, previous_phrases),
                strict=True,
            )
        )
        n = z.shape[-2]
        first = (torch.arange(n) == 0).to(z.dtype).unsqueeze(-1)
        z = z * (1 - first) + self.start_embedding.to(z.dtype) * first
        order = torch.arange(n)
        bias = (order[:, None] < order[None, :]).float() * MASKED
        rotary_angles = rotary(order, z.dtype)
        for block in self.decoder:
            z = block(z, bias, rotary_angles, None, x, mask.unsqueeze(-3))
        return self.decoder_norm(z)

    def decode_arguments(
        self, x, mask, z, candidate_states, verb_states, arguments, bias
    ) -> Tensor:
        """Return the slot states (..., A, dim) of a step.

        :param x: (..., L, dim), of the step's instruction; mask: (..., 1, L).
        :param z: (..., 1, dim), the decoder state; candidate_states: (..., 1, dim).
        :param verb_states: (..., 1, dim); arguments: (..., A, dim).
        :param bias: (..., 1, A), `MASKED` at padding.
        """
        parts = zip(
            self.argument_inputs, (z, candidate_states, verb_states, arguments), strict=True
        )
        h = sum(segment(a) for segment, a in parts)
        for block in self.argument_decoder:
            h = block(h, bias.unsqueeze(-3), None, None, x, mask.unsqueeze(-3))
        return self.argument_norm(h)

    def encode_phrases(self, starts: Tensor, ends: Tensor) -> Tensor:
        """Return phrase states (n, dim), given those of their first and last tokens."""
        return self.phrase_mlp(torch.cat([starts, ends], -1))


class CandidateScorer(nn.Module):
    """Scores the candidates of a decoder step, as a whole and by token (late interaction)."""

    HEADS, WORDS = 4, 2

    def __init__(self, config: ModelConfig):
        super().__init__()
        d, m = config.dim, config.scorer_dim
        self.size = m
        self.query, self.candidate_key = nn.Linear(d, m), nn.Linear(d, m)
        self.token_query, self.token_key = (
            nn.Linear(d, self.HEADS * 32),
            nn.Linear(d, self.HEADS * 32),
        )
        self.word_query, self.word_key = (
            nn.Linear(d, self.WORDS * 32),
            nn.Linear(d, self.WORDS * 32),
        )
        self.attention_query, self.attention_key = (
            nn.Linear(d, self.WORDS * 32),
            nn.Linear(d, self.WORDS * 32),
        )
        self.similarity_weight = nn.Parameter(torch.tensor([[2.0, 1.0], [2.0, 1.0]]))
        self.score_weight = nn.Parameter(torch.full((self.HEADS + self.WORDS,), 0.5))

    def forward(
        self, z, x, mask, y, membership: Tensor, candidates, similarity, exact_match
    ) -> Tensor:
        """Return logits (G, B, T, C).

        :param z: (G, B, T, dim); x: (G, B, L, dim); mask: (G, B, 1, L).
        :param membership: (G, M, C), 1 if a token belongs to a candidate.
        """
        logits = (
            self.query(z) @ self.candidate_key(candidates).unsqueeze(1).transpose(-1, -2)
        ).float()
        logits = logits * self.size**-0.5
        count = membership.float().sum(-2).clamp(min=1)[:, None, None, None]  # (G, 1, 1, 1, C)
        one_hot_membership = membership.float()[:, None, None]
        # Decoder state against the candidates' tokens.
        q = self.token_query(z).unflatten(-1, (self.HEADS, 32)).transpose(-2, -3)
        k = self.token_key(y).unflatten(-1, (self.HEADS, 32)).transpose(-2, -3).unsqueeze(1)
        by_token = (q @ k.transpose(-1, -2)).float() * 32**-0.5  # (G, B, H, T, M)
        heads = ((by_token.clamp(-12, 12)).exp() @ one_hot_membership / count + 1e-6).log()
        logits = logits + (heads * self.score_weight[: self.HEADS, None, None]).sum(2)
        # The instruction's tokens, weighted by attention, against the candidates' tokens.
        q = self.word_query(x).unflatten(-1, (self.WORDS, 32)).transpose(-2, -3)
        k = self.word_key(y).unflatten(-1, (self.WORDS, 32)).transpose(-2, -3).unsqueeze(1)
        weight = self.similarity_weight[..., None, None]
        pairs = (q @ k.transpose(-1, -2)).float() * 32**-0.5
        pairs = pairs + similarity.unsqueeze(2) * weight[0] + exact_match.unsqueeze(2) * weight[1]
        best = (
            (pairs.clamp(-12, 12)).exp() @ one_hot_membership / count + 1e-6
        ).log()  # (G, B, W, L, C)
        q = self.attention_query(z).unflatten(-1, (self.WORDS, 32)).transpose(-2, -3)
        k = self.attention_key(x).unflatten(-1, (self.WORDS, 32)).transpose(-2, -3)
        weights = ((q @ k.transpose(-1, -2)).float() * 32**-0.5 + mask.unsqueeze(2)).softmax(-1)
        logits = logits + ((weights @ best) * self.score_weight[self.HEADS :, None, None]).sum(2)
        present = membership.amax(-2)[:, None, None].float()
        return logits + (1 - present) * MASKED


def one_hot(index: Tensor, count: int, dtype: torch.dtype) -> Tensor:
    """Return (..., n, count), 1 at the index; all 0 for a negative index."""
    return (index.unsqueeze(-1) == torch.arange(count)).to(dtype)


def _weighted_mean(weights: Tensor, y: Tensor) -> Tensor:
    total = weights.float().sum(-2).unsqueeze(-1).clamp(min=1e-4)
    return (weights.transpose(-1, -2) @ y) / total.to(y.dtype)
