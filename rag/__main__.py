"""`python -m rag "question"`: ask from the command line."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from rag.assistant import Assistant
from rag.errors import QuestionError, RagError, SettingsError
from rag.schema import Answer
from rag.settings import Settings


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; the exit status (0 done, also for a refusal; 1 failed; 2 bad usage)."""
    parser = argparse.ArgumentParser(prog="python -m rag", description="Ask the releases.")
    parser.add_argument("question", help="in Vietnamese or English")
    parser.add_argument("--json", action="store_true", help="print the whole answer as JSON")
    parser.add_argument("--data-dir", type=Path, help="where the collection lives (default: var)")
    options = parser.parse_args(arguments)
    try:
        settings = Settings(**({"data_dir": options.data_dir} if options.data_dir else {}))
        with Assistant.open(settings) as assistant:
            answer = assistant.ask(options.question)
    except (QuestionError, SettingsError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except RagError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 1
    told = json.dumps(answer.to_dict(), ensure_ascii=False) if options.json else _plain(answer)
    try:
        print(told, flush=True)
    except BrokenPipeError:
        # The reader has seen enough (`| head`); what is left must not fail at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def _plain(answer: Answer) -> str:
    lines = [answer.text]
    for citation in answer.citations:
        known = (citation.number, citation.issued, citation.issuer, citation.source)
        page = f", page {citation.page}" if citation.page else ""
        told = " · ".join(str(part) for part in known if part)
        lines.append(
            f"[{citation.marker}] {told}{page}, characters {citation.start}-{citation.end}"
        )
    if answer.status != "not_found":
        lines.append(f"({answer.status}, confidence {answer.confidence:.2f})")
    return "\n\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
