"""`python -m ingest`: bring releases in, keep them in step, check, move and take them out."""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path

from ingest.pipeline import Summary, gone, ingest, prune, rebuild, remove, verify
from ingest.sources import SourceOptions
from ingest.transfer import export_collection, import_collection
from ingest.watch import watch
from rag.archive import Archive
from rag.errors import RagError, SettingsError
from rag.settings import Settings

_ABOUT = """\
Bring government releases into the collection, and keep it in step with where they come from: files,
folders, ZIP archives and URLs. What is there already costs next to nothing."""
_STATUS = """\
Results go to stdout, progress and failures to stderr. Exit status: 0 done, 1 something failed (each
failure is one line with its file, its stage and what to do), 2 bad usage."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status (0 done, 1 something failed, 2 bad usage)."""
    parser = _parser()
    options = parser.parse_args(arguments)
    actions = ("list", "remove", "prune", "verify", "rebuild", "export", "import_")
    acting = any(getattr(options, name) for name in actions)
    if bool(options.paths) == bool(acting):
        parser.error("give either something to ingest, or one of the actions")
    if acting and (
        options.watch or options.manifest or options.include or options.exclude or options.since
    ):
        parser.error("--watch, --manifest, --include, --exclude, --since go with something to take")
    try:
        settings = Settings(**({"data_dir": options.data_dir} if options.data_dir else {}))
        return _run(options, settings)
    except SettingsError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except RagError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted; run the same command again to go on", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m ingest", description=_ABOUT, epilog=_STATUS)
    parser.add_argument("paths", nargs="*", metavar="PATH", help="files, folders, ZIPs or URLs")
    parser.add_argument("--data-dir", type=Path, help="where the collection lives (default: var)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    taking = parser.add_argument_group("what is taken")
    taking.add_argument(
        "--include",
        action="append",
        default=[],
        metavar="GLOB",
        help="take only what fits, by name or path in the folder; may be given again",
    )
    taking.add_argument(
        "--exclude",
        action="append",
        default=[],
        metavar="GLOB",
        help="leave out what fits; goes before --include; may be given again",
    )
    taking.add_argument(
        "--since",
        type=_day,
        metavar="DATE",
        help="of feeds and sitemaps, take what is dated on or after this day (YYYY-MM-DD)",
    )
    taking.add_argument(
        "--allow-private",
        action="store_true",
        help="let URLs lead to private and loopback addresses",
    )
    taking.add_argument(
        "--manifest",
        type=Path,
        metavar="CSV",
        help="metadata by file, over what the files say; to be given each time",
    )
    taking.add_argument(
        "--engine",
        choices=("local", "ray"),
        default="local",
        help="where files are read and embedded: here, or on Ray Data (see docs/servers.md)",
    )
    taking.add_argument(
        "--watch",
        action="store_true",
        help="go on: ingest whatever changes in the given folders, until interrupted",
    )
    group = parser.add_argument_group("actions, in place of PATH")
    action = group.add_mutually_exclusive_group()
    action.add_argument("--list", action="store_true", help="list the releases")
    action.add_argument("--remove", metavar="ID", help="take out a release by id, number or path")
    action.add_argument(
        "--prune", action="store_true", help="take out what is gone, after asking; see --yes"
    )
    action.add_argument("--verify", action="store_true", help="compare archive and indexes")
    action.add_argument("--rebuild", action="store_true", help="make both indexes again")
    action.add_argument(
        "--export", type=Path, metavar="FILE", help="write the whole collection to one file"
    )
    action.add_argument(
        "--import",
        type=Path,
        metavar="FILE",
        dest="import_",
        help="bring in such a file; releases that are there already stay as they are",
    )
    parser.add_argument(
        "--yes",
        action="store_true",
        help="with --prune: do not ask; with --watch: take out files that are deleted",
    )
    return parser


def _run(options: argparse.Namespace, settings: Settings) -> int:
    if options.list:
        return _list(settings, as_json=options.json)
    if options.remove:
        paths = remove(options.remove, settings)
        print(json.dumps({"removed": paths}) if options.json else f"removed {', '.join(paths)}")
        return 0
    if options.prune:
        return _prune(options, settings)
    if options.verify:
        problems = verify(settings)
        if options.json:
            print(json.dumps({"problems": problems}, ensure_ascii=False))
        else:
            print("\n".join(problems) or "the archive and both indexes agree")
        return 1 if problems else 0
    if options.rebuild:
        passages = rebuild(settings, progress=sys.stderr.isatty())
        print(json.dumps({"passages": passages}) if options.json else f"{passages} passages")
        return 0
    if options.export:
        written = export_collection(options.export, settings)
        told = f"{written.releases} releases, {written.passages} passages in {options.export}"
        print(json.dumps(asdict(written)) if options.json else told)
        return 0
    if options.import_:
        brought = import_collection(options.import_, settings)
        told = f"{brought.releases} releases, {brought.passages} passages brought in"
        print(json.dumps(asdict(brought)) if options.json else told)
        return 0
    if options.watch:
        return _watch(options, settings)
    summary = _ingest(options, settings, progress=sys.stderr.isatty() or not options.json)
    return _tell(summary, as_json=options.json)


def _ingest(options: argparse.Namespace, settings: Settings, *, progress: bool) -> Summary:
    return ingest(
        options.paths,
        settings,
        options=_source_options(options),
        manifest=options.manifest,
        engine=options.engine,
        progress=progress,
    )


def _source_options(options: argparse.Namespace) -> SourceOptions:
    return SourceOptions(
        include=tuple(options.include),
        exclude=tuple(options.exclude),
        since=options.since,
        allow_private=options.allow_private,
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text} is not a day; write it as YYYY-MM-DD") from None


def _tell(summary: Summary, *, as_json: bool) -> int:
    if as_json:
        print(json.dumps(asdict(summary), ensure_ascii=False), flush=True)
    else:
        print(summary.line(), flush=True)
        for renamed in summary.renamed:
            print(f"renamed: {renamed.former} is now {renamed.source}")
        for duplicate in summary.duplicates:
            print(f"duplicate: {duplicate.source} holds the same as {duplicate.of}")
        for near in summary.near_duplicates:
            print(f"near-duplicate: {near.line()}")
        for superseded in summary.superseded:
            print(f"superseded: {superseded.source} by {superseded.by}")
    for note in summary.notes:
        print(f"note: {note}", file=sys.stderr)
    for failure in summary.failed:
        named = "" if failure.source in failure.reason else f"{failure.source}: "
        print(f"failed ({failure.stage}): {named}{failure.reason}", file=sys.stderr)
    return 1 if summary.failed else 0


def _prune(options: argparse.Namespace, settings: Settings) -> int:
    lost = gone(settings, options=_source_options(options))
    if lost and not options.yes:
        for path in lost:
            print(f"gone: {path}", file=sys.stderr)
        if not sys.stdin.isatty():
            print(
                f"error: {len(lost)} sources would be taken out, and there is no one to ask; "
                "add --yes to take them out",
                file=sys.stderr,
            )
            return 2
        print(f"take out these {len(lost)}? [y/N] ", end="", file=sys.stderr, flush=True)
        if sys.stdin.readline().strip().lower() not in ("y", "yes"):
            lost = []
    paths = prune(settings, lost)
    print(json.dumps({"removed": paths}) if options.json else f"removed {len(paths)}")
    return 0


def _watch(options: argparse.Namespace, settings: Settings) -> int:
    """Ingest again after each change, until interrupted; the exit status of the last time."""
    status = 0

    def step(changed: frozenset[Path]) -> None:
        nonlocal status
        summary = _ingest(options, settings, progress=False)
        lost = gone(settings, options=_source_options(options)) if options.yes else []
        removed = prune(settings, lost) if lost else []
        status = _tell(summary, as_json=options.json)
        for path in removed:
            print(f"removed: {path}", flush=True)

    watch(options.paths, step, ignore=[settings.data_dir])
    return status


def _list(settings: Settings, *, as_json: bool) -> int:
    with Archive.open(settings) as archive:
        passages = Counter(archive.passage_ids().values())
        sources: dict[str, list[str]] = {}
        for source in archive.sources().values():
            sources.setdefault(source.release_id, []).append(source.path)
        superseded = archive.superseded()
        rows = [
            {
                "id": release.id,
                "number": release.number,
                "issued": release.issued.isoformat() if release.issued else None,
                "issuer": release.issuer,
                "title": release.title,
                "subject": release.subject,
                "place": release.place,
                "language": release.language,
                "signer": release.signer,
                "kind": release.kind,
                "supersedes": release.supersedes,
                "superseded_by": superseded.get(release.id),
                "provenance": dict(release.provenance),
                "source": release.source,
                "sources": sorted(sources.get(release.id, [])),
                "passages": passages[release.id],
            }
            for release in archive.releases(texts=False)
        ]
    if as_json:
        print(json.dumps(rows, ensure_ascii=False))
    elif not rows:
        print("no releases yet; run: python -m ingest data/releases")
    else:
        for row in rows:
            shown = [row["id"], row["number"], row["issued"], row["issuer"], row["title"]]
            line = "  ".join(str(value) if value is not None else "–" for value in shown)
            print(
                f"{line}  (superseded by {row['superseded_by']})" if row["superseded_by"] else line
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
