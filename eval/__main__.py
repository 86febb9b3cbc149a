"""Command line of the evaluation: `python -m eval --gold FILE`; see `--help`."""

from __future__ import annotations

import argparse
import hashlib
import json
import re
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NoReturn

from eval import metrics
from eval.compare import (
    BASELINE,
    Comparison,
    Difference,
    compare,
    gate,
    set_name,
    update_baseline,
)
from eval.gold import GoldSet, context_name, load_gold, load_squad, locate_quotes
from eval.report import render
from eval.run import Report, System, evaluate, keep, load_report, write_text
from ingest.load import load
from ingest.pipeline import ingest
from ingest.release import read_release
from ingest.sources import discover
from rag.archive import Archive
from rag.errors import GoldError, InputError, RagError, SettingsError
from rag.schema import Release
from rag.settings import Settings

_SAMPLE = Path("data/releases")
SYSTEMS = ("ours", "naive", "bm25")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """One line, without the usage that would bury it."""
        self.exit(2, f"{self.prog}: {message}; see {self.prog} --help\n")


def _parser() -> _Parser:
    parser = _Parser(
        prog="python -m eval",
        description="Measure answers against gold questions, compare runs, guard a baseline.",
        allow_abbrev=False,
    )
    what = parser.add_argument_group("what to do (one of these)")
    one = what.add_mutually_exclusive_group(required=True)
    one.add_argument("--gold", type=Path, metavar="FILE", help="ask the questions of a gold file")
    one.add_argument("--squad", type=Path, metavar="FILE", help="ask those of a SQuAD file")
    one.add_argument("--rescore", type=Path, metavar="RESULT", help="score a kept run again")
    one.add_argument(
        "--compare", type=Path, nargs=2, metavar=("A", "B"), help="what changed from A to B"
    )
    one.add_argument(
        "--check", type=Path, metavar="FILE", help="hold a gold file's quotes to the corpus"
    )
    run = parser.add_argument_group("the run")
    run.add_argument(
        "--corpus", type=Path, metavar="DIR", help="ask this folder, indexed for the run only"
    )
    run.add_argument(
        "--data-dir", type=Path, metavar="DIR", help="ask this index (with --corpus: add to it)"
    )
    run.add_argument(
        "--questions", type=Path, metavar="FILE", help="with --squad: wording by id from here"
    )
    run.add_argument("--split", choices=("dev", "test", "all"), default="all")
    run.add_argument("--limit", type=int, metavar="N", help="at most N questions, spread evenly")
    run.add_argument(
        "--system",
        choices=SYSTEMS,
        action="append",
        help="what to measure (default: ours); repeat it to have baselines in the same report",
    )
    out = parser.add_argument_group("the outcome")
    out.add_argument("--json", type=Path, metavar="OUT", help="write the result; - for stdout")
    out.add_argument("--report", type=Path, metavar="OUT.html", help="write a page to read")
    out.add_argument("--gate", action="store_true", help="exit 1 when worse than the baseline")
    out.add_argument(
        "--update-baseline", action="store_true", help="make this run the baseline of its set"
    )
    out.add_argument("--baseline", type=Path, default=BASELINE, help=argparse.SUPPRESS)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns 0 done, 1 something failed, 2 bad input."""
    parser = _parser()
    options = parser.parse_args(arguments)
    if problem := _misuse(options):
        parser.error(problem)
    try:
        if options.check:
            return _check(options)
        if options.compare:
            return _compare(options)
        report = load_report(options.rescore) if options.rescore else _run(options)
        return _finish(report, options)
    except (GoldError, InputError, SettingsError) as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 2
    except RagError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(f"{parser.prog}: stopped", file=sys.stderr)
        return 130


def _misuse(options: argparse.Namespace) -> str | None:
    runs = bool(options.gold or options.squad)
    if options.questions and not options.squad:
        return "--questions goes with --squad"
    if options.squad and (options.corpus or options.data_dir):
        return "--squad brings its own corpus; leave out --corpus and --data-dir"
    if not runs and (options.system or options.limit is not None or options.split != "all"):
        return "--system, --split and --limit go with --gold or --squad"
    if not runs and not options.check and (options.corpus or options.data_dir):
        return "--corpus and --data-dir go with --gold or --check"
    if options.limit is not None and options.limit < 1:
        return "--limit must be 1 or more"
    if options.limit is not None and (options.gate or options.update_baseline):
        return "--gate and --update-baseline need the whole set; leave out --limit"
    if (options.compare or options.check) and (options.gate or options.update_baseline):
        return "--gate and --update-baseline go with a run or --rescore"
    if options.check and (options.json or options.report):
        return "--check writes no file; leave out --json and --report"
    return None


# --- Runs --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Corpus:
    releases: tuple[Release, ...]
    """One for each source, so that every file name is known."""
    folder: Path | None
    """To be indexed by systems that need an index; None when the data folder has one."""
    settings: Settings


def _run(options: argparse.Namespace) -> Report:
    path: Path = options.squad or options.gold
    gold = load_squad(path, options.questions) if options.squad else load_gold(path)
    gold = gold.only(options.split, options.limit)
    names = tuple(dict.fromkeys(options.system or ["ours"]))
    facts = {
        "set": gold.name,
        "sha256": {
            each.name: hashlib.sha256(each.read_bytes()).hexdigest()
            for each in (path, options.questions)
            if each
        },
        "split": options.split,
        "limit": options.limit,
    }
    reports: dict[str, Report] = {}
    with _corpus(options, gold) as corpus:
        if gold.contexts == ():
            # Before the indexing, which takes much longer than to find a wrong quote.
            locate_quotes(gold, corpus.releases)
        for name in names:
            started = time.perf_counter()
            with _system(name, corpus) as system:
                ready = time.perf_counter() - started
                reports[name] = evaluate(
                    system,
                    gold,
                    corpus=corpus.releases,
                    progress=True,
                    config={
                        **facts,
                        "system": name,
                        "ready_seconds": round(ready, 1),
                        "settings": _shown(corpus.settings),
                    },
                )
    first, *others = names
    return replace(reports[first], baselines={name: reports[name] for name in others})


@contextmanager
def _corpus(options: argparse.Namespace, gold: GoldSet) -> Iterator[_Corpus]:
    """The releases to ask, for the time of a run; raises `InputError` when there is none."""
    if not gold.contexts and (options.data_dir or not options.corpus):
        settings = Settings(data_dir=options.data_dir) if options.data_dir else Settings()
        if options.corpus:
            for failure in ingest([options.corpus], settings, progress=True).failed:
                print(f"left out: {failure.reason}", file=sys.stderr)
        yield _Corpus(tuple(_archived(settings)), None, settings)
        return
    with tempfile.TemporaryDirectory(prefix="eval-", ignore_cleanup_errors=True) as temporary:
        folder = options.corpus or Path(temporary, "contexts")
        if gold.contexts:
            folder.mkdir()
            for index, context in enumerate(gold.contexts):
                Path(folder, context_name(index)).write_text(context, encoding="utf-8")
        # Never the configured servers: a measurement writes to its own folder alone.
        settings = Settings(data_dir=Path(temporary, "data"), database_url=None, chroma_url=None)
        yield _Corpus(tuple(_read(folder)), folder, settings)


def _archived(settings: Settings) -> list[Release]:
    if not settings.database_url and not settings.data_dir.is_dir():
        raise InputError(
            f"no data folder {settings.data_dir}; ingest releases first, or give --corpus DIR"
        )
    with Archive.open(settings) as archive:
        releases = {release.id: release for release in archive.releases()}
        sources = archive.sources().values()
    named = [
        replace(releases[source.release_id], source=source.path)
        for source in sources
        if source.release_id in releases
    ]
    if not named:
        raise InputError(
            f"no releases in {settings.data_dir}; ingest some first, or give --corpus DIR"
        )
    return named


def _read(folder: Path) -> list[Release]:
    """The readable releases of a folder; those that are not are named on stderr."""
    releases: list[Release] = []
    for path in discover([folder]):
        try:
            releases.append(read_release(load(path), str(path)))
        except InputError as error:
            print(f"left out: {error}", file=sys.stderr)
    if not releases:
        raise InputError(f"no readable releases in {folder}; give a folder of .md or .txt files")
    return releases


@contextmanager
def _system(name: str, corpus: _Corpus) -> Iterator[System]:
    unique = list({release.id: release for release in corpus.releases}.values())
    if name == "naive":
        from eval.baselines import Naive
        from rag.embedding import open_embedder

        yield Naive(unique, open_embedder(corpus.settings).encoder)
    elif name == "bm25":
        from eval.baselines import Bm25

        yield Bm25(unique)
    else:
        from rag.assistant import Assistant

        if corpus.folder is not None:
            ingest([corpus.folder], corpus.settings, progress=True)
        with Assistant.open(corpus.settings) as assistant:
            yield assistant


def _shown(settings: Settings) -> dict[str, Any]:
    values: dict[str, Any] = settings.model_dump(mode="json")
    # User names and passwords of servers have no place in a result.
    return {
        key: re.sub(r"//[^/@]*@", "//", value) if isinstance(value, str) else value
        for key, value in values.items()
    }


# --- Outcomes ----------------------------------------------------------------------------------


def _finish(report: Report, options: argparse.Namespace) -> int:
    if not options.rescore:
        print(f"kept in {keep(report)}", file=sys.stderr)
    to_stdout = str(options.json) == "-"
    # With JSON on stdout the tables would spoil it.
    out = sys.stderr if to_stdout else sys.stdout
    if to_stdout:
        json.dump(report.to_dict(), sys.stdout, ensure_ascii=False, indent=1)
        print()
    elif options.json:
        report.save(options.json)
    if not to_stdout:
        print(_metrics_table(report))
    if options.report:
        write_text(options.report, render(report))
    status = 0
    if options.gate:
        verdict = gate(report, options.baseline)
        print(f"\nagainst the baseline of {set_name(report)}:", file=out)
        print(_differences_table(verdict.differences), file=out)
        for failure in verdict.failures:
            print(f"gate: {failure}", file=sys.stderr)
        status = 1 if verdict.failures else 0
    if options.update_baseline:
        changes = update_baseline(report, options.baseline)
        print(f"\nbaseline of {set_name(report)} updated in {options.baseline}", file=out)
        print(_differences_table(changes) if changes else "it is the first of its set", file=out)
    return status


def _check(options: argparse.Namespace) -> int:
    gold = load_gold(options.check)
    if options.data_dir:
        releases = _archived(Settings(data_dir=options.data_dir))
    else:
        releases = _read(options.corpus or _SAMPLE)
    locate_quotes(gold, releases)
    quotes = sum(len(question.evidence) for question in gold.questions)
    unanswerable = sum(not question.answerable for question in gold.questions)
    pairs = len({question.pair for question in gold.questions})
    print(
        f"{options.check}: {len(gold.questions)} questions ({pairs} counting translations once,"
        f" {unanswerable} unanswerable), all {quotes} quotes found"
    )
    return 0


def _compare(options: argparse.Namespace) -> int:
    first, second = (load_report(path) for path in options.compare)
    found = compare(first, second)
    if options.report:
        name = options.compare[0].stem
        write_text(options.report, render(second, other=first, other_name=name))
    if options.json:
        text = json.dumps(_comparison_block(found), ensure_ascii=False, indent=1)
        if str(options.json) == "-":
            print(text)
            return 0
        write_text(options.json, text + "\n")
    print(f"{found.common} common questions")
    for label, ids in (("A", found.only_first), ("B", found.only_second)):
        if ids:
            print(f"only in {label}: {len(ids)}, the first is {ids[0]}")
    print(_differences_table(found.differences, "A", "B"))
    print(
        f"\nright in B only {len(found.gained)}, right in A only {len(found.lost)};"
        f" McNemar's exact p = {found.mcnemar:.4f}"
    )
    for title, pairs in (("became right", found.gained), ("became wrong", found.lost)):
        for one, two in pairs:
            print(f"\n{title}: {one.record.id}: {one.record.question}")
            for label, each in (("A", one), ("B", two)):
                said = each.record.short if each.answered else "(refused)"
                print(f"  {label}: {_one_line(said)}")
    return 0


def _comparison_block(found: Comparison) -> dict[str, Any]:
    return {
        "common": found.common,
        "mcnemar": found.mcnemar,
        "metrics": {
            each.metric: {
                "a": each.first,
                "b": each.second,
                "difference": each.difference,
                "interval": each.interval,
                "verdict": each.verdict,
            }
            for each in found.differences
        },
        "changed": [
            {
                "id": one.record.id,
                "question": one.record.question,
                "correct": {"a": one.correct, "b": two.correct},
                "a": {"status": one.record.status, "short": one.record.short},
                "b": {"status": two.record.status, "short": two.record.short},
            }
            for one, two in (*found.gained, *found.lost)
        ],
        "only_a": list(found.only_first),
        "only_b": list(found.only_second),
    }


def _one_line(text: str, limit: int = 160) -> str:
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _metrics_table(report: Report) -> str:
    config = report.config
    head = ["metric", str(config.get("system", "system")), "95 %", *report.baselines]
    rows = [head]
    for name in metrics.NAMES:
        interval = report.intervals.get(name)
        rows.append(
            [
                name,
                _cell(name, report.metrics[name]),
                ""
                if interval is None
                else f"{_cell(name, interval[0])}-{_cell(name, interval[1])}",
                *(_cell(name, each.metrics[name]) for each in report.baselines.values()),
            ]
        )
    rows.append(["calibration_error", _cell("", report.ece), ""])
    by_chance = metrics.calibration_by_chance(report.calibration)
    rows.append(["by chance alone", _cell("", by_chance), ""])
    title = f"{config.get('set', 'result')}: {len(report.scored)} questions"
    return f"{title}\n{_aligned(rows)}"


def _differences_table(
    differences: Sequence[Difference], first: str = "baseline", second: str = "now"
) -> str:
    rows = [["metric", first, second, "difference", "95 %", ""]]
    rows += [
        [
            each.metric,
            _cell(each.metric, each.first),
            _cell(each.metric, each.second),
            "-" if each.difference is None else f"{each.difference:+.3f}",
            "" if each.interval is None else "[{:+.3f}, {:+.3f}]".format(*each.interval),
            each.verdict,
        ]
        for each in differences
    ]
    return _aligned(rows)


def _cell(name: str, value: float | None) -> str:
    if value is None:
        return "-"
    if name == "unsupported_figures":
        return f"{value:.0f}"
    return f"{value:.1f}" if name in metrics.LATENCIES else f"{value:.3f}"


def _aligned(rows: Sequence[Sequence[str]]) -> str:
    widths = [
        max((len(row[column]) for row in rows if column < len(row)), default=0)
        for column in range(max(len(row) for row in rows))
    ]
    return "\n".join(
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=False))
        ).rstrip()
        for row in rows
    )


if __name__ == "__main__":
    sys.exit(main())
