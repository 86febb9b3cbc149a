"""The cross-encoder's adapter: trained on sentences that were found for questions (`eval.fit`).

The layers of the bundled model read a question and a sentence together. Their matrices get a
low-rank addition (Hu et al. 2021, LoRA), which is all that is trained besides three linear heads:
whether the sentence answers the question, where the answer starts, where it ends. About an hour on
two cores for 10,000 questions read once, with 16-bit arithmetic where the processor has it.
"""

from __future__ import annotations

import math
import random
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from tqdm import tqdm
from transformers import BertModel

from eval.fit_sets import seen_sets
from rag.embedding import Onnx, Pair, pair_ids

_RANK = 32
_SCALE = 2.0
_RATE = 6e-4
_RATE_GOING_ON = 8e-5
"""Of a training that goes on from an earlier one: at the full rate, that is first unlearned."""
_TOGETHER = 5
"""Questions of a step."""
_ALIKE = 3
"""Of them on one sentence, at most."""
CANDIDATES = 3
"""Sentences read for each question, right ones first, then the likeliest wrong ones."""


@dataclass(frozen=True, slots=True)
class Example:
    """A sentence that was found for a question."""

    pair: Pair
    right: bool
    """It holds the gold evidence."""
    answers: tuple[tuple[int, int], ...]
    """Where the gold answer stands in it, in characters; empty when unknown."""
    spans: tuple[tuple[int, int], ...] = ()
    """The possible short answers among which one is chosen, in characters."""


@dataclass(frozen=True, slots=True)
class Group:
    """A question with the sentences that compete for it."""

    question: str
    examples: tuple[Example, ...]


@dataclass(slots=True)
class _Ready:
    """An example as the model takes it."""

    ids: list[int]
    first: int
    """Where the sentence starts among the tokens; it ends before the last one."""
    right: bool
    answers: list[tuple[int, int]]
    """First and last token."""
    others: list[tuple[int, int]]
    """The same of the possible answers that are wrong."""

    @property
    def sentence(self) -> tuple[int, ...]:
        """The tokens of the sentence."""
        return tuple(self.ids[self.first :])


class _Adapted(nn.Module):
    """A linear layer with a low-rank addition."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        self.layer = layer
        width = layer.in_features
        self.a = nn.Parameter(torch.randn(_RANK, width) / math.sqrt(width))
        self.b = nn.Parameter(torch.zeros(layer.out_features, _RANK))

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        added = functional.linear(functional.linear(values, self.a), self.b)
        out: torch.Tensor = self.layer(values) + _SCALE * added
        return out


class _Model(nn.Module):
    """The bundled model with all layers adapted, and the heads."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        model: Any = BertModel.from_pretrained(str(folder))
        model.requires_grad_(False)
        self.embeddings = model.embeddings
        self.layers: Any = model.encoder.layer
        for layer in self.layers:
            attention = layer.attention.self
            for name in ("query", "key", "value"):
                setattr(attention, name, _Adapted(getattr(attention, name)))
            for part in (layer.attention.output, layer.intermediate, layer.output):
                part.dense = _Adapted(part.dense)
        self.heads = nn.Linear(model.config.hidden_size, 3)
        self.dropout = nn.Dropout(0.1)

    def forward(self, ids: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """(batch, tokens) -> (batch, tokens, 3)."""
        states = self.embeddings(ids)
        shut = (1.0 - mask[:, None, None, :].float()) * -1e9
        for layer in self.layers:
            out = layer(states, attention_mask=shut)
            states = out[0] if isinstance(out, tuple) else out
        heads: torch.Tensor = self.heads(self.dropout(states))
        return heads


def train(
    groups: Sequence[Group],
    folder: Path,
    sets: Sequence[str],
    *,
    epochs: int,
    start: Path | None = None,
) -> dict[str, Any]:
    """The arrays of `rag/data/cross_encoder.npz`, from the unpacked model in `folder`.

    `sets` names what it was trained on; the fits that use it leave those questions out. With
    `start`, training goes on from the arrays of that file, and its sets are named too; what its
    additions lack in rank is new.
    """
    torch.manual_seed(1)
    model = _Model(folder)
    known = set(sets)
    if start is not None:
        known |= seen_sets(start)
        with np.load(start) as arrays:
            for name, value in model.named_parameters():
                if value.requires_grad:
                    before = torch.from_numpy(arrays[_key(name)].astype(np.float32))
                    value.data[tuple(map(slice, before.shape))] = before
    ready = _prepared(groups, Onnx(folder).tokenizer)
    learned = [value for value in model.parameters() if value.requires_grad]
    highest = _RATE_GOING_ON if start else _RATE
    optimizer = torch.optim.AdamW(learned, lr=highest, weight_decay=0.01)
    rng, done, mean = random.Random(1), 0, 0.0
    rounds = [_batches(ready, rng) for _ in range(epochs)]
    steps = sum(map(len, rounds))
    model.train()
    with tqdm(total=steps, desc="training", file=sys.stderr) as bar:
        for batches in rounds:
            for batch in batches:
                # A short rise, then a straight fall.
                rate = min(1.0, done / (0.06 * steps), max(0.02, 1 - done / steps))
                for group in optimizer.param_groups:
                    group["lr"] = highest * rate
                loss = _loss(model, batch)
                optimizer.zero_grad()
                loss.backward()  # type: ignore[no-untyped-call]
                nn.utils.clip_grad_norm_(learned, 1.0)
                optimizer.step()
                done += 1
                mean = 0.98 * mean + 0.02 * float(loss.detach())
                bar.update()
                bar.set_postfix(loss=f"{mean / (1 - 0.98**done):.3f}", refresh=False)
    out: dict[str, Any] = {"scale": np.float32(_SCALE), "sets": np.array(sorted(known))}
    for name, value in model.named_parameters():
        if value.requires_grad:
            out[_key(name)] = value.detach().numpy().astype(np.float16)
    return out


def _key(name: str) -> str:
    """What a parameter is called in the file."""
    return f"encoder.{name.replace('layers.', 'layer.', 1)}" if "layers." in name else name


def _prepared(groups: Sequence[Group], tokenizer: Any) -> list[list[_Ready]]:
    out = []
    for group in groups:
        ready = []
        for example in group.examples:
            ids, first, spans = pair_ids(tokenizer, group.question, example.pair)
            answers = _tokens(example.answers, first, spans)
            others = [
                span
                for span in _tokens(example.spans, first, spans)
                if all(span[1] < start or span[0] > end for start, end in answers)
            ]
            ready.append(_Ready(ids, first, example.right, answers, others))
        if ready:
            out.append(ready)
    return out


def _tokens(
    stretches: Sequence[tuple[int, int]], first: int, spans: Sequence[tuple[int, int]]
) -> list[tuple[int, int]]:
    """First and last token of stretches of characters; those that were cut off are left out."""
    found = []
    for start, end in stretches:
        inside = [n for n, (at, stop) in enumerate(spans) if stop > start and at < end]
        if inside:
            found.append((first + inside[0], first + inside[-1]))
    return found


def _batches(ready: list[list[_Ready]], rng: random.Random) -> list[list[list[_Ready]]]:
    """Questions of like length together, in a random order; questions on one sentence together.

    A question and its near miss, which has the same sentence for its likeliest, are then compared.
    """
    about: dict[tuple[int, ...], list[list[_Ready]]] = {}
    for group in ready:
        best = next((one for one in group if one.right), group[0])
        about.setdefault(best.sentence, []).append(group)
    units = []
    for groups in about.values():
        rng.shuffle(groups)
        units += [groups[at : at + _ALIKE] for at in range(0, len(groups), _ALIKE)]
    rng.shuffle(units)
    batches: list[list[list[_Ready]]] = []
    for start in range(0, len(units), 40 * _TOGETHER):
        part = units[start : start + 40 * _TOGETHER]
        part.sort(key=lambda unit: max(len(one.ids) for group in unit for one in group))
        batches.append([])
        for unit in part:
            if len(batches[-1]) + len(unit) > _TOGETHER:
                batches.append([])
            batches[-1] += unit
    rng.shuffle(batches)
    return batches


def _contrasts(flat: Sequence[_Ready], relevance: torch.Tensor) -> list[torch.Tensor]:
    """Log losses of a sentence being more relevant to the questions that it answers than to others.

    One for each sentence that was found for questions of both sorts.
    """
    rows: dict[tuple[int, ...], tuple[list[int], list[int]]] = {}
    for row, one in enumerate(flat):
        rows.setdefault(one.sentence, ([], []))[one.right].append(row)
    return [
        functional.softplus(relevance[wrong][:, None] - relevance[right][None, :]).mean()
        for wrong, right in rows.values()
        if wrong and right
    ]


def _loss(model: _Model, groups: Sequence[Sequence[_Ready]]) -> torch.Tensor:
    """Twice the log loss of relevance, plus those of five choices.

    Among the sentences of a question, among the questions of a sentence, among all spans of a right
    sentence and none, the same of a wrong one, and, twice, among those spans of a right sentence
    that are possible short answers: which of several figures it is.
    """
    flat = [one for group in groups for one in group]
    longest = max(len(one.ids) for one in flat)
    ids = torch.ones(len(flat), longest, dtype=torch.long)
    mask = torch.zeros(len(flat), longest)
    for row, one in enumerate(flat):
        ids[row, : len(one.ids)] = torch.tensor(one.ids)
        mask[row, : len(one.ids)] = 1
    can = torch.cpu.get_capabilities()
    fast = bool(can.get("avx512_bf16") or can.get("amx_bf16"))
    with torch.autocast("cpu", torch.bfloat16, enabled=fast):
        heads = model(ids, mask)
    heads = heads.float()
    relevance = heads[:, 0, 0]
    right = torch.tensor([float(one.right) for one in flat])
    total = 2 * functional.binary_cross_entropy_with_logits(relevance, right)
    choices, at = [], 0
    for group in groups:
        scores, marks = relevance[at : at + len(group)], right[at : at + len(group)].bool()
        at += len(group)
        if marks.any() and not marks.all():
            choices.append(torch.logsumexp(scores, 0) - torch.logsumexp(scores[marks], 0))
    spans, absent, figures = [], [], []
    for row, one in enumerate(flat):
        # The first token stands for no answer at all (Devlin et al. 2019, on SQuAD 2).
        places = torch.tensor([0, *range(one.first, len(one.ids) - 1)])
        chances = torch.log_softmax(heads[row, places, 1:], 0)
        if not one.right:
            absent.append(-chances[0].mean())
        elif one.answers:
            before = one.first - 1
            mine, others = (
                [chances[a - before, 0] + chances[b - before, 1] for a, b in stretches]
                for stretches in (one.answers, one.others)
            )
            told = torch.logsumexp(torch.stack(mine), 0)
            spans.append(-told / 2)
            if others:
                chosen = torch.logsumexp(torch.stack([*mine, *others]), 0) - told
                figures.append(2 * chosen)
    for losses in (choices, _contrasts(flat, relevance), spans, absent, figures):
        if losses:
            total = total + torch.stack(losses).mean()
    return total
