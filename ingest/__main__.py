"""`python -m ingest`: bring releases in, list them, check them, take them out."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from ingest.pipeline import ingest, prune, rebuild, remove, verify
from rag.archive import Archive
from rag.errors import RagError, SettingsError
from rag.settings import Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status (0 done, 1 something failed, 2 bad usage)."""
    parser = argparse.ArgumentParser(
        prog="python -m ingest", description="Bring government releases into the collection."
    )
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH", help="files or folders")
    parser.add_argument("--data-dir", type=Path, help="where the collection lives (default: var)")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--list", action="store_true", help="list the releases")
    action.add_argument("--remove", metavar="ID", help="take out a release by id, number or path")
    action.add_argument("--prune", action="store_true", help="take out files that are gone")
    action.add_argument("--verify", action="store_true", help="compare indexes and archive")
    action.add_argument("--rebuild", action="store_true", help="make the indexes again")
    options = parser.parse_args(arguments)
    acting = options.list or options.remove or options.prune or options.verify or options.rebuild
    if bool(options.paths) == bool(acting):
        parser.error("give either files or folders to ingest, or one of the options")
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


def _run(options: argparse.Namespace, settings: Settings) -> int:
    if options.list:
        return _list(settings, as_json=options.json)
    if options.remove:
        paths = remove(options.remove, settings)
        print(json.dumps({"removed": paths}) if options.json else f"removed {', '.join(paths)}")
        return 0
    if options.prune:
        paths = prune(settings)
        print(json.dumps({"removed": paths}) if options.json else f"removed {len(paths)}")
        return 0
    if options.verify:
        problems = verify(settings)
        if options.json:
            print(json.dumps({"problems": problems}))
        else:
            print("\n".join(problems) or "the archive and both indexes agree")
        return 1 if problems else 0
    if options.rebuild:
        passages = rebuild(settings, progress=sys.stderr.isatty())
        print(json.dumps({"passages": passages}) if options.json else f"{passages} passages")
        return 0
    summary = ingest(options.paths, settings, progress=sys.stderr.isatty() or not options.json)
    if options.json:
        print(json.dumps(asdict(summary), ensure_ascii=False))
    else:
        print(summary.line())
    for failure in summary.failed:
        print(f"failed: {failure.reason}", file=sys.stderr)
    return 1 if summary.failed else 0


def _list(settings: Settings, *, as_json: bool) -> int:
    with Archive.open(settings) as archive:
        releases = archive.releases()
        rows = [
            {
                "id": release.id,
                "number": release.number,
                "issued": release.issued.isoformat() if release.issued else None,
                "issuer": release.issuer,
                "title": release.title,
                "language": release.language,
                "signer": release.signer,
                "kind": release.kind,
                "source": release.source,
                "passages": len(archive.passages_of(release.id)),
            }
            for release in releases
        ]
    if as_json:
        print(json.dumps(rows, ensure_ascii=False))
    elif not rows:
        print("no releases yet; run: python -m ingest data/releases")
    else:
        for row in rows:
            shown = (row["id"], row["number"], row["issued"], row["issuer"], row["title"])
            print("  ".join(str(value) if value is not None else "–" for value in shown))
    return 0


if __name__ == "__main__":
    sys.exit(main())
