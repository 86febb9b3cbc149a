"""The text of a file into a `Release`: canonical text, sections and metadata.

The work goes in steps, each a pure function: prepare the characters, cut paragraphs, clear marks,
build blocks (a paragraph, a bullet, a table row), mend what page ends broke (`ingest.blocks`), then
find headings, header and closing (`ingest.parts`) and read the metadata off them. The canonical
text is the blocks, one a line.

The layout rules are those of Vietnamese administrative documents (Decree 30/2020/NĐ-CP: organ,
number, place and date, document type, title, body, recipients, signature) and of usual English
press releases.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType

from ingest.blocks import (
    KIND_LINE,
    MOTTO,
    NUMBER_VI,
    Block,
    assemble,
    build_blocks,
    is_caps,
    mend,
    page_offsets,
    prepare,
    squeeze,
)
from ingest.fields import (
    blank_number,
    dateline,
    is_place,
    labelled,
    leading_place,
    number_of,
    stated_number,
    supersedes,
    unaccented,
)
from ingest.load import Loaded
from ingest.overrides import FIELDS, clean
from ingest.parts import (
    AREA,
    DUST,
    MAX_TITLE_CHARS,
    ORGAN_EN,
    ORGAN_EN_WORD,
    ORGAN_VI,
    TYPE_LINE,
    Header,
    find_closing,
    find_sections,
    find_signer,
    is_organ,
    person_in,
    read_header,
)
from ingest.properties import from_properties
from rag.language import detect
from rag.schema import Language, Release


def read_release(
    loaded: Loaded, source: str, overrides: Mapping[str, str] = MappingProxyType({})
) -> Release:
    """What a loaded file says, as a `Release`; `source` is stored as given.

    Every offset (sections, pages) counts characters of the canonical text. Metadata comes from
    `overrides` (see `ingest.overrides.overrides_for`), else from the text, else from the file's
    properties, and is None when none of them has it; a text without headings has no sections.
    """
    prepared, pages = prepare(loaded.text, loaded.pages)
    blocks = mend(build_blocks(prepared))
    text, starts = assemble(blocks)
    language = detect(text)
    header = read_header(blocks, language)
    closing, appendix = find_closing(blocks, header.body)
    said = _metadata(blocks, header, closing, appendix, text, language)
    known, provenance = _combined(said, from_properties(loaded.properties, is_organ), overrides)
    return Release(
        id=hashlib.sha256(text.encode("utf-8")).hexdigest()[:16],
        source=source,
        sha256=loaded.sha256,
        text=text,
        language="vi" if known.get("language") == "vi" else "en",
        number=known.get("number"),
        title=known.get("title"),
        issuer=known.get("issuer"),
        issued=date.fromisoformat(known["issued"]) if "issued" in known else None,
        place=known.get("place"),
        signer=known.get("signer"),
        kind=known.get("kind"),
        subject=known.get("subject"),
        supersedes=known.get("supersedes"),
        provenance=provenance,
        sections=find_sections(blocks, starts, len(text), header, closing, appendix),
        pages=page_offsets(pages, blocks, starts, len(text)),
    )


def _combined(
    text: Mapping[str, str], properties: Mapping[str, str], overrides: Mapping[str, str]
) -> tuple[dict[str, str], tuple[tuple[str, str], ...]]:
    """Each known field's value, and where it came from; what goes first overwrites."""
    found = {name: (value, "properties") for name, value in properties.items()}
    found |= {name: (value, "text") for name, value in text.items()}
    for key, value in overrides.items():
        where, _, name = key.rpartition(":")
        found[name] = (clean(name, value), where or "sidecar")
    known = {name: (value, where) for name, (value, where) in found.items() if value}
    return (
        {name: value for name, (value, _) in known.items()},
        tuple((name, known[name][1]) for name in FIELDS if name in known),
    )


def canonical(text: str) -> str:
    """The canonical form of a text: what `read_release` stores as `Release.text`.

    NFC; Markdown and HTML marks, zero-width and control characters gone; paragraphs that were
    broken by line or page ends joined with one space; one paragraph, bullet or table row a line.
    Empty for a text without anything to keep.
    """
    return assemble(mend(build_blocks(prepare(text, ())[0])))[0]


# ---------------------------------------------------------------------------------------------
# Metadata

_BLANK_DATE = re.compile(r"([^,]{2,60}),\s*ngày[\s….\d]*(?:tháng|$)", re.I)
_VIETNAM = re.compile(r"\bvi[eệ]t\s?nam\b|\bh[aà]\s?n[oộ]i\b|\bhanoi\b|\bho chi minh\b", re.I)
_CENTRAL_CITIES = ("hà nội", "hải phòng", "đà nẵng", "cần thơ", "hồ chí minh", "huế")
_OPENING = 3
"""Paragraphs of the body in which a correction says what it corrects."""
_NATIONAL = {
    "CP": "Chính phủ",
    "TTg": "Thủ tướng Chính phủ",
    "VPCP": "Văn phòng Chính phủ",
    "QH": "Quốc hội",
    "UBTVQH": "Ủy ban Thường vụ Quốc hội",
    "BCA": "Bộ Công an",
    "BQP": "Bộ Quốc phòng",
    "BNG": "Bộ Ngoại giao",
    "BNV": "Bộ Nội vụ",
    "BTP": "Bộ Tư pháp",
    "BTC": "Bộ Tài chính",
    "BCT": "Bộ Công Thương",
    "BXD": "Bộ Xây dựng",
    "BYT": "Bộ Y tế",
    "BGDĐT": "Bộ Giáo dục và Đào tạo",
    "BKHĐT": "Bộ Kế hoạch và Đầu tư",
    "BGTVT": "Bộ Giao thông vận tải",
    "BKHCN": "Bộ Khoa học và Công nghệ",
    "BTTTT": "Bộ Thông tin và Truyền thông",
    "BTNMT": "Bộ Tài nguyên và Môi trường",
    "BNNMT": "Bộ Nông nghiệp và Môi trường",
    "BNN": "Bộ Nông nghiệp và Phát triển nông thôn",
    "BNNPTNT": "Bộ Nông nghiệp và Phát triển nông thôn",
    "BVHTTDL": "Bộ Văn hóa, Thể thao và Du lịch",
    "BLĐTBXH": "Bộ Lao động - Thương binh và Xã hội",
    "BDTTG": "Bộ Dân tộc và Tôn giáo",
    "NHNN": "Ngân hàng Nhà nước Việt Nam",
    "TTCP": "Thanh tra Chính phủ",
    "KTNN": "Kiểm toán Nhà nước",
    "UBDT": "Ủy ban Dân tộc",
    "TCTK": "Tổng cục Thống kê",
    "TCHQ": "Tổng cục Hải quan",
    "TCT": "Tổng cục Thuế",
    "KBNN": "Kho bạc Nhà nước",
    "UBCK": "Ủy ban Chứng khoán Nhà nước",
    "BHXH": "Bảo hiểm xã hội Việt Nam",
}
_LOCAL = {
    "UBND": "UBND",
    "HĐND": "HĐND",
    "SYT": "Sở Y tế",
    "STC": "Sở Tài chính",
    "SCT": "Sở Công Thương",
    "SXD": "Sở Xây dựng",
    "SNV": "Sở Nội vụ",
    "STP": "Sở Tư pháp",
    "SDL": "Sở Du lịch",
    "SGDĐT": "Sở Giáo dục và Đào tạo",
    "SKHĐT": "Sở Kế hoạch và Đầu tư",
    "SGTVT": "Sở Giao thông vận tải",
    "STTTT": "Sở Thông tin và Truyền thông",
    "STNMT": "Sở Tài nguyên và Môi trường",
    "SNNMT": "Sở Nông nghiệp và Môi trường",
    "SNN": "Sở Nông nghiệp và Phát triển nông thôn",
    "SNNPTNT": "Sở Nông nghiệp và Phát triển nông thôn",
    "SKHCN": "Sở Khoa học và Công nghệ",
    "SVHTT": "Sở Văn hóa và Thể thao",
    "SVHTTDL": "Sở Văn hóa, Thể thao và Du lịch",
    "SLĐTBXH": "Sở Lao động - Thương binh và Xã hội",
    "CTK": "Cục Thống kê",
}


def _metadata(
    blocks: list[Block],
    header: Header,
    closing: int,
    appendix: int,
    text: str,
    language: Language,
) -> dict[str, str]:
    """What the text says about itself; fields that it does not give are left out."""
    top = [cell for block in blocks[: header.body] for cell in _cells(block)]
    labels = _labels(blocks, header, closing)
    number, codes = _number([*top, *(block.text for block in blocks[: header.body])])
    issued, place = _issued(blocks, header, closing, language, text)
    before_kind = header.body if header.kind_at is None else header.kind_at + 1
    organ_cells = [cell for block in blocks[:before_kind] for cell in _cells(block)]
    issuer = (
        _issuer_from_header(organ_cells, place)
        or _issuer_from_header([cell for cell in top if is_organ(cell)], place)
        or _issuer_from_label(labels.get("issuer"), place)
        or _issuer_from_codes(codes, place, text)
        or _issuer_from_dateline(blocks, header, language)
        or _issuer_from_closing(blocks[closing:appendix], place, text)
    )
    title = header.title or labels.get("title") or labels.get("subject")
    found: dict[str, str | None] = {
        "number": number,
        "title": title,
        "issuer": issuer,
        "issued": issued.isoformat() if issued else None,
        "place": place or labels.get("place"),
        "signer": person_in(labels.get("signer", ""))
        or find_signer(
            blocks, max(header.body, appendix - 8) if closing == appendix else closing, appendix
        ),
        "subject": labels.get("subject"),
        "kind": header.kind,
        "supersedes": _supersedes(blocks, header, closing, labels, title),
        "language": language,
    }
    return {name: value for name, value in found.items() if value}


def _cells(block: Block) -> list[str]:
    """What a block of the header shows apart, by place or by a bar or a long dash."""
    return [
        part
        for cell in block.cells
        for part in (re.split(r"\s+[|•·—]\s+", cell) if len(cell) <= MAX_TITLE_CHARS else [cell])
    ]


def _labels(blocks: list[Block], header: Header, closing: int) -> dict[str, str]:
    """Fields that lines of the header, or the last ones, name; the first of each counts."""
    found: dict[str, str] = {}
    last = max(header.body, closing - 4)
    for block in [*blocks[: header.body + 1], *blocks[last : closing + 12]]:
        for cell in dict.fromkeys([block.text, *block.cells]):
            named = labelled(cell) if len(cell) <= MAX_TITLE_CHARS else None
            if named:
                found.setdefault(*named)
    return found


def _supersedes(
    blocks: list[Block],
    header: Header,
    closing: int,
    labels: Mapping[str, str],
    title: str | None,
) -> str | None:
    if "supersedes" in labels:
        return stated_number(labels["supersedes"])
    for line in (title, labels.get("subject")):
        found = supersedes(line or "", header.kind, "title")
        if found:
            return found
    for index in range(header.body, closing):
        opening = index < header.body + _OPENING
        found = supersedes(blocks[index].text, header.kind, "opening" if opening else "body")
        if found:
            return found
    return None


def _number(cells: list[str]) -> tuple[str | None, list[str]]:
    """The release's number without spaces, and the organ codes in it."""
    blank: list[str] | None = None
    for cell in cells:
        kind = TYPE_LINE.match(unaccented(cell))
        # "Press release No. 5" and "PRESS RELEASE: No. 5" alike.
        found = number_of(cell) or (number_of(cell[kind.end() :]) if kind else None)
        if found:
            return found
        blank = blank or blank_number(cell)
    return None, blank or []


def _issued(
    blocks: list[Block], header: Header, closing: int, language: Language, text: str
) -> tuple[date | None, str | None]:
    day_first: Language = "vi" if language == "vi" or _VIETNAM.search(text[:3000]) else "en"
    first_body = blocks[header.body : header.body + 2]
    last = blocks[closing : closing + 12]
    bare: date | None = None
    updated: date | None = None
    for block in [*blocks[: header.body], *first_body, *last]:
        for cell in dict.fromkeys([*_cells(block), block.text]):
            found = dateline(cell, day_first)
            if found is None:
                continue
            if found.updated:
                updated = updated or found.issued
            elif found.place is not None:
                # In running text a place and a date are a dateline only when a dash follows.
                rest, before = cell[found.end :], cell[: found.end].rstrip()
                set_off = len(rest) <= 3 or rest[0] in "–—-:|" or before[-1] in ")]"
                if block in first_body and not set_off:
                    continue
                return found.issued, found.place
            elif bare is None and block not in first_body:
                bare = found.issued
    issued = bare or updated
    for block in blocks[: header.body]:
        for cell in [block.text, *block.cells]:
            blank = _BLANK_DATE.match(cell)
            if blank and is_place(blank.group(1)):
                return issued, blank.group(1)
    opened = [found for found in (leading_place(block.text) for block in first_body) if found]
    return issued, opened[0][0] if opened else None


def _issuer_from_header(cells: list[str], place: str | None) -> str | None:
    """The last organ of the letterhead; a local body also gets the place of the one above it."""
    organs: list[str] = []
    open_end = False
    for cell in (cell.lstrip(DUST) for cell in cells):
        if MOTTO.match(cell):
            continue
        goes_on = bool(organs) and open_end and is_caps(cell) and _continues_organ(cell)
        if goes_on:
            organs[-1] += " " + cell
        elif is_organ(cell):
            organs.append(cell)
            open_end = True
        elif NUMBER_VI.match(cell) or KIND_LINE.match(cell):
            open_end = False
    if not organs:
        return None
    issuer = _name_case(organs[-1], place)
    if len(organs) > 1 and re.fullmatch(r"văn phòng|thanh tra|ban tiếp công dân", issuer, re.I):
        # An office without a name of its own is its organ's.
        return f"{issuer} {_name_case(organs[-2], place)}"
    above = re.search(r"people['’]s committee of (.+)", organs[-2], re.I) if organs[1:] else None
    if above and not re.search(r"committee|council", issuer, re.I):
        return f"{issuer}, {_name_case(above.group(1), place)}"
    if len(organs) > 1 and re.match(r"(?:sở|phòng|ban|chi cục|công an|trung tâm)\b", issuer, re.I):
        unit = AREA.search(organs[-2])
        if unit and not AREA.search(issuer):
            where = _name_case(organs[-2][unit.start() :], place)
            name = where[unit.end() - unit.start() :].strip().lower()
            issuer = issuer if issuer.lower().endswith(name) else f"{issuer} {where}"
    return issuer


def _issuer_from_label(name: str | None, place: str | None) -> str | None:
    """The organ named in `From: …`, which may also name a person or give an address."""
    name = re.sub(r"\s*[<(\[].*", "", name or "").strip(" \"'")
    return _name_case(name, place) if name and person_in(name) is None and "@" not in name else None


def _issuer_from_closing(closing: Sequence[Block], place: str | None, text: str) -> str | None:
    """The organ that signs ("TM. ỦY BAN NHÂN DÂN …"), or an English one among the contacts."""
    for block in closing:
        if block.kind == "item":
            continue
        for cell in block.cells:
            on_behalf = re.match(r"T\s?/?\.?\s?M\s?[./]\s*(?=\S)", cell)
            organ = cell[on_behalf.end() :] if on_behalf else cell
            if on_behalf and is_organ(organ) and AREA.search(organ):
                return _name_case(organ, place)
            if on_behalf and re.match(r"(?:[uủ][yỷ] ban nhân dân|ubnd)$", organ, re.I) and place:
                return _local_issuer("UBND", place, text)
            if ORGAN_EN.fullmatch(cell) and is_organ(cell):
                return _name_case(cell, place)
    return None


def _continues_organ(cell: str) -> bool:
    return bool(AREA.match(cell) or re.match(r"(?:và|of|and|việt nam|nhà nước)\b", cell, re.I))


_ORGAN_WORD = re.compile(
    r"(?:[uủ][yỷ] ban nhân dân|hội đồng nhân dân|thủ tướng|tổng cục|chi cục|văn phòng|ngân hàng|"
    r"kiểm toán|bảo hiểm xã hội|kho bạc|trung tâm|bệnh viện|học viện|thanh tra|[uủ][yỷ] ban|bộ|sở|"
    r"ban|cục|vụ|viện|phòng) "
)
_OFFICIAL = sorted({*_NATIONAL.values(), *_LOCAL.values()}, key=len, reverse=True)
_PARTY = re.compile(r"(?:thành|tỉnh|quận|huyện|thị|đảng) [uủ][yỷ] ", re.I)
_UNIT_BARE = re.compile(r"(?:thanh pho|tinh|quan|huyen|thi xa|phuong|xa)(?=\s)", re.I)
_ACRONYMS = {"UBND", "HĐND", "TP", "TP.", "TP.HCM", "UBMTTQ"}
_SMALL_EN = {"OF", "AND", "THE", "FOR", "ON", "TO", "IN"}


def _name_case(name: str, place: str | None) -> str:
    """An organ's name printed in capitals, in the case that running text gives it."""
    name = squeeze(name)
    if not is_caps(name):
        return name
    official = next((known for known in _OFFICIAL if _begins_with(name, known)), None)
    if official and len(official) == len(name):
        return official
    if official and AREA.match(name[len(official) :].strip()):
        return f"{official} {_name_case(name[len(official) :].strip(), place)}"
    if ORGAN_VI.match(name) is None and AREA.match(name) is None:
        words = [
            word.lower() if word in _SMALL_EN and index else _capital(word)
            for index, word in enumerate(name.split())
        ]
        return " ".join(words)
    lower = name.lower()
    capital_at = {0} if ORGAN_VI.match(name) else set()
    names = [match.span() for match in re.finditer(r"việt nam", lower)]
    bare = name.isascii()
    party = _PARTY.match(lower)
    if party:
        names.append((party.end(), len(lower)))
    organ = None if bare else _ORGAN_WORD.match(lower)
    if organ:
        capital_at.add(organ.end())
        # An office of an organ: after "văn phòng ủy ban nhân dân" the name goes on as the organ's.
        inner = _ORGAN_WORD.match(lower, organ.end())
        if inner and organ.group() in ("văn phòng ", "thanh tra "):
            capital_at.add(inner.end())
    capital_at.update(match.end() for match in re.finditer(r"(?<!\S)(?:và|-|–)\s|,\s", lower))
    place = AREA.sub("", place or "", count=1).strip()
    if place:
        names += [match.span() for match in re.finditer(re.escape(place.lower()), lower)]
    unit = None if party else (_UNIT_BARE if bare else AREA).search(lower)
    if unit and (unit.start() == 0 or lower[unit.start() - 1] == " "):
        capital_at.discard(unit.start())
        if lower.startswith("thành phố", unit.start()):
            capital_at.add(unit.start())
        names.append((unit.end(), len(lower)))
    shown = []
    for match in re.finditer(r"\S+", name):
        at = match.start()
        word = match.group()
        if word.strip(",") in _ACRONYMS:
            shown.append(word)
        elif at in capital_at or any(first <= at < last for first, last in names):
            shown.append(_capital(word))
        else:
            shown.append(word.lower())
    return " ".join(shown)


def _begins_with(name: str, known: str) -> bool:
    return name.lower().startswith(known.lower()) and name[len(known) : len(known) + 1] in ("", " ")


def _capital(word: str) -> str:
    return word[:1].upper() + word[1:].lower()


def _issuer_from_codes(codes: list[str], place: str | None, text: str) -> str | None:
    """The organ whose code stands in the number; a local one with its place."""
    by_upper = {code.upper(): name for code, name in _NATIONAL.items()}
    for code in codes:
        plain = code.replace("&", "").replace("Đ", "Đ").upper()
        if plain in _LOCAL:
            return _local_issuer(_LOCAL[plain], place, text)
        if plain in by_upper:
            return by_upper[plain]
    return None


def _local_issuer(organ: str, place: str | None, text: str) -> str:
    if place is None:
        return organ
    name = re.sub(rf"^{AREA.pattern}\s*", "", place, flags=re.I).strip() or place
    written = re.compile(
        r"(?:UBND|HĐND|Ủy ban nhân dân|Hội đồng nhân dân)\s+"
        r"((?:[Tt]hành phố|[Tt]ỉnh|[Qq]uận|[Hh]uyện|[Tt]hị xã|[Pp]hường|[Xx]ã)"
        rf"\s+{re.escape(name)})(?!\w)"
    )
    unit = re.compile(
        r"((?:thành phố|tỉnh|quận|huyện|thị xã|phường|xã)"
        rf"\s+{re.escape(name)})(?!\w)",
        re.I,
    )
    for pattern in (written, unit):
        found = Counter(match.group(1).lower() for match in pattern.finditer(text))
        if found:
            kind = found.most_common(1)[0][0][: -len(name)].strip()
            kind = "Thành phố" if kind == "thành phố" else kind
            return f"{organ} {kind} {name}"
    return f"{organ} Thành phố {name}" if name.lower() in _CENTRAL_CITIES else f"{organ} {name}"


_SUBJECT_EN = re.compile(
    r"(?:[Tt]he\s+)?((?:[A-Z][\w’'.-]*\s+){0,4}"
    + ORGAN_EN_WORD
    + r"(?:\s+(?:of|for|on)\s+(?:the\s+)?[A-Z][\w-]*"
    r"(?:(?:,\s+|\s+and\s+|\s+of\s+|\s+)[A-Z][\w-]*)*)?)"
)
_SUBJECT_VI = re.compile(
    r"((?:UBND|Ủy ban nhân dân|Bộ|Sở|Tổng cục|Cục|Ngân hàng Nhà nước|Văn phòng Chính phủ|Chính phủ)"
    r"(?:\s+[A-ZĐÀ-Ỹ]\w*(?:\s+[a-zà-ỹđ]+(?=\s+(?:và|[A-ZĐÀ-Ỹ]))|\s+(?:tế|chính|phòng|an|vụ|pháp|"
    r"dựng|thương|giao|kê|lịch)\b|\s+và\b|,(?=\s+[A-ZĐ]))*)*)"
)


def _issuer_from_dateline(blocks: list[Block], header: Header, language: Language) -> str | None:
    """The organ that stands after a dateline, or that the first sentence there begins with."""
    for block in blocks[: header.body + 2]:
        found = dateline(block.text, language)
        opened = leading_place(block.text)
        if found is not None and found.place is not None:
            end = found.end
        elif opened is not None:
            end = opened[1]
        else:
            continue
        start = re.sub(r"^[\s)\]–—:-]+", "", block.text[end:])
        pattern = _SUBJECT_VI if language == "vi" else _SUBJECT_EN
        match = pattern.match(start)
        if match:
            return match.group(1).strip(" ,")
    return None
