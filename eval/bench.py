"""`python -m eval.bench`: how long things take and how much memory they need, on this machine.

Every figure is taken in a process of its own, started for it, so that nothing is warm that a person
would find cold, and one measurement's memory is not another's. Answers are never cached: each
question is asked once. Prints a table and, as the last line, the same as one JSON object.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
QUESTIONS = ROOT / "eval" / "data"
RELEASES = ROOT / "data" / "releases"
AIMS = {
    "weights_seconds": ("set-up of the weights, once", "s", None),
    "cold_start_seconds": ("new process to its first answer", "s", "< 8"),
    "answer_p50_ms": ("answer, median", "ms", "< 150"),
    "answer_p95_ms": ("answer, 95th percentile", "ms", "< 400"),
    "questions": ("different questions asked", "", ">= 40"),
    "ingest_passages_per_second": ("ingest", "passages/s", ">= 15"),
    "ingest_tokens_per_passage": ("tokens of such a passage, mean", "", "about 170"),
    "ask_peak_mb": ("peak memory, asking", "MB", "< 1500"),
    "ingest_peak_mb": ("peak memory, ingesting", "MB", "< 1500"),
}
"""What is measured: a name for people, the unit, and the aim on two cores."""
PASSAGES = 160
PASSAGE_TOKENS = 170
COLD_STARTS = 3
MOST_QUESTIONS = 200
"""Of more, every second, third … is asked, so that the whole stays within minutes."""

Measured = dict[str, float]


def measure() -> Measured:
    """Run every measurement in turn; takes one to three minutes on two cores.

    Raises RuntimeError when a measurement fails, with the last line of what it said.
    """
    with tempfile.TemporaryDirectory(prefix="release-qa-bench-") as name:
        work = Path(name)
        asked = str(work / "asked")
        _tell("unpacking the weights into an empty folder")
        measured = _child("weights", str(work / "cache"))
        _tell("ingesting the sample releases")
        _run("-m", "ingest", str(RELEASES), "--data-dir", asked)
        _tell(f"starting {COLD_STARTS} new processes for one answer each")
        question = _questions()[0]
        starts = []
        for _ in range(COLD_STARTS):
            begun = time.perf_counter()
            _run("-m", "rag", question, "--json", "--data-dir", asked)
            starts.append(time.perf_counter() - begun)
        measured["cold_start_seconds"] = statistics.median(starts)
        _tell("asking every question once")
        measured |= _child("ask", asked)
        _tell(f"ingesting {PASSAGES} passages")
        measured |= _child("ingest", str(work / "filled"), str(work / "releases"))
    return measured


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least `share` (0-1) of the values do not exceed (nearest rank).

    Raises ValueError for no values.
    """
    if not values:
        raise ValueError("no values")
    ranked = sorted(values)
    rank = -(-round(share * 100) * len(ranked) // 100)
    return ranked[max(rank, 1) - 1]


def table(measured: Measured) -> str:
    """The measurements as text in columns."""
    rows = [("", "measured", "", "aim on two cores")]
    for key, (name, unit, aim) in AIMS.items():
        value = measured[key]
        shown = f"{value:.0f}" if value >= 100 or value == int(value) else f"{value:.2f}"
        rows.append((name, shown, unit, aim or ""))
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    return "\n".join(
        f"{name:<{widths[0]}}  {shown:>{widths[1]}} {unit:<{widths[2]}}  {aim}".rstrip()
        for name, shown, unit, aim in rows
    )


def _questions() -> list[str]:
    found: dict[str, None] = {}
    for path in sorted(QUESTIONS.glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.strip():
                found[json.loads(line)["question"]] = None
    if len(found) < 40:
        raise RuntimeError(f"{QUESTIONS} holds {len(found)} different questions, 40 are needed")
    return list(found)[:: -(-len(found) // MOST_QUESTIONS)]


# In the processes that are measured


def _measure_weights(cache: str) -> Measured:
    from rag.weights import unpack

    begun = time.perf_counter()
    unpack(Path(cache))
    return {"weights_seconds": time.perf_counter() - begun}


def _measure_ask(data_dir: str) -> Measured:
    from rag.assistant import Assistant
    from rag.settings import Settings

    seconds = []
    with Assistant.open(Settings(data_dir=data_dir)) as assistant:
        for question in _questions():
            begun = time.perf_counter()
            assistant.ask(question)
            seconds.append(time.perf_counter() - begun)
    return {
        "questions": float(len(seconds)),
        "answer_p50_ms": 1000 * percentile(seconds, 0.5),
        "answer_p95_ms": 1000 * percentile(seconds, 0.95),
        "ask_peak_mb": _peak_mb(),
    }


def _measure_ingest(data_dir: str, folder: str) -> Measured:
    from ingest import ingest
    from rag.archive import Archive
    from rag.embedding import open_embedder
    from rag.settings import Settings

    settings = Settings(data_dir=data_dir)
    embedder = open_embedder(settings)
    _write_releases(Path(folder), embedder.count)
    begun = time.perf_counter()
    summary = ingest([folder], settings, embedder=embedder)
    seconds = time.perf_counter() - begun
    peak = _peak_mb()
    with Archive.open(settings) as archive:
        tokens = [
            embedder.count(passage.text)
            for release in archive.releases()
            for passage in archive.passages_of(release.id)
        ]
    return {
        "ingest_passages_per_second": summary.embedded / seconds,
        "ingest_tokens_per_passage": statistics.mean(tokens),
        "ingest_peak_mb": peak,
    }


def _write_releases(folder: Path, count: Callable[[str], int]) -> None:
    """Releases of made-up paragraphs of about the same size, out of the samples' sentences."""
    from rag.language import sentences

    texts = [path.read_text(encoding="utf-8") for path in sorted(RELEASES.glob("*.md"))]
    said = [text[start:end] for text in texts for start, end in sentences(text)]
    said = [sentence for sentence in said if 10 <= count(sentence) <= PASSAGE_TOKENS // 2]
    folder.mkdir(parents=True)
    paragraphs: list[str] = []
    at = 0
    while len(paragraphs) < PASSAGES:
        # A number of its own keeps paragraphs apart once the sentences come round again.
        paragraph = f"Mục {len(paragraphs) + 1}."
        while count(f"{paragraph} {said[at % len(said)]}") <= PASSAGE_TOKENS + 15:
            paragraph = f"{paragraph} {said[at % len(said)]}"
            at += 1
        paragraphs.append(paragraph)
    for number, start in enumerate(range(0, PASSAGES, 20)):
        text = "\n\n".join(paragraphs[start : start + 20])
        (folder / f"{number:02}.txt").write_text(text + "\n", encoding="utf-8")


def _peak_mb() -> float:
    """Peak resident memory of this process in megabytes (10^6 bytes)."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


_MEASUREMENTS: dict[str, Callable[..., Measured]] = {
    "weights": _measure_weights,
    "ask": _measure_ask,
    "ingest": _measure_ingest,
}


# Around them


def _child(name: str, *arguments: str) -> Measured:
    measured: Measured = json.loads(
        _run("-m", "eval.bench", "--measure", name, *arguments).splitlines()[-1]
    )
    return measured


def _run(*arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = [line for line in done.stderr.splitlines() if line.strip()]
        raise RuntimeError(said[-1] if said else f"exit status {done.returncode}")
    return done.stdout


def _tell(doing: str) -> None:
    print(doing, file=sys.stderr, flush=True)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status (0 done, 1 a measurement failed, 2 bad usage)."""
    parser = argparse.ArgumentParser(prog="python -m eval.bench", description="Measure speed.")
    parser.add_argument("--json", type=Path, metavar="OUT", help="write the result to a file too")
    parser.add_argument("--measure", nargs="+", metavar="NAME", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.measure:
        name, *rest = options.measure
        print(json.dumps(_MEASUREMENTS[name](*rest)))
        return 0
    try:
        measured = measure()
    except RuntimeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    machine = {"cores": os.cpu_count(), "python": platform.python_version()}
    rounded = {key: round(measured[key], 3) for key in AIMS}
    result = json.dumps({**rounded, "machine": machine})
    if options.json:
        options.json.write_text(result + "\n", encoding="utf-8")
    print(table(measured))
    print(result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
