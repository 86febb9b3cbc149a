"""Every format that a press office hands over, read from real files made by other programs.

The release in them is the sample one; every other document here is made up, its organs, numbers,
people and figures included.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import unicodedata
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import legacy_text
import pytest
import release_files
from hypothesis import given
from hypothesis import strategies as st

from ingest import ingest
from ingest.encodings import UnknownEncodingError, decode, mend_fonts
from ingest.layout import Page, Word, text_of
from ingest.load import Loaded, load, supported
from ingest.markup import Content, plain, row
from ingest.release import canonical, read_release
from rag import Answer, Assistant, Settings
from rag.embedding import Embedder
from rag.errors import InputError
from rag.schema import Release

ROOT = Path(__file__).parents[1]
# Where everything is meant to be installed, a program that is missing is a failure.
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
IN_CI = bool(os.environ.get("CI"))
needs_ocr = pytest.mark.skipif(
    not IN_CI and shutil.which("tesseract") is None, reason="tesseract is not installed"
)
needs_office = pytest.mark.skipif(
    not IN_CI and shutil.which("soffice") is None, reason="LibreOffice is not installed"
)


@pytest.fixture(scope="module")
def sample() -> Release:
    return release_of(release_files.SAMPLE)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("formats")


def release_of(path: Path) -> Release:
    return read_release(load(path), str(path))


def metadata(release: Release) -> dict[str, Any]:
    names = ("number", "issued", "issuer", "place", "title", "signer", "kind", "language")
    found = {name: getattr(release, name) for name in names}
    found["sections"] = [(section.level, section.title) for section in release.sections]
    return found


MAKERS: dict[str, Callable[[Path], Path]] = {
    "docx": lambda folder: release_files.write_docx(folder / "release.docx"),
    "pdf": lambda folder: release_files.write_pdf(
        folder / "release.pdf", header="UBND Thành phố Hà Nội - Thông cáo báo chí"
    ),
    "html": lambda folder: release_files.write_html(folder / "release.html"),
    "eml": lambda folder: release_files.write_eml(folder / "release.eml"),
    "utf-16": lambda folder: text_file(folder / "utf-16.txt", lambda text: text.encode("utf-16")),
    "vni": lambda folder: text_file(folder / "vni.txt", legacy_text.vni),
}
OFFICE: dict[str, Callable[[Path], Path]] = {
    suffix: lambda folder, suffix=suffix: release_files.convert(  # type: ignore[misc]
        release_files.write_docx(folder / f"office-{suffix[1:]}.docx"), suffix
    )
    for suffix in (".rtf", ".doc", ".odt", ".pdf")
}


def text_file(path: Path, encode: Callable[[str], bytes]) -> Path:
    text = release_files.SAMPLE.read_text(encoding="utf-8").replace("✓", "")
    path.write_bytes(encode(text))
    return path


# --- the same release from every format ---------------------------------------------------------


@pytest.mark.parametrize("name", MAKERS)
def test_release_is_the_same_from_every_format(folder: Path, sample: Release, name: str) -> None:
    release = release_of(MAKERS[name](folder))
    assert metadata(release) == metadata(sample)
    assert release.text.replace(" ✓", "") == sample.text.replace(" ✓", "")


@needs_office
@pytest.mark.parametrize("suffix", [".rtf", ".doc", pytest.param(".odt", marks=pytest.mark.slow)])
def test_release_is_the_same_from_what_libreoffice_writes(
    folder: Path, sample: Release, suffix: str
) -> None:
    release = release_of(OFFICE[suffix](folder))
    assert metadata(release) == metadata(sample)
    assert release.text == sample.text


@pytest.mark.slow
@needs_office
def test_release_is_the_same_from_a_pdf_of_libreoffice(folder: Path, sample: Release) -> None:
    release = release_of(OFFICE[".pdf"](folder))
    assert metadata(release) == metadata(sample)
    assert release.text == sample.text
    assert len(release.pages) > 5


QUESTIONS = (
    "m002-vi m007-en m021-vi m028-en m030-vi m033-en m047-vi m056-en m063-vi m070-en "
    "m079-vi m086-en m091-vi m092-en m097-vi m100-en m109-vi m110-en m118-vi m136-en"
).split()


@pytest.fixture(scope="module")
def questions() -> list[str]:
    lines = (ROOT / "eval/data/hanoi-2021-h1.jsonl").read_text(encoding="utf-8").splitlines()
    by_id = {gold["id"]: gold["question"] for gold in map(json.loads, lines)}
    return [by_id[name] for name in QUESTIONS]


@pytest.fixture(scope="module")
def expected(sample_assistant: Assistant, questions: list[str]) -> list[tuple[Any, ...]]:
    found = [told(sample_assistant.ask(question)) for question in questions]
    assert sum(1 for status, *_ in found if status == "answered") >= 18
    return found


def told(answer: Answer) -> tuple[Any, ...]:
    return (answer.status, answer.short, answer.figures)


def answers(
    path: Path, folder: Path, embedder: Embedder, questions: list[str]
) -> Iterator[tuple[Any, ...]]:
    settings = Settings(data_dir=folder / f"var-{path.name}")
    summary = ingest([path], settings, embedder=embedder)
    assert not summary.failed
    with Assistant.open(settings, embedder=embedder) as assistant:
        for question in questions:
            yield told(assistant.ask(question))


@pytest.mark.slow
@pytest.mark.parametrize("name", MAKERS)
def test_answers_are_the_same_from_every_format(
    folder: Path,
    embedder: Embedder,
    questions: list[str],
    expected: list[tuple[Any, ...]],
    name: str,
) -> None:
    assert list(answers(MAKERS[name](folder), folder, embedder, questions)) == expected


@pytest.mark.slow
@needs_office
@pytest.mark.parametrize("suffix", OFFICE)
def test_answers_are_the_same_from_what_libreoffice_writes(
    folder: Path,
    embedder: Embedder,
    questions: list[str],
    expected: list[tuple[Any, ...]],
    suffix: str,
) -> None:
    assert list(answers(OFFICE[suffix](folder), folder, embedder, questions)) == expected


@pytest.mark.slow
@needs_ocr
@pytest.mark.parametrize("name", ["scan.pdf", "scan.tif"])
def test_answers_from_a_scan_are_the_same_but_for_two(
    folder: Path,
    embedder: Embedder,
    questions: list[str],
    expected: list[tuple[Any, ...]],
    name: str,
) -> None:
    pdf = release_files.write_pdf(folder / "printed.pdf")
    scan = release_files.write_scan(folder / name, pdf, dpi=200)
    found = list(answers(scan, folder, embedder, questions))
    same = [given == wanted for given, wanted in zip(found, expected, strict=True)]
    assert sum(same) >= 18


# --- PDF ----------------------------------------------------------------------------------------


def test_pdf_gives_pages_and_properties(folder: Path) -> None:
    path = release_files.write_pdf(folder / "pages.pdf")
    loaded = load(path)
    assert loaded.format == "pdf"
    assert len(loaded.pages) == 8
    assert loaded.pages[0] == 0
    assert loaded.properties["title"] == release_files.TITLE
    assert loaded.properties["author"] == release_files.AUTHOR
    assert loaded.properties["created"].startswith("20")
    for start in loaded.pages[1:]:
        assert loaded.text[start - 2 : start] == "\n\n"
    release = read_release(loaded, "x")
    assert release.page_at(release.text.index("608,5 tỷ đồng")) == 3


def test_pdf_loses_running_heads_and_page_numbers_only(folder: Path) -> None:
    head = "Bản tin của thành phố"
    text = load(release_files.write_pdf(folder / "head.pdf", header=head)).text
    assert head not in text
    assert "Trang" not in text
    assert "Nguyễn Anh Dũng" in text


@pytest.fixture(scope="module")
def office_page(folder: Path) -> Loaded:
    return load(release_files.write_letter(folder / "letter.pdf"))


def test_pdf_letterhead_and_signature_stand_side_by_side(office_page: Loaded) -> None:
    release = read_release(office_page, "x")
    assert release.number == "17/TC-SYT"
    assert str(release.issued) == "2024-01-05"
    assert release.issuer == "Sở Y tế tỉnh Lào Cai"
    assert release.signer == "Trần Văn A"
    assert release.title == (
        "Về kết quả thực hiện nhiệm vụ phát triển kinh tế - xã hội và công tác y tế năm 2023 "
        "trên địa bàn tỉnh Lào Cai"
    )


def test_pdf_tables_are_rows_with_and_without_rules(office_page: Loaded) -> None:
    assert (
        "| Chỉ tiêu | Năm 2022 | Năm 2023 |\n"
        "| Thu ngân sách (tỷ đồng) | 1.234 | 5.678 |\n"
        "| Chi ngân sách (tỷ đồng) | 900 | 1.100,5 |"
    ) in office_page.text
    assert "| Ngô vụ xuân | 2.345 | 1,5% |\n| Cà phê | 345 | -0,5% |" in office_page.text


def test_pdf_paragraphs_are_whole_and_apart(office_page: Loaded) -> None:
    lines = read_release(office_page, "x").text.split("\n")
    assert lines.count(release_files.SENTENCE * 2 + release_files.SENTENCE.strip()) == 1
    assert "- Gạo: 5 tấn;" in lines
    assert "- Ngô: 7 tấn." in lines
    assert "1. Thu ngân sách" in lines


def test_pdf_columns_are_read_one_after_the_other(folder: Path) -> None:
    text = load(release_files.write_columns(folder / "columns.pdf", 59)).text
    told = [int(part.split(":")[0]) for part in text.split("Đoạn ")[1:]]
    assert told == list(range(1, 60))


def line(text: str, top: float, x0: float = 50.0) -> list[Word]:
    """Words of 5 points a character, 10 high."""
    words = []
    for part in text.split(" "):
        words.append(Word(part, x0, top, x0 + 5 * len(part), top + 10))
        x0 += 5 * len(part) + 3
    return words


@pytest.mark.parametrize(
    ("first", "second", "joined"),
    [
        ("a long line of words on the econo-", "mic growth", "the economic growth"),
        ("these are all the socio-econo- of", "x", "socio-econo- of"),
        ("the vaccines against the Covid-", "19 disease", "Covid-19 disease"),
        ("Ban hành kèm theo số 04/TC-", "UBND ngày", "04/TC-UBND ngày"),
        ("báo cáo tình hình kinh tế-", "xã hội", "kinh tế-xã hội"),
        ("the socio-economic and the socio-", "economic plans", "the socio-economic plans"),
    ],
)
def test_words_broken_at_a_line_end_are_joined(first: str, second: str, joined: str) -> None:
    words = line(first, 100) + line(second, 112)
    assert joined in text_of([Page(800, words)])[0]


def test_word_broken_at_a_page_end_is_joined() -> None:
    pages = [
        Page(800, line("a line that tells of the econo-", 500)),
        Page(800, line("mic plan", 50)),
    ]
    text, starts = text_of(pages)
    assert text == "a line that tells of the economic\n\nplan"
    assert text[starts[1] :] == "plan"


def test_rows_that_pages_share_in_the_middle_are_kept() -> None:
    pages = [
        Page(
            800,
            line(f"Head of {number}", 20) + line("the same words", 300) + line(f"{number}", 780),
        )
        for number in range(4, 9)
    ]
    text, _ = text_of(pages)
    assert text.count("the same words") == 5
    assert "\n4" not in text


@given(st.lists(st.text("abcđế đ1,.-", min_size=1, max_size=40), max_size=30))
def test_no_word_on_a_page_is_lost(lines: list[str]) -> None:
    words = [
        word for index, each in enumerate(lines) if each.strip()
        for word in line(" ".join(each.split()), 500 + 14 * index)
    ]  # fmt: skip
    text, starts = text_of([Page(2000, words)])
    shown = "".join(sorted(char for word in words for char in word.text if char.isalnum()))
    assert "".join(sorted(char for char in text if char.isalnum())) == shown
    assert starts == (0,)


def test_encrypted_pdf_is_refused(folder: Path) -> None:
    from reportlab.lib.pdfencrypt import StandardEncryption
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(str(folder / "locked.pdf"), encrypt=StandardEncryption("secret", canPrint=0))
    canvas.drawString(100, 100, "secret")
    canvas.save()
    assert_refused(folder / "locked.pdf", "encrypted PDF", "without its password")


@pytest.mark.parametrize("share", [0.02, 0.5, 0.97])
def test_cut_pdf_is_refused_or_read(folder: Path, share: float) -> None:
    data = release_files.write_pdf(folder / "whole.pdf").read_bytes()
    path = folder / "cut.pdf"
    path.write_bytes(data[: int(share * len(data))])
    assert_refused(path, "", ";")


def test_pdf_without_anything_on_it_is_refused(folder: Path) -> None:
    from reportlab.pdfgen.canvas import Canvas

    canvas = Canvas(str(folder / "blank.pdf"))
    canvas.showPage()
    canvas.save()
    assert_refused(folder / "blank.pdf", "no text found", "scan it again")


def assert_refused(path: Path, *said: str) -> None:
    with pytest.raises(InputError) as caught:
        load(path)
    message = str(caught.value)
    assert "\n" not in message
    assert path.name in message
    for part in said:
        assert part in message


# --- pictures -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def picture(folder: Path) -> Any:
    pdf = release_files.write_pdf(folder / "one.pdf", release_files.paragraphs()[:5])
    return release_files.page_images(pdf, dpi=150)[0]


@needs_ocr
def test_picture_is_read(folder: Path, picture: Any, sample: Release) -> None:
    path = folder / "page.png"
    picture.crop((0, 0, picture.width, picture.height // 2)).save(path)
    loaded = load(path)
    release = read_release(loaded, "x")
    assert loaded.format == "png"
    assert loaded.properties == {"ocr": "1"}
    assert loaded.pages == (0,)
    assert (release.number, release.issued, release.kind) == (
        sample.number, sample.issued, sample.kind,
    )  # fmt: skip
    assert release.title == sample.title
    assert "30 UBND quận, huyện, thị xã" in release.text


@pytest.mark.slow
@needs_ocr
@pytest.mark.parametrize("angle", [-1.5, 2.0, 90, 180, 270])
def test_page_that_lay_askew_is_read(folder: Path, picture: Any, angle: float) -> None:
    path = folder / "askew.jpg"
    picture.rotate(angle, expand=angle >= 90, fillcolor=255).save(path, quality=85)
    release = release_of(path)
    assert release.number == "04/TC-UBND"
    assert "30 UBND quận, huyện, thị xã" in release.text


@pytest.mark.slow
@needs_ocr
def test_only_the_pages_without_text_are_read_as_pictures(folder: Path) -> None:
    parts = release_files.paragraphs()
    printed = release_files.write_pdf(folder / "first.pdf", parts[:5])
    scanned = release_files.write_scan(
        folder / "second.pdf", release_files.write_pdf(folder / "other.pdf", parts[5:7])
    )
    both = release_files.put_together(folder / "both.pdf", printed, scanned)
    loaded = load(both)
    assert loaded.properties["ocr"] == "2"
    assert loaded.text[: loaded.pages[1]].startswith("Số: 04 /TC-UBND")
    assert "thực hiện các nhiệm vụ phát triển" in loaded.text[loaded.pages[1] :]


def test_without_tesseract_the_packages_are_named(
    folder: Path, picture: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    picture.save(folder / "unread.png")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert_refused(folder / "unread.png", "tesseract-ocr and tesseract-ocr-vie")


def test_without_vietnamese_data_its_package_is_named(
    folder: Path, picture: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    picture.save(folder / "unread.tif")
    program = tmp_path / "tesseract"
    program.write_text("#!/bin/sh\necho 'List of available languages (1):'\necho eng\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert_refused(folder / "unread.tif", "Debian package tesseract-ocr-vie")


# --- Word, RTF and LibreOffice ------------------------------------------------------------------


@pytest.fixture(scope="module")
def word_file(folder: Path) -> Loaded:
    import docx
    from docx.oxml import parse_xml

    names = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
    document = docx.Document()
    head = document.add_table(1, 2)
    head.cell(0, 0).text = "UBND TỈNH LÀO CAI\nSỞ Y TẾ\nSố: 17/TC-SYT"
    head.cell(0, 1).text = "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM\nLào Cai, ngày 5 tháng 1 năm 2024"
    document.add_paragraph("THÔNG CÁO BÁO CHÍ")
    document.add_paragraph("Về công tác tiêm chủng năm 2023")
    document.add_heading("Kết quả", 1)
    document.add_heading("Chi tiết", 2)
    document.add_paragraph("Đã tiêm 1.234 liều *tính cả* [hai] đợt.")
    for style in ("List Bullet", "List Number"):
        for text in ("Trẻ em: 300 liều", "Phụ nữ: 200 liều"):
            document.add_paragraph(text, style=style)
    table = document.add_table(3, 3)
    cells = (("Huyện", "2022", "2023"), ("Bát Xát", "12.345", "13.000"), ("Gộp", "", "5|6"))
    for shown, found in zip(cells, table.rows, strict=True):
        for text, cell in zip(shown, found.cells, strict=True):
            cell.text = text
    table.cell(2, 0).merge(table.cell(2, 1))
    changed = document.add_paragraph("Tổng kinh phí là ")
    changed._p.append(
        parse_xml(f"<w:ins {names} w:id='1' w:author='a'><w:r><w:t>7,5 tỷ đồng</w:t></w:r></w:ins>")
    )
    changed._p.append(
        parse_xml(
            f"<w:del {names} w:id='2' w:author='a'><w:r><w:delText>9 tỷ</w:delText></w:r></w:del>"
        )
    )
    path = folder / "made.docx"
    document.save(str(path))
    return load(path)


def test_word_headings_lists_and_tables_are_kept(word_file: Loaded) -> None:
    text = word_file.text
    assert "# Kết quả\n\n## Chi tiết\n\n" in text
    assert "- Trẻ em: 300 liều\n\n- Phụ nữ: 200 liều\n\n1. Trẻ em: 300 liều\n\n2. Phụ" in text
    assert "| Huyện | 2022 | 2023 |\n| Bát Xát | 12.345 | 13.000 |\n| Gộp |  | 5\\|6 |" in text


def test_word_text_means_itself(word_file: Loaded) -> None:
    assert "Đã tiêm 1.234 liều *tính cả* [hai] đợt." in canonical(word_file.text)


def test_word_changes_are_taken_as_accepted(word_file: Loaded) -> None:
    assert word_file.text.endswith("Tổng kinh phí là 7,5 tỷ đồng")


def test_word_letterhead_is_read(word_file: Loaded) -> None:
    release = read_release(word_file, "x")
    assert (release.number, str(release.issued)) == ("17/TC-SYT", "2024-01-05")
    assert release.issuer == "Sở Y tế tỉnh Lào Cai"
    assert release.title == "Về công tác tiêm chủng năm 2023"


def test_word_properties_are_read(folder: Path) -> None:
    loaded = load(release_files.write_docx(folder / "properties.docx"))
    assert loaded.properties["title"] == release_files.TITLE
    assert loaded.properties["author"] == release_files.AUTHOR
    assert "Trang 1" not in loaded.text


@pytest.mark.parametrize("share", [0.1, 0.6, 0.99])
def test_cut_word_file_is_refused(folder: Path, share: float) -> None:
    data = release_files.write_docx(folder / "uncut.docx").read_bytes()
    path = folder / "cut.docx"
    path.write_bytes(data[: int(share * len(data))])
    assert_refused(path, "damaged", "save it again")


def test_rtf_keeps_words_tables_and_title(folder: Path) -> None:
    path = folder / "made.rtf"
    path.write_text(
        r"{\rtf1\ansi\ansicpg1252{\info{\title S\u7889? 5}{\author Ph\u242?ng B\u225?o ch\u237?}}"
        r"{\header Trang 1}\pard Thu ng\u226?n s\u225?ch \u273?\u7841?t 5 t\u7927?.\par "
        r"\trowd\cellx1000\cellx2000\intbl N\u259?m\cell 2023\cell\row\pard H\u7871?t.\par}",
        encoding="ascii",
    )
    loaded = load(path)
    assert "Thu ngân sách đạt 5 tỷ." in loaded.text
    assert "| Năm | 2023 |" in loaded.text
    assert loaded.properties == {"title": "Số 5", "author": "Phòng Báo chí"}


def test_doc_without_a_document_in_it_is_refused(folder: Path) -> None:
    path = folder / "damaged.doc"
    path.write_bytes(OLE + bytes(range(256)) * 8)
    assert_refused(path, "no Word document inside")


def test_without_libreoffice_its_package_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = folder / "old.doc"
    path.write_bytes(OLE + bytes(512) + "WordDocument".encode("utf-16-le"))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert_refused(path, "libreoffice-writer-nogui")


# --- HTML and e-mail ----------------------------------------------------------------------------


def test_html_leaves_menus_out_and_takes_metadata(folder: Path) -> None:
    loaded = load(release_files.write_html(folder / "portal.html"))
    for around in ("Chuyên mục", "Trang chủ", "Tin số", "Bản quyền", "Facebook", "1,5 nghìn"):
        assert around not in loaded.text
    assert loaded.properties == {
        "title": release_files.TITLE,
        "author": release_files.AUTHOR,
        "created": "2021-06-24T17:00:00+07:00",
        "language": "vi",
    }


HTML = """<table><tr><td>UBND TỈNH LÀO CAI<br><b>SỞ Y TẾ</b><br>Số: 17/TC-SYT</td>
<td>CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM<br><i>Lào Cai, ngày 5 tháng 1 năm 2024</i></td></tr></table>
<p><b>THÔNG CÁO BÁO CHÍ</b><br><b>Về công tác tiêm chủng năm 2023</b></p><h2>I. Kết quả</h2>
<div>Toàn tỉnh đã tiêm <b>1.234 liều</b>,
tăng 4,5%.</div><ul><li>Trẻ em: 300 liều;<li>Phụ nữ: 200 liều.</ul>
<ol start=3><li>Việc ba</li><li>Việc bốn</li></ol>
<table><tr><th rowspan=2>Huyện</th><th colspan=2>Số liều</th></tr>
<tr><td>2022</td><td>2023</td></tr>
<tr><td>Bát Xát</td><td>12.345</td><td>13.000</td></tr></table>
<table><tr><td><p>Khung</p><table><tr><td>a</td><td>b</td></tr></table></td></tr></table>"""


def test_html_structure_is_kept(folder: Path) -> None:
    text = load(release_files.write_html(folder / "structure.html", HTML)).text
    assert "## I. Kết quả\n\nToàn tỉnh đã tiêm 1.234 liều, tăng 4,5%.\n\n" in text
    assert "- Trẻ em: 300 liều;\n\n- Phụ nữ: 200 liều.\n\n3. Việc ba\n\n4. Việc bốn" in text
    assert "| Huyện | Số liều |  |\n|  | 2022 | 2023 |\n| Bát Xát | 12.345 | 13.000 |" in text
    assert "Khung\n\n| a | b |" in text


def test_html_letterhead_is_read(folder: Path) -> None:
    release = release_of(release_files.write_html(folder / "letterhead.html", HTML))
    assert (release.number, str(release.issued)) == ("17/TC-SYT", "2024-01-05")
    assert release.issuer == "Sở Y tế tỉnh Lào Cai"


def test_html_nested_deeply_is_read_whole_or_refused(folder: Path) -> None:
    for name, depth in (("deep.html", 1000), ("deeper.html", 20_000)):
        path = folder / name
        page = "<html><body>Đầu" + "<div>" * depth + "Chữ" + "</div>" * depth + "<p>Cuối</p>"
        path.write_text(page, encoding="utf-8")
    assert load(folder / "deep.html").text == "Đầu\n\nChữ\n\nCuối"
    assert_refused(folder / "deeper.html", "nested too deep")


def test_html_of_a_legacy_font_is_turned_into_unicode(folder: Path) -> None:
    path = folder / "old.htm"
    shown = legacy_text.tcvn3("<p>Thành phố đã chi 608,5 tỷ đồng hỗ trợ người dân.</p>" * 3)
    path.write_bytes(b"<html><meta charset=windows-1252><body>" + shown + b"</body></html>")
    assert "Thành phố đã chi 608,5 tỷ đồng hỗ trợ người dân." in load(path).text


@pytest.mark.parametrize("plain_part", [True, False])
def test_message_gives_its_text_and_header(folder: Path, sample: Release, plain_part: bool) -> None:
    loaded = load(release_files.write_eml(folder / "message.eml", plain=plain_part))
    assert read_release(loaded, "x").text == sample.text
    assert loaded.properties == {
        "title": release_files.TITLE,
        "subject": release_files.TITLE,
        "from": f"{release_files.AUTHOR} <baochi@hanoi.example>",
        "created": "2021-06-24T17:00:00+07:00",
        "attachments": "Phụ lục.pdf",
    }


def test_message_that_only_carries_files_names_them(folder: Path) -> None:
    path = folder / "empty.eml"
    path.write_bytes(
        b"From: a@b.example\nSubject: x\nMIME-Version: 1.0\nContent-Type: application/pdf\n"
        b'Content-Disposition: attachment; filename="a.pdf"\n\n%PDF'
    )
    assert_refused(path, "message without text")


# --- encodings ----------------------------------------------------------------------------------

ENCODINGS: dict[str, Callable[[str], bytes]] = {
    "UTF-8": lambda text: text.encode("utf-8"),
    "UTF-16-LE": lambda text: text.encode("utf-16-le"),
    "UTF-16-BE": lambda text: text.encode("utf-16-be"),
    "TCVN3": legacy_text.tcvn3,
    "VNI": legacy_text.vni,
    "VISCII": legacy_text.viscii,
    "Windows-1258": legacy_text.windows_1258,
}
SENTENCES = (
    "Hà Nội, ngày 24 tháng 6 năm 2021",
    "THÔNG CÁO BÁO CHÍ\nThành phố đã chi 608,5 tỷ đồng hỗ trợ cho hơn 515 nghìn người.",
    "Độc lập - Tự do - Hạnh phúc",
    "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM",
    "Số: 04/TC-UBND về “mục tiêu kép” – quý II",
)


@pytest.mark.parametrize("name", ENCODINGS)
@pytest.mark.parametrize("text", SENTENCES)
def test_encoding_is_found_out(name: str, text: str) -> None:
    if name == "VISCII":
        text = text.replace("“", '"').replace("”", '"').replace("–", "-")
    assert decode(ENCODINGS[name](text)) == (text, name)


@pytest.mark.parametrize("name", ["VISCII", "TCVN"])
def test_legacy_tables_agree_with_iconv(name: str) -> None:
    if shutil.which("iconv") is None:
        pytest.skip("iconv is not installed")
    text = "Thành phố Hà Nội: thủy lợi, đê điều, phòng chống lụt bão; vỡ, gãy, ngã, ướt, ẩm, bẫy."
    done = subprocess.run(
        ["iconv", "-f", "UTF-8", "-t", name], input=text.encode(), capture_output=True, check=True
    )
    assert decode(done.stdout).text == text


def test_windows_text_of_western_europe_is_read() -> None:
    text = "The café at the “Palace” cost £5 – a naïve résumé of the year and its people."
    assert decode(text.encode("cp1252")) == (text, "Windows-1252")


def test_marked_utf_16_and_decomposed_letters_are_composed() -> None:
    text = unicodedata.normalize("NFD", "Thông cáo về tỷ lệ")
    assert decode(text.encode("utf-16")).text == "Thông cáo về tỷ lệ"
    assert decode(text.encode()).text == "Thông cáo về tỷ lệ"


@pytest.mark.parametrize("encode", [legacy_text.tcvn3, legacy_text.vni])
def test_text_typed_in_a_legacy_font_is_turned_into_unicode(encode: Callable[[str], bytes]) -> None:
    text = "Thành phố đã chi 608,5 tỷ đồng hỗ trợ người gặp khó khăn.\nNguyễn Anh Dũng"
    typed = encode(text).decode("cp1252")
    assert mend_fonts(typed) == text
    mixed = f"Dòng này viết bằng bảng mã mới, đủ dấu, và dài hơn dòng kia nhiều lần.\n{typed}"
    assert mend_fonts(mixed).split("\n")[1] == text.split("\n")[0]


@pytest.mark.parametrize(
    "text",
    [
        "Der Präsident hört über Maßnahmen für Köln · Größe × Länge: 5 µm ± 2 %.",
        "L’été à Genève : où êtes-vous, François · Noël, garçon çà et là ?",
        "Thông cáo về tỷ lệ « 5 % » · ½ © 2021 ® ±",
    ],
)
def test_other_text_is_left_as_it_is(text: str) -> None:
    assert mend_fonts(text) == text


@given(st.binary(max_size=300))
def test_any_bytes_are_decoded_or_refused(data: bytes) -> None:
    with contextlib.suppress(UnknownEncodingError):
        assert unicodedata.is_normalized("NFC", decode(data).text)


@given(st.text(max_size=300))
def test_unicode_is_never_taken_for_anything_else(text: str) -> None:
    data = text.encode("utf-8", errors="ignore")
    if b"\0" not in data and not data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        expected = unicodedata.normalize("NFC", data.decode())
        assert decode(data) == (expected, "UTF-8")


# --- what a file is -----------------------------------------------------------------------------


def test_contents_count_more_than_the_suffix(folder: Path, sample: Release) -> None:
    for form, suffix in (("pdf", ".txt"), ("docx", ".doc"), ("html", ".doc")):
        made = MAKERS[form](folder)
        named = shutil.copy(made, folder / f"really-{form}{suffix}")
        loaded = load(Path(named))
        assert loaded.format == form
        assert read_release(loaded, "x").number == sample.number


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("text.pdf", "Chữ".encode(), "no PDF file inside"),
        ("text.docx", b"plain text", "no DOCX file inside"),
        ("text.png", b"plain text", "no PNG file inside"),
        ("archive.docx", b"PK\x03\x04 nothing", "damaged file"),
        ("picture.jpg", b"\xff\xd8\xff\xe0 nothing", "damaged file"),
        ("noise.pdf", b"%PDF-1.7\n" + bytes(range(256)), ""),
        ("nothing.rtf", b"{\\rtf1\\ansi }", "no text found"),
        ("nothing.html", b"<html><body><script>x()</script></body></html>", "no text found"),
        ("nothing.eml", b"plain words without a header", "not an e-mail message"),
    ],
)
def test_what_is_not_what_its_suffix_says_is_refused(
    tmp_path: Path, name: str, data: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(data)
    assert_refused(tmp_path / name, said)


def test_supported_goes_by_the_suffix_and_leaves_archives_out() -> None:
    for name in (
        "a.PDF",
        "b.docx",
        "c.Htm",
        "d.eml",
        "e.tiff",
        "f.jpeg",
        "g.rtf",
        "h.doc",
        "i.odt",
    ):
        assert supported(Path(name))
    for name in ("a.zip", "b.xlsx", "c", "d.json", "e.csv"):
        assert not supported(Path(name))


@given(st.lists(st.text(max_size=20), max_size=5))
def test_cells_survive_as_one_row(cells: list[str]) -> None:
    shown = row(map(plain, cells))
    assert shown == "" or (shown.startswith("| ") and shown.endswith(" |") and "\n" not in shown)


def test_content_without_pages_is_plain() -> None:
    assert Content("x").pages == ()
    assert Content("x").properties == {}
