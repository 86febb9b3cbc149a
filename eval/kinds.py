"""`python -m eval.kinds`: what questions are taken to ask for, against the kinds of their answers.

    python -m eval.kinds GOLD.jsonl ... [--show N]

Prints, for each kind of gold answer, how many questions there are and which share of them is read
as asking for it (`rag.question`, `rag.expected`), and up to N questions that are not. Nothing is
asked: a mistake that takes the answer from every question of a common form is seen here in seconds.
On questions that the kinds were learned from the model has an easier task than on yours.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from eval.fit_kinds import kind_of
from eval.gold import Question, load_gold
from rag.errors import RagError
from rag.expected import FIGURES, KINDS, Kind, expecting
from rag.question import Want, understand
from rag.spans import wants_of


def wanted(question: Question) -> frozenset[Want]:
    """What a gold question is taken to ask for."""
    return expecting(understand(question.question)).wants


def asks_for(question: Question, wants: frozenset[Want]) -> bool:
    """Whether the gold answer is among what is wanted; any answer may be a text."""
    kind = kind_of(question)
    looked_for = wants_of(question.figure) if question.figure else frozenset[Want]()
    return kind == "text" or bool(wants & {FIGURES.get(kind, kind), *looked_for})


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table and the questions that are read as asking for something else."""
    parser = argparse.ArgumentParser(prog="python -m eval.kinds", description=__doc__)
    parser.add_argument("gold", nargs="+", type=Path, metavar="GOLD.jsonl")
    parser.add_argument("--show", type=int, default=20, metavar="N", help="questions of each kind")
    options = parser.parse_args(arguments)
    found: dict[Kind, list[tuple[Question, frozenset[Want]]]] = {kind: [] for kind in KINDS}
    try:
        for path in options.gold:
            for question in load_gold(path).questions:
                if question.answerable:
                    found[kind_of(question)].append((question, wanted(question)))
    except RagError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"{'kind':10}{'questions':>10}{'asked for':>11}")
    missed = {kind: [one for one in each if not asks_for(*one)] for kind, each in found.items()}
    for kind, each in found.items():
        if each and kind != "text":
            print(f"{kind:10}{len(each):>10}{1 - len(missed[kind]) / len(each):>11.3f}")
    for kind, each in missed.items():
        for question, wants in each[: max(0, options.show)]:
            print(f"{kind}: {question.question} [read as {', '.join(sorted(wants))}]")
    return 0


if __name__ == "__main__":
    sys.exit(main())
