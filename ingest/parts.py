"""The parts of a release by its blocks: headings, header, closing."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ingest.blocks import (
    CLOSERS,
    CLOSING_LINE,
    KINDS,
    MOTTO,
    NUMBER_VI,
    RANKS,
    Block,
    is_caps,
    is_final,
    marker_of,
    squeeze,
)
from ingest.fields import (
    blank_number,
    dateline,
    labelled,
    number_of,
    unaccented,
)
from rag.schema import Language, Section

MAX_HEADING_CHARS = 200
MAX_TITLE_CHARS = 400


# ---------------------------------------------------------------------------------------------
# Headings


def _is_heading_text(text: str) -> bool:
    return (
        len(text) <= MAX_HEADING_CHARS
        and not text.rstrip(CLOSERS).endswith((".", ";", ",", "!", "?", "…"))
        and any(char.isalpha() for char in text)
    )


def _heading_styles(blocks: list[Block], first: int, closing: int, appendix: int) -> list[str]:
    """The heading style of each block, empty for what is no heading."""
    styles = [""] * len(blocks)
    markers = [marker_of(block.text) or "" if block.kind == "text" else "" for block in blocks]
    for index, block in enumerate(blocks):
        if closing <= index < appendix or index + 1 >= len(blocks):
            continue
        if block.kind == "heading":
            styles[index] = f"hash-{block.level}"
            continue
        if block.kind != "text" or not _is_heading_text(block.text) or index + 1 == closing:
            continue
        marker = markers[index]
        if marker:
            # Numbered lines one after another are a list, not headings without text.
            after = markers[index + 1] == marker and blocks[index + 1].kind == "text"
            before = index > 0 and markers[index - 1] == marker and not styles[index - 1]
            if block.bold or (not after and not (before and index > first)):
                styles[index] = marker
        elif index >= first and not _METADATA.match(block.text):
            if block.bold and not block.text.endswith(":"):
                styles[index] = "bold"
            elif is_caps(block.text) and len(block.text) <= 120 and " " in block.text:
                styles[index] = "caps"
            elif _is_plain_heading(blocks, index):
                styles[index] = "plain"
    return styles


def _is_plain_heading(blocks: list[Block], index: int) -> bool:
    """A short line set apart by blank lines, between finished text and a paragraph."""
    block, before, after = blocks[index], blocks[index - 1], blocks[index + 1]
    return (
        index > 0
        and block.gap
        and after.gap
        and len(block.text) <= 80
        and " " in block.text
        and block.text[0].isupper()
        and block.text[-1].isalnum()
        and (before.kind in ("item", "row") or is_final(before.text))
        and (after.kind == "item" or (len(after.text) >= 40 and is_final(after.text)))
        and after.kind != "row"
    )


def find_sections(
    blocks: list[Block],
    starts: list[int],
    length: int,
    header: Header,
    closing: int,
    appendix: int,
) -> tuple[Section, ...]:
    """The headings of the body, each with what stands under it."""
    styles = _heading_styles(blocks, header.body, closing, appendix)
    stack: list[str] = []
    opened: list[tuple[int, int]] = []
    found: list[tuple[int, int, int]] = []
    body_end = starts[closing] - 1 if closing < len(blocks) else length
    for index, style in enumerate(styles):
        if index == appendix:
            found.extend((at, level, body_end) for at, level in opened)
            opened, stack = [], []
        if not style or index in header.used:
            continue
        _nest(stack, style)
        level = len(stack)
        end = starts[index] - 1
        found.extend((at, above, end) for at, above in opened if above >= level)
        opened = [(at, above) for at, above in opened if above < level]
        opened.append((index, level))
    last = length if appendix < len(blocks) or closing >= len(blocks) else body_end
    found.extend((at, level, last) for at, level in opened)
    return tuple(
        Section(blocks[at].text, level, starts[at], end) for at, level, end in sorted(found)
    )


def _nest(stack: list[str], style: str) -> None:
    """Put a heading style in its place: under the styles that are higher, in place of its own.

    Capitals and bold have no rank of their own: they nest under whatever stood before them.
    """
    if style in stack:
        del stack[stack.index(style) + 1 :]
        return
    rank = _rank(style)
    for index, above in enumerate(stack):
        above_rank = _rank(above)
        if rank is not None and above_rank is not None and above_rank > rank:
            del stack[index:]
            break
    stack.append(style)


def _rank(style: str) -> int | None:
    if style.startswith("hash-"):
        return int(style[5:])
    return RANKS.get(style)


# ---------------------------------------------------------------------------------------------
# Header: what stands before the body

_NUMBER_EN = re.compile(
    r"(?:(?:(?:press|news|media)\s+)?(?:release|statement|notice|communiqu[eé])\s*)?"
    r"(?:no\b|number\b|nr\b|#|ref(?:erence)?\b)\.?\s*(?:no\b\.?|number\b)?\s*[:.]?\s*"
    r"([A-Za-z0-9][\w./-]*)",
    re.I,
)
TYPE_LINE = re.compile(
    rf"\W*((?:{unaccented(KINDS)}|thong tin bao chi|corrigendum|backgrounder)\b)(?:\s*[:–—-]?\s*)"
)
"""On text without accents, which recognition often takes from large letters."""
_TYPES = {unaccented(kind): kind for kind in KINDS.split("|") if kind.replace(" ", "").isalpha()}
_ABOUT = re.compile(r"\W*(?:v/v|về việc)\b", re.I)
_METADATA = re.compile(
    r"(?:for (?:immediate )?(?:press )?release\b|immediate release\b|embargo|"
    r"(?:media |press )?contacts?\b|date\s*:|ngày (?:đăng|ban hành|phát hành)\s*:|cập nhật|"
    r"kính gửi|to\s*:|subject\s*:|tel\b|email\b|đt\s*:|điện thoại|địa chỉ|số\s*:)",
    re.I,
)
ORGAN_VI = re.compile(
    r"(?:[uủ][yỷ] ban nhân dân|ubnd|hội đồng nhân dân|hđnd|bộ|sở|ban|tổng cục|chi cục|cục|vụ|viện|"
    r"văn phòng|chính phủ|thủ tướng chính phủ|ngân hàng|thanh tra|kiểm toán nhà nước|"
    r"bảo hiểm xã hội|kho bạc|t(?:òa|oà) án|công an|thành [uủ][yỷ]|tỉnh [uủ][yỷ]|quận [uủ][yỷ]|"
    r"huyện [uủ][yỷ]|trung tâm|hải quan|phòng|quốc hội|[uủ][yỷ] ban|học viện|bệnh viện|trường|"
    r"đài|tổng công ty|tập đoàn|hội|liên đoàn|thống kê|bộ tư lệnh|thuế)(?=\s|$)",
    re.I,
)
_ORGAN_BARE = re.compile(
    r"(?:u[yỷ] ban nhan dan|ubnd|hoi dong nhan dan|van phong|tong cuc|chi cuc|"
    r"cuc (?:thong ke|thue|hai quan)|"
    r"(?:so|bo) (?:y te|tai chinh|cong thuong|xay dung|noi vu|tu phap|giao duc|giao thong|"
    r"ke hoach|nong nghiep|khoa hoc|thong tin|van hoa|lao dong|tai nguyen|ngoai giao))(?=\s|$)",
    re.I,
)
"""Printed, or recognised, without accents."""
DUST = " .,;:'‘`\"*|_~-–"
ORGAN_EN_WORD = (
    r"(?:Ministry|Department|Office|Government|Cabinet|Treasury|Agency|Authority|Bureau|"
    r"Commission|Directorate|Embassy|Council|Committee|Bank|Service|Secretariat|Administration|"
    r"Inspectorate|Board|Parliament|Assembly|Institute|Centre|Center)"
)
ORGAN_EN = re.compile(
    r"(?:the\s+)?(?:.*people['’]s (?:committee|council)\b.*|"
    rf"(?:[\w&’'.-]+\s+){{0,5}}{ORGAN_EN_WORD}(?:\s+(?:of|for|on|to)\s+.+)?|"
    r"(?:city|state|province|county) of [\w .-]+)",
    re.I,
)
AREA = re.compile(
    r"(?:thành phố|tỉnh|quận|huyện|thị xã|thị trấn|phường|xã(?! hội)|đặc khu|t\.?\s?p\.?)(?=\s)",
    re.I,
)


@dataclass(frozen=True, slots=True)
class Header:
    """Where the header's parts stand, as indexes of blocks."""

    body: int
    """First block of the body."""
    kind: str | None
    kind_at: int | None
    title: str | None
    used: frozenset[int]
    """Blocks that are title, type or organ, and therefore no headings of sections."""


def read_header(blocks: list[Block], language: Language) -> Header:
    """What stands before the body: organs, number, dateline, kind, title."""
    kind: str | None = None
    kind_at: int | None = None
    title_parts: list[str] = []
    used: set[int] = set()
    limit = _header_end(blocks)
    for index in range(limit):
        found = _kind_of(blocks[index])
        if found is None:
            continue
        kind, rest = found
        kind_at = index
        used.add(index)
        if rest:
            title_parts.append(rest)
        break
    body = limit
    after = 0 if kind_at is None else kind_at + 1
    if kind_at is not None:
        index = after
        while index < limit and _is_metadata(blocks[index], language):
            index += 1
        stop = _title_end(blocks, index, limit, language, started=bool(title_parts))
        title_parts.extend(blocks[i].text for i in range(index, stop))
        used.update(range(index, stop))
    title = squeeze(" ".join(title_parts)) or None
    if title is None:
        title, at = _fallback_title(blocks, limit, language)
        used.update(at)
    for index in range(limit):
        if _is_metadata(blocks[index], language):
            used.add(index)
    return Header(body, kind, kind_at, title, frozenset(used))


def _header_end(blocks: list[Block]) -> int:
    """Index of the first block that is text rather than letterhead, type or title."""
    for index, block in enumerate(blocks[:40]):
        if block.kind == "item":
            return index
        if block.kind == "row":
            continue
        text = block.text
        if re.match(r"(?:căn cứ|thực hiện|kính gửi|ngày \d)", text, re.I):
            return index
        if block.kind != "heading" and (
            len(text) > MAX_TITLE_CHARS
            or (len(text) > 60 and is_final(text) and not re.search(r"\b[ap]\.m\.\W*$", text))
        ):
            return index
        opened = dateline(text, "en")
        if opened is not None and len(text) - opened.end > 40:
            return index
        if marker_of(text) and block.kind == "text" and index:
            return index
    return min(len(blocks), 40)


def _kind_of(block: Block) -> tuple[str, str] | None:
    """Document type as printed and what follows it on its line (a title), if a type line."""
    if block.kind not in ("text", "heading", "row"):
        return None
    for cell in [block.text, *block.cells]:
        match = TYPE_LINE.match(unaccented(cell))
        if match is None:
            continue
        printed, rest = _repaired(cell[slice(*match.span(1))]), cell[match.end() :].strip()
        separated = cell[match.end(1) : match.end()].strip() != ""
        if not rest:
            return printed, ""
        if _NUMBER_EN.match(rest) or re.match(r"số\b|[#\d]", rest, re.I):
            return printed, ""
        if re.match(r"\W*(?:for immediate release|immediate release|embargo(?:ed)?)\b", rest, re.I):
            return printed, ""
        if re.fullmatch(r"[A-Z]{2,}[/-][\w/.-]*\d[\w/.-]*", rest):
            # "PRESS RELEASE NWSA/24/61": its number.
            return printed, ""
        if separated and len(cell) <= MAX_TITLE_CHARS and not is_final(rest):
            return printed, rest
        if cell is block.text and len(block.cells) > 1:
            continue
        if is_caps(cell) and len(cell) <= MAX_TITLE_CHARS and not is_final(cell):
            return printed, cell
    return None


def _repaired(kind: str) -> str:
    """A document type with the accents that belong to it."""
    known = _TYPES.get(unaccented(kind))
    if known is None or known == kind.lower():
        return kind
    return known.upper() if is_caps(kind) else known.capitalize()


def _is_metadata(block: Block, language: Language) -> bool:
    """Whether all that a block shows is number, date, motto, organ or release notice."""
    return bool(block.cells) and all(
        MOTTO.match(cell)
        or _METADATA.match(cell)
        or NUMBER_VI.match(cell)
        or number_of(cell) is not None
        or blank_number(cell) is not None
        or _is_label(cell)
        or (_NUMBER_EN.match(cell) and len(cell) < 60 and re.search(r"\d", cell))
        or _is_dateline_only(cell, language)
        or is_organ(cell)
        or not any(char.isalnum() for char in cell)
        for cell in block.cells
    )


def _is_label(cell: str) -> bool:
    """Whether a line names a field and gives its value; "V/v …" may also be the title itself."""
    found = labelled(cell)
    return found is not None and found[0] != "title" and not _ABOUT.match(cell)


def _is_dateline_only(cell: str, language: Language) -> bool:
    found = dateline(cell, language)
    return found is not None and len(cell) - found.end <= 3


def is_organ(cell: str) -> bool:
    """Whether a line names an organ and nothing else."""
    cell = cell.lstrip(DUST)
    if len(cell) > 110 or re.search(r"[.!?;:]$|\d", cell):
        return False
    if ORGAN_VI.match(cell) or _ORGAN_BARE.match(cell):
        return is_caps(cell) or len(cell.split()) <= 9
    return ORGAN_EN.fullmatch(cell) is not None and (is_caps(cell) or _is_title_case(cell))


def _is_title_case(text: str) -> bool:
    small = {"of", "and", "the", "for", "on", "to", "in", "&", "’s"}
    return all(word[0].isupper() or word in small for word in re.findall(r"[^\s,]+", text))


def _title_end(
    blocks: list[Block], start: int, limit: int, language: Language, *, started: bool
) -> int:
    """Index after the title's last block; `start` itself when no title stands there."""
    index = start
    while index < limit and index < start + 6:
        block = blocks[index]
        if block.kind not in ("text", "heading") or (
            marker_of(block.text) and not (index == start and block.kind == "heading")
        ):
            break
        if len(block.text) > MAX_TITLE_CHARS or block.text.endswith((".", ":", ";")):
            break
        if index > start and (block.kind == "heading" or _is_metadata(block, language)):
            break
        if index == start and started and block.gap and not is_caps(block.text):
            break
        if index > start:
            previous = blocks[index - 1]
            same_look = (block.bold and previous.bold) or (
                is_caps(block.text) and is_caps(previous.text)
            )
            about = re.match(r"\(?(?:về|v/v)\b", block.text, re.I)
            if block.gap and not same_look and not about:
                break
        index += 1
    return index


def _fallback_title(
    blocks: list[Block], limit: int, language: Language
) -> tuple[str | None, list[int]]:
    """A Markdown title, else a line that looks like one, else the first short line."""
    free = [
        index
        for index in range(min(limit + 1, len(blocks)))
        if not _is_metadata(blocks[index], language) and _kind_of(blocks[index]) is None
    ]
    for index in free:
        if blocks[index].kind == "heading" and blocks[index].level == 1:
            return blocks[index].text, [index]
    candidates = [index for index in free if index < limit and blocks[index].kind != "row"]
    for index in candidates:
        block = blocks[index]
        if block.kind == "heading" or (
            (block.bold or is_caps(block.text)) and _is_heading_text(block.text)
        ):
            stop = index + 1
            if block.kind == "text":
                stop = max(stop, _title_end(blocks, index, limit, language, started=False))
            parts = [blocks[i].text for i in range(index, stop)]
            return squeeze(" ".join(parts)), list(range(index, stop))
    for index in candidates:
        block = blocks[index]
        if _is_heading_text(block.text) and index + 1 < len(blocks) and not marker_of(block.text):
            return block.text, [index]
    return None, []


# ---------------------------------------------------------------------------------------------
# Closing: recipients, signature, contacts

_SIGNING = re.compile(r"(?:T\s?L|K\s?T|T\s?M|T\s?U\s?Q|Q|T/L|K/T|T/M|TUN)\s?[./]\s*[A-ZĐÀ-Ỹ]")
_ROLE = re.compile(
    r"(?:phó\s+)?(?:chủ tịch|chánh|bộ trưởng|thứ trưởng|giám đốc|phó|trưởng|cục trưởng|tổng cục|"
    r"thủ tướng|thống đốc|tổng giám đốc|viện trưởng|vụ trưởng|chi cục trưởng|bí thư|tổng thanh tra|"
    r"tổng kiểm toán|văn phòng|người phát ngôn|ủy ban|bộ|sở|ban)\b",
    re.I,
)
_ROLE_EN = re.compile(
    r"(?:(?:deputy|vice|acting|prime|permanent|chief|director|press)[\s-]+)*"
    r"(?:minister|director|chairman|chairwoman|chairperson|chair|secretary|spokesperson|governor|"
    r"commissioner|mayor|president|head|officer|general|of staff)\b",
    re.I,
)
_APPENDIX = re.compile(r"(?:phụ lục|phụ biểu|biểu số|appendix|annex)\b", re.I)
_END_MARK = re.compile(r"\./\.\W{0,40}$|^\W{0,40}###\W{0,40}$|^\W{0,40}-\s?30\s?-\W{0,40}$")
_NAME_PREFIX = re.compile(
    r"(?:(?:GS|PGS|TS|ThS|Ths|BS|CKI|CKII|KS|LS|Đại tá|Thượng tá|Trung tá|Thiếu tướng|Trung tướng|"
    r"Thượng tướng|Đại tướng|Hon|The Honou?rable|Dr|Mr|Mrs|Ms|Prof|Shri|Smt)\b\.?\s*)+"
)


def find_closing(blocks: list[Block], body: int) -> tuple[int, int]:
    """Indexes where recipients and signature begin and where appendices begin after them.

    Both are the number of blocks when there is no such part.
    """
    total = len(blocks)
    start = total
    for index in range(min(body, total), total):
        cells = blocks[index].cells
        if index > 0 and any(CLOSING_LINE.match(cell) for cell in cells):
            start = index
            break
        if _END_MARK.search(blocks[index].text) and not _more_text(blocks[index + 1 :]):
            start = index if blocks[index].text.startswith(("#", "-")) else index + 1
            break
    if start == total:
        start = _signature_start(blocks, body)
    for index in range(start, total):
        if blocks[index].kind != "item" and _APPENDIX.match(blocks[index].text):
            return start, index
    return start, total


def _signature_start(blocks: list[Block], body: int) -> int:
    """First line of a signature that ends the text: titles and a name, in either order."""
    total = len(blocks)
    first = total
    for index in range(total - 1, max(body, total - 8, 0), -1):
        block = blocks[index]
        if block.kind != "text" or not all(
            (person_in(cell) and not is_final(cell))
            or _looks_like_role(cell)
            or _is_role_en(cell)
            or _is_dateline_only(cell, "en")
            for cell in block.cells
        ):
            break
        first = index
    tail = [cell for block in blocks[first:] for cell in block.cells]
    named = any(person_in(cell) for cell in tail)
    titled = any(_looks_like_role(cell) or _is_role_en(cell) for cell in tail)
    return first if named and titled else total


def _more_text(rest: list[Block]) -> bool:
    """Whether prose goes on: an end mark in the middle of a text is no end."""
    for block in rest:
        if any(CLOSING_LINE.match(cell) for cell in block.cells) or _APPENDIX.match(block.text):
            return False
        if len(block.text) > 200:
            return True
    return False


def _looks_like_role(cell: str) -> bool:
    return bool(_SIGNING.match(cell)) or (
        len(cell) <= 90 and (is_caps(cell) and _ROLE.search(cell) is not None)
    )


def _is_role_en(cell: str) -> bool:
    return (
        len(cell) <= 80
        and _ROLE_EN.match(cell) is not None
        and re.search(r"[:@.!?]", cell) is None
        and _is_title_case(cell)
    )


def person_in(cell: str) -> str | None:
    """The personal name that makes up a line, without academic or military titles."""
    name = _NAME_PREFIX.sub("", cell.strip(" .,;:()✓✔*")).strip()
    words = name.split()
    if not 2 <= len(words) <= 6 or len(name) > 50 or _ROLE.match(name) or _ROLE_EN.search(name):
        return None
    if is_organ(name) or MOTTO.match(name) or TYPE_LINE.match(unaccented(name)):
        return None
    for word in words:
        letters = re.sub(r"[-'’.]", "", word)
        if not letters.isalpha() or not word[0].isupper():
            return None
        if not (letters[1:].islower() or letters.isupper()) and "-" not in word and "c" not in word:
            return None
    if is_caps(name) and re.search(r"\b(?:phòng|tịch|trưởng|đốc|thư|tướng)\b", name, re.I):
        return None
    return name


def find_signer(blocks: list[Block], first: int, appendix: int) -> str | None:
    """The name under the last signing title; a caps line counts as a title when OCR spoilt it."""
    cells = [
        (block, cell)
        for block in blocks[first:appendix]
        if block.kind != "item"
        for cell in block.cells
    ]
    titled = False
    name: str | None = None
    for position, (block, cell) in enumerate(cells):
        signed = re.match(r"\(?signed(?: by)?\)?\s*[:,]?\s*(.*)$", cell, re.I)
        if signed:
            titled = True
            name = person_in(signed.group(1)) or name
            continue
        person = person_in(cell)
        if _looks_like_role(cell) or (block.bold and is_caps(cell) and person is None):
            titled = True
            continue
        if re.fullmatch(r"\W*đã ký(?: điện tử| số)?\W*", cell, re.I):
            titled = True
            continue
        if person is None:
            continue
        following = cells[position + 1][1] if position + 1 < len(cells) else ""
        previous = cells[position - 1][1] if position else ""
        english_role = _is_role_en(following) or _is_role_en(previous)
        if titled or english_role:
            name = person
    return name
