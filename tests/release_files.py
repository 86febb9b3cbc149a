"""The sample release as a file of every format, made by other programs than those that read it."""

from __future__ import annotations

import html
import re
import shutil
import subprocess
from collections.abc import Sequence
from email.message import EmailMessage
from pathlib import Path
from typing import Any, NamedTuple

SAMPLE = Path(__file__).parents[1] / "data" / "releases" / "04-TC-UBND-2021-06-24.md"
FONTS = Path("/usr/share/fonts/truetype/dejavu")
TITLE = "Thông cáo báo chí số 04/TC-UBND"
AUTHOR = "Văn phòng UBND Thành phố Hà Nội"


class Line(NamedTuple):
    """A line of a release: runs of text and whether each is bold."""

    runs: tuple[tuple[str, bool], ...]

    @property
    def text(self) -> str:
        return "".join(text for text, _ in self.runs)


def paragraphs(source: str | None = None) -> list[list[Line]]:
    """The paragraphs of a Markdown text (default: the sample release), each a list of lines."""
    text = SAMPLE.read_text(encoding="utf-8") if source is None else source
    found = []
    for part in re.split(r"\n\s*\n", text.strip()):
        lines, bold = [], False
        for raw in part.strip().split("\n"):
            runs = []
            for index, run in enumerate(raw.split("**")):
                bold = bold if index == 0 else not bold
                if run:
                    runs.append((re.sub(r"\*([^*]+)\*", r"\1", run), bold))
            lines.append(Line(tuple(runs)))
        found.append(lines)
    return found


def _inline(line: Line) -> str:
    return "".join(
        f"<b>{html.escape(text)}</b>" if bold else html.escape(text) for text, bold in line.runs
    )


def write_docx(path: Path, parts: Sequence[list[Line]] | None = None) -> Path:
    """A Word file by python-docx, with core properties and a page number in the footer."""
    import docx

    document = docx.Document()
    document.core_properties.title = TITLE
    document.core_properties.author = AUTHOR
    for part in paragraphs() if parts is None else parts:
        for line in part:
            paragraph = document.add_paragraph()
            for text, bold in line.runs:
                paragraph.add_run(text).bold = bold
    document.sections[0].footer.paragraphs[0].text = "Trang 1"
    document.save(str(path))
    return path


def write_pdf(
    path: Path, parts: Sequence[list[Line]] | None = None, *, header: str | None = None
) -> Path:
    """A PDF by ReportLab: A4, justified lines, page numbers, and a header from page 2 on."""
    from reportlab.lib.enums import TA_JUSTIFY
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import Paragraph, SimpleDocTemplate

    style = ParagraphStyle(
        "body", fontName=_pdf_font(), fontSize=11, leading=15, spaceAfter=6, alignment=TA_JUSTIFY
    )

    def margins(canvas: Any, document: Any) -> None:
        canvas.setFont(_pdf_font(), 9)
        canvas.drawCentredString(A4[0] / 2, 30, f"Trang {document.page}")
        if header and document.page > 1:
            canvas.drawString(72, A4[1] - 40, header)

    template = SimpleDocTemplate(str(path), pagesize=A4, title=TITLE, author=AUTHOR)
    flow = []
    for part in paragraphs() if parts is None else parts:
        for line in part:
            flow.append(Paragraph(_inline(line), style))
    template.build(flow, onFirstPage=margins, onLaterPages=margins)
    return path


SENTENCE = (
    "Tỉnh đã chi 608,5 tỷ đồng hỗ trợ cho hơn 515 nghìn người gặp khó khăn do ảnh hưởng của đại "
    "dịch, tăng 4,5% so với cùng kỳ năm trước và bằng 53% dự toán được giao. "
)


def write_letter(path: Path) -> Path:
    """A made-up release as offices lay it out: letterhead, indents, tables, signature."""
    from reportlab.lib import colors
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table

    font = _pdf_font()

    def text(shown: str, *, centred: bool = False, first: int = 0, sides: int = 0) -> Any:
        style = ParagraphStyle(
            "letter", fontName=font, fontSize=11, leading=14, alignment=1 if centred else 4,
            firstLineIndent=first, leftIndent=sides, rightIndent=sides,
        )  # fmt: skip
        return Paragraph(shown, style)

    head = Table(
        [
            [text(left, centred=True), text(right, centred=True)]
            for left, right in (
                ("UBND TỈNH LÀO CAI", "<b>CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM</b>"),
                ("<b>SỞ Y TẾ</b>", "<b>Độc lập - Tự do - Hạnh phúc</b>"),
                ("Số: 17/TC-SYT", "<i>Lào Cai, ngày 5 tháng 1 năm 2024</i>"),
            )
        ],
        colWidths=[190, 270],
    )
    ruled = Table(
        [
            ["Chỉ tiêu", "Năm 2022", "Năm 2023"],
            ["Thu ngân sách (tỷ đồng)", "1.234", "5.678"],
            ["Chi ngân sách (tỷ đồng)", "900", "1.100,5"],
        ],
        style=[("GRID", (0, 0), (-1, -1), 0.5, colors.black), ("FONT", (0, 0), (-1, -1), font, 11)],
    )
    bare = Table(
        [["Lúa", "12.345", "3,5%"], ["Ngô vụ xuân", "2.345", "1,5%"], ["Cà phê", "345", "-0,5%"]],
        style=[("FONT", (0, 0), (-1, -1), font, 11)],
        colWidths=[200, 80, 80],
    )
    recipients = [text(each) for each in ("<b>Nơi nhận:</b>", "- UBND tỉnh;", "- Lưu: VT.")]
    signed = [
        text("<b>GIÁM ĐỐC</b>", centred=True),
        Spacer(1, 40),
        text("<b>Trần Văn A</b>", centred=True),
    ]
    title = (
        "<b>Về kết quả thực hiện nhiệm vụ phát triển kinh tế - xã hội và công tác y tế năm 2023 "
        "trên địa bàn tỉnh Lào Cai</b>"
    )
    flow = [
        head,
        Spacer(1, 12),
        text("<b>THÔNG CÁO BÁO CHÍ</b>", centred=True),
        text(title, centred=True, sides=60),
        Spacer(1, 8),
        text("I. KẾT QUẢ CHUNG"),
        text(SENTENCE * 3, first=28),
        text(SENTENCE * 2, first=28),
        text("1. Thu ngân sách", first=28),
        text("- " + SENTENCE * 2, first=28),
        text("- Gạo: 5 tấn;", first=28),
        text("- Ngô: 7 tấn.", first=28),
        ruled,
        Spacer(1, 8),
        text(SENTENCE, first=28),
        text("Sản lượng và mức tăng, giảm:"),
        bare,
        text("II. NHIỆM VỤ"),
        *(text(SENTENCE * 6, first=28) for _ in range(3)),
        Spacer(1, 10),
        Table([[recipients, signed]], colWidths=[230, 230]),
    ]
    SimpleDocTemplate(str(path)).build(flow)
    return path


def write_columns(path: Path, count: int) -> Path:
    """A made-up bulletin of numbered paragraphs in two columns, with a heading on each page."""
    from reportlab.lib.pagesizes import A4
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import BaseDocTemplate, Frame, PageTemplate, Paragraph

    font = _pdf_font()
    width, height = A4

    def heading(canvas: Any, document: Any) -> None:
        canvas.setFont(font, 16)
        canvas.drawCentredString(width / 2, height - 80, "Bản tin kinh tế số 5")
        canvas.setFont(font, 8)
        canvas.drawRightString(width - 50, 25, str(document.page))

    template = BaseDocTemplate(str(path), pagesize=A4)
    frames = [Frame(x, 50, 240, height - 170) for x in (50, 305)]
    template.addPageTemplates(PageTemplate(frames=frames, onPage=heading))
    style = ParagraphStyle(
        "column", fontName=font, fontSize=10, leading=13, alignment=4, spaceAfter=6
    )
    template.build([Paragraph(f"Đoạn {each}: {SENTENCE}", style) for each in range(1, count + 1)])
    return path


def put_together(path: Path, *parts: Path) -> Path:
    """The pages of several PDF files in one."""
    import pypdfium2

    made = pypdfium2.PdfDocument.new()
    for part in parts:
        source = pypdfium2.PdfDocument(part)
        made.import_pages(source)
        source.close()
    made.save(path)
    made.close()
    return path


def _pdf_font() -> str:
    from reportlab.lib.fonts import addMapping
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    if "Sans" not in pdfmetrics.getRegisteredFontNames():
        pdfmetrics.registerFont(TTFont("Sans", FONTS / "DejaVuSans.ttf"))
        pdfmetrics.registerFont(TTFont("Sans-Bold", FONTS / "DejaVuSans-Bold.ttf"))
        addMapping("Sans", 0, 0, "Sans")
        addMapping("Sans", 1, 0, "Sans-Bold")
    return "Sans"


def page_images(pdf: Path, *, dpi: int) -> list[Any]:
    """The pages of a PDF as grey pictures."""
    import pypdfium2

    document = pypdfium2.PdfDocument(pdf)
    try:
        return [page.render(scale=dpi / 72, grayscale=True).to_pil() for page in document]
    finally:
        document.close()


def write_scan(path: Path, pdf: Path, *, dpi: int = 200) -> Path:
    """What a scanner makes of a printed PDF: pictures only, as a PDF or a TIFF."""
    first, *rest = page_images(pdf, dpi=dpi)
    first.save(path, save_all=True, append_images=rest, resolution=dpi)
    return path


def html_body(parts: Sequence[list[Line]] | None = None) -> str:
    """The paragraphs as HTML."""
    return "\n".join(
        "<p>" + "<br>\n".join(map(_inline, part)) + "</p>"
        for part in (paragraphs() if parts is None else parts)
    )


def write_html(path: Path, body: str | None = None, *, encoding: str = "utf-8") -> Path:
    """A page of a made-up portal: menus, related news and a footer around the release."""
    menu = "".join(f'<li><a href="/c{i}">Chuyên mục {i}</a></li>' for i in range(10))
    related = "".join(
        f'<li><a href="/n{i}">Tin số {i}: thu ngân sách đạt {i}2,5 nghìn tỷ đồng</a></li>'
        for i in range(8)
    )
    page = f"""<!DOCTYPE html>
<html lang="vi"><head><meta charset="{encoding}">
<title>{TITLE} - Cổng thông tin</title>
<meta property="og:title" content="{TITLE}">
<meta name="author" content="{AUTHOR}">
<meta property="article:published_time" content="2021-06-24T17:00:00+07:00">
<style>p {{ color: black }}</style></head>
<body><header><a href="/">CỔNG THÔNG TIN ĐIỆN TỬ</a><nav><ul>{menu}</ul></nav></header>
<div class="breadcrumb"><a href="/">Trang chủ</a> &gt; <a href="/tc">Thông cáo</a></div>
<div class="wrap"><div class="detail">{html_body() if body is None else body}
<div class="share"><a href="#f">Facebook</a> <a href="#p">In trang này</a></div></div>
<div class="sidebar"><h3>Tin liên quan</h3><ul>{related}</ul></div></div>
<footer>Bản quyền thuộc cổng thông tin. Điện thoại 024 1234567.</footer>
<script>document.write("1,5 nghìn tỷ đồng")</script></body></html>"""
    path.write_bytes(page.encode(encoding))
    return path


def write_eml(path: Path, *, plain: bool = True) -> Path:
    """A message as a press office sends it, with an attachment."""
    message = EmailMessage()
    message["Subject"] = TITLE
    message["From"] = f"{AUTHOR} <baochi@hanoi.example>"
    message["To"] = "toasoan@bao.example"
    message["Date"] = "Thu, 24 Jun 2021 17:00:00 +0700"
    body = f"<html><body>{html_body()}</body></html>"
    if plain:
        message.set_content("\n\n".join("\n".join(x.text for x in part) for part in paragraphs()))
        message.add_alternative(body, subtype="html")
    else:
        message.set_content(body, subtype="html")
    message.add_attachment(
        b"%PDF-1.4", maintype="application", subtype="pdf", filename="Phụ lục.pdf"
    )
    path.write_bytes(message.as_bytes())
    return path


def convert(source: Path, suffix: str) -> Path:
    """The same document in another format, by LibreOffice; beside the source."""
    program = shutil.which("soffice")
    assert program is not None
    profile = source.parent / "writer-profile"
    subprocess.run(
        [
            program, f"-env:UserInstallation={profile.as_uri()}", "--headless",
            "--convert-to", suffix.removeprefix("."), "--outdir", str(source.parent), str(source),
        ],
        check=True,
        capture_output=True,
        timeout=180,
    )  # fmt: skip
    made = source.with_suffix(suffix)
    assert made.exists()
    return made
