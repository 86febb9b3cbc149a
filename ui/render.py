"""Answers and releases as Markdown and HTML that are safe to show.

Whatever comes from a release, a question or a chat model is untrusted. This module is the only
place where it becomes markup: `bubble` and `plain` for the chat (Markdown), the others for the
evidence column (HTML).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date
from html import escape
from pathlib import PureWindowsPath
from types import MappingProxyType

from rag.schema import Answer, Citation, Figure, Hit, Language, Release

_ASKED_CHARS = 300
"""A longer question is cut where it is repeated; no bearing on what is asked."""
_PARAGRAPH_CHARS = 800
_AROUND_CHARS = 300
"""A paragraph above the first size is cut to this much before and after the cited span."""
_RELATED = 3
_RELATED_CHARS = 420
_LISTED = 100
"""Releases listed one by one; the count is always of all."""

_WORDS: dict[Language, dict[str, str]] = {
    "vi": {
        "evidence": "Căn cứ",
        "partial": "Trả lời một phần",
        "confidence": "Độ tin cậy",
        "whole": "Đọc cả đoạn văn",
        "page": "trang",
        "related": "Đoạn gần nhất, không phải căn cứ",
        "note": "Các thông cáo không trả lời câu hỏi này; những đoạn dưới đây chỉ để đọc thêm.",
        "nothing": "Không có đoạn nào gần với câu hỏi này.",
        "unnumbered": "Không số",
        "model": "Soạn bởi",
        "superseded": "Đã được thay thế hoặc đính chính bởi",
    },
    "en": {
        "evidence": "Evidence",
        "partial": "Partial answer",
        "confidence": "Confidence",
        "whole": "Read the whole paragraph",
        "page": "page",
        "related": "Nearest passages, not evidence",
        "note": "The releases do not answer this question; these passages are further reading.",
        "nothing": "No passage comes near this question.",
        "unnumbered": "No number",
        "model": "Written by",
        "superseded": "Replaced or corrected by",
    },
}

_FIELDS = (
    ("number", "Số · Number"),
    ("issued", "Ngày · Date"),
    ("issuer", "Cơ quan · Issuer"),
    ("place", "Nơi ban hành · Place"),
    ("kind", "Loại · Type"),
    ("subject", "Trích yếu · Subject"),
    ("signer", "Người ký · Signed by"),
    ("supersedes", "Thay thế, đính chính · Replaces or corrects"),
)
_ORIGINS = {
    "text": "văn bản · text",
    "properties": "thuộc tính tệp · file properties",
    "sidecar": "tệp kèm · sidecar",
    "manifest": "bảng kê · manifest",
}

# A backslash escape, an entity, a marker, or a character that could start anything but emphasis,
# a quotation, a list or a heading.
_MARKUP = re.compile(
    r"\\(?P<escaped>[!-/:-@\[-`{-~])"
    r"|(?P<entity>&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[A-Za-z][A-Za-z0-9]{1,31});)"
    r"|\[(?P<marker>\d{1,3})\]"
    r"|(?P<special>[&<\[\]`_~@$]|:(?=//)|(?<=www)\.)",
    re.IGNORECASE,
)
# In plain text also emphasis, tables, and what starts a block at the head of a line. As little as
# possible is replaced: screen readers are given the Markdown itself.
_LITERAL = re.compile(
    r"[\\&<>\[\]*`_~@$|]|:(?=//)|(?<=www)\.|^[ \t]*(?:[#+=-]|\d+[.)](?=\s|$))",
    re.IGNORECASE | re.MULTILINE,
)


def bubble(answer: Answer, turn: int) -> str:
    """The answer's text as Markdown in which only emphasis, quotations, lists and headings work.

    The marker of each citation links to its card in the evidence column (`card_id`). HTML, links,
    pictures and code come out as the characters they are written with.
    """
    markers = {citation.marker for citation in answer.citations}

    def safe(match: re.Match[str]) -> str:
        if match["entity"]:
            return match["entity"]
        if match["marker"]:
            shown = f"&#91;{match['marker']}&#93;"
            marker = int(match["marker"])
            return f"[{shown}](#{card_id(turn, marker)})" if marker in markers else shown
        return _entity(match["escaped"] or match["special"])

    return _MARKUP.sub(safe, _visible(answer.text))


def plain(text: str, *, limit: int | None = None) -> str:
    """Text as Markdown that shows exactly its characters.

    Control characters show as `\N{REPLACEMENT CHARACTER}`; text above `limit` characters is cut.
    """
    shown = _visible(text).strip()
    if limit is not None and len(shown) > limit:
        shown = shown[:limit].rstrip() + "…"
    return _LITERAL.sub(lambda match: match[0][:-1].strip() + _entity(match[0][-1]), shown)


def asked(question: str) -> str:
    """A question as the chat repeats it, cut when it is very long."""
    return plain(question, limit=_ASKED_CHARS) or "*(trống / empty)*"


def card_id(turn: int, marker: int) -> str:
    """The element id of a citation's card."""
    return f"t{turn}-c{marker}"


def panel(
    answer: Answer,
    turn: int,
    release: Callable[[str], Release],
    superseded: Mapping[str, str] = MappingProxyType({}),
) -> str:
    """What stands beside an answer: its cited passages, or on a refusal related ones.

    `release` gives a release by id, `superseded` the id of the one that replaces or corrects it.
    Cards of a refusal carry neither markers nor highlights.
    """
    words = _WORDS[answer.language]

    def note(release_id: str) -> str:
        newer = superseded.get(release_id)
        return _note(release(newer), words, answer.language) if newer else ""

    if answer.status == "not_found":
        cards = [
            _related(hit, release(hit.passage.release_id), words, note(hit.passage.release_id))
            for hit in answer.hits[:_RELATED]
        ]
        said = words["note"] if cards else words["nothing"]
        return (
            f'<p class="qa-kind qa-apart">{words["related"]}</p><p class="qa-note">{said}</p>'
            + "".join(cards)
        )
    about = [words["evidence"] if answer.status == "answered" else words["partial"]]
    if answer.model != "extractive":
        about.append(f"{words['model']} {escape(answer.model)}")
    percent = round(100 * min(1.0, max(0.0, answer.confidence)))
    level = (
        f'<span class="qa-level">{words["confidence"]} {percent}%'
        f'<i aria-hidden="true"><b style="width:{percent}%"></b></i></span>'
    )
    cards = [
        _card(
            citation,
            answer,
            turn,
            release(citation.release_id),
            words,
            note(citation.release_id),
        )
        for citation in answer.citations
    ]
    return f'<p class="qa-kind">{" · ".join(about)}{level}</p>' + "".join(cards)


def column(turns: Sequence[tuple[int, str, str]]) -> str:
    """The evidence column: (turn, question, panel), the oldest first; the newest stands open."""
    if not turns:
        return (
            '<div class="qa-empty"><p lang="vi">Câu trích nguyên văn làm căn cứ cho câu trả lời '
            'sẽ hiện ở đây.</p><p lang="en">The exact sentence behind each answer appears here.'
            "</p></div>"
        )
    shown = [
        f'<details class="qa-turn" id="t{turn}"{" open" if turn == turns[-1][0] else ""}>'
        f"<summary>{escape(_cut(_visible(question).strip(), 160))}</summary>{content}</details>"
        for turn, question, content in reversed(turns)
    ]
    return "".join(shown)


def known(releases: Sequence[Release], superseded: Mapping[str, str] = MappingProxyType({})) -> str:
    """The releases that can be asked about: their count, then number, date, issuer and title.

    Each unfolds to all that is known about it, with where that came from. `superseded` gives the
    id of the release that replaces or corrects one.
    """
    if not releases:
        return (
            '<div class="qa-known"><h2>Chưa có thông cáo nào · No releases yet</h2>'
            "<p>Chạy · Run: <code>python -m ingest data/releases</code></p></div>"
        )
    newest = sorted(releases, key=lambda release: str(release.issued or ""), reverse=True)
    by_id = {release.id: release for release in releases}
    rows = "".join(
        f"<li>{_row(release, by_id.get(superseded.get(release.id, '')))}</li>"
        for release in newest[:_LISTED]
    )
    more = len(releases) - _LISTED
    rest = f"<li>… +{more}</li>" if more > 0 else ""
    noun = "release" if len(releases) == 1 else "releases"
    return (
        f'<details class="qa-known"{" open" if len(releases) <= 3 else ""}>'
        f"<summary><h2>{len(releases)} thông cáo · {noun}</h2></summary>"
        f"<ul>{rows}{rest}</ul></details>"
    )


def trouble(message: str) -> str:
    """An error in place of the list of releases."""
    return f'<div class="qa-known"><p>{escape(message)}</p></div>'


def _card(
    citation: Citation,
    answer: Answer,
    turn: int,
    release: Release,
    words: dict[str, str],
    note: str,
) -> str:
    figures = [
        figure
        for figure in answer.figures
        if citation.start <= figure.start < figure.end <= citation.end
        and release.text[figure.start : figure.end] == figure.text
    ]
    text = release.text
    start, end = _paragraph(text, citation.start, citation.end)
    near_start, near_end = start, end
    whole = ""
    if end - start > _PARAGRAPH_CHARS:
        near_start = _word_start(text, max(start, citation.start - _AROUND_CHARS))
        near_start = min(near_start, citation.start)
        near_end = max(_word_end(text, min(end, citation.end + _AROUND_CHARS)), citation.end)
    if (near_start, near_end) != (start, end):
        inside = _highlighted(text, start, end, citation, figures)
        whole = (
            f"<details><summary>{words['whole']}</summary>"
            f'<blockquote lang="{release.language}">{inside}</blockquote></details>'
        )
    quoted = (
        ("… " if near_start > start else "")
        + _highlighted(text, near_start, near_end, citation, figures)
        + (" …" if near_end < end else "")
    )
    path = _path(_sections(release, citation.start))
    page = f"{words['page']} {citation.page}" if citation.page is not None else ""
    return (
        f'<article class="qa-card" id="{card_id(turn, citation.marker)}" tabindex="-1">'
        f'<header><span class="qa-marker">[{citation.marker}]</span>'
        f"{_head(citation.number, citation.issued, citation.issuer, words, answer.language)}"
        f"</header>{note}{path}"
        f'<blockquote lang="{release.language}">{quoted}</blockquote>{whole}'
        f"<footer>{_foot(citation.title, page, citation.source)}</footer></article>"
    )


def _note(newer: Release, words: dict[str, str], language: Language) -> str:
    """That a release is not the last word, and which one is."""
    shown = [newer.number or newer.title or words["unnumbered"]]
    if newer.issued is not None:
        shown.append(_date(newer.issued, language))
    return f'<span class="qa-old">{words["superseded"]} {escape(" · ".join(shown))}</span>'


def _related(hit: Hit, release: Release, words: dict[str, str], note: str) -> str:
    passage = hit.passage
    page = f"{words['page']} {passage.page}" if passage.page is not None else ""
    language: Language = "vi" if words is _WORDS["vi"] else "en"
    return (
        '<article class="qa-card qa-related"><header>'
        f"{_head(release.number, release.issued, release.issuer, words, language)}</header>{note}"
        f"{_path(passage.section)}"
        f'<blockquote lang="{release.language}">{escape(_cut(passage.text, _RELATED_CHARS))}'
        f"</blockquote><footer>{_foot(release.title, page, release.source)}</footer></article>"
    )


def _head(
    number: str | None,
    issued: date | None,
    issuer: str | None,
    words: dict[str, str],
    language: Language,
) -> str:
    parts = [f"<strong>{escape(number or words['unnumbered'])}</strong>"]
    if issued is not None:
        parts.append(f'<time datetime="{issued.isoformat()}">{_date(issued, language)}</time>')
    if issuer:
        parts.append(f"<span>{escape(issuer)}</span>")
    return f"<p>{''.join(parts)}</p>"


def _foot(title: str | None, page: str, source: str) -> str:
    # The folder that a release was read from is the server's business: the file's name is enough.
    name = PureWindowsPath(source).name or source
    parts = [escape(title or ""), page, f"<code>{escape(name)}</code>"]
    return " · ".join(part for part in parts if part)


def _row(release: Release, newer: Release | None) -> str:
    issued = f"{release.issued:%d/%m/%Y}" if release.issued else ""
    head = [f"<strong>{escape(release.number)}</strong>"] if release.number else []
    head += [escape(part) for part in (issued, release.issuer) if part]
    title = release.title or PureWindowsPath(release.source).name
    both = {"superseded": " · ".join(_WORDS[language]["superseded"] for language in _WORDS)}
    note = _note(newer, {**_WORDS["en"], **both}, "vi") if newer else ""
    return (
        f"<details><summary><span>{' · '.join(head)}</span>"
        f'<span lang="{release.language}">{escape(title)}</span>{note}</summary>'
        f"{_facts(release)}</details>"
    )


def _facts(release: Release) -> str:
    """All that is known about a release, each with its origin."""
    origin = dict(release.provenance)
    rows = []
    for name, label in _FIELDS:
        value = release.issued if name == "issued" else getattr(release, name)
        if value is None:
            continue
        shown = _date(value, "vi") if isinstance(value, date) else escape(value)
        where = _ORIGINS.get(origin.get(name, ""), "")
        rows.append(f"<dt>{label}</dt><dd>{shown}{f' <i>{where}</i>' if where else ''}</dd>")
    name = PureWindowsPath(release.source).name or release.source
    rows.append(f"<dt>Tệp · File</dt><dd><code>{escape(name)}</code></dd>")
    return f"<dl>{''.join(rows)}</dl>"


def _date(issued: date, language: Language) -> str:
    return f"{issued:%d/%m/%Y}" if language == "vi" else f"{issued.day} {issued:%B %Y}"


def _path(titles: Iterable[str]) -> str:
    parts = [f"<span>{escape(_cut(title, 140))}</span>" for title in titles]
    return f'<p class="qa-path">{" › ".join(parts)}</p>' if parts else ""


def _sections(release: Release, offset: int) -> list[str]:
    over = [section for section in release.sections if section.start <= offset < section.end]
    return [section.title for section in sorted(over, key=lambda section: section.level)]


def _paragraph(text: str, start: int, end: int) -> tuple[int, int]:
    """The lines that a span stands in."""
    after = text.find("\n", end)
    return text.rfind("\n", 0, start) + 1, after if after >= 0 else len(text)


def _highlighted(
    text: str, start: int, end: int, citation: Citation, figures: Iterable[Figure]
) -> str:
    """HTML of `text[start:end]`: the citation in <mark>, the figures that answer in <b>."""
    parts = [escape(text[start : citation.start]), "<mark>"]
    at = citation.start
    for figure in sorted(figures, key=lambda figure: (figure.start, -figure.end)):
        if figure.start >= at:
            parts.append(escape(text[at : figure.start]))
            parts.append(f"<b>{escape(text[figure.start : figure.end])}</b>")
            at = figure.end
    parts += [escape(text[at : citation.end]), "</mark>", escape(text[citation.end : end])]
    return "".join(parts)


def _word_start(text: str, at: int) -> int:
    while at > 0 and at < len(text) and not text[at - 1].isspace():
        at += 1
    return at


def _word_end(text: str, at: int) -> int:
    while 0 < at < len(text) and not text[at].isspace():
        at -= 1
    return at


def _cut(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    head = text[:limit]
    return (head.rsplit(None, 1)[0] if " " in head else head).rstrip(" ,;:-–") + " …"


def _visible(text: str) -> str:
    return "".join(
        "\N{REPLACEMENT CHARACTER}"
        if unicodedata.category(char) in ("Cc", "Cs") and char not in "\n\t"
        else char
        for char in text
    )


def _entity(char: str) -> str:
    return f"&#{ord(char)};"
