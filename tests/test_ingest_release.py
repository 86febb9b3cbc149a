"""Canonical text, metadata and sections.

One release is real (golden files under tests/data/golden); every other text here is made up, its
organs, numbers, people and figures included.
"""

from __future__ import annotations

import hashlib
import json
import re
import time
import unicodedata
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.load import Loaded, load
from ingest.release import canonical, read_release
from rag.schema import Release

ROOT = Path(__file__).parents[1]
NAME = "04-TC-UBND-2021-06-24"


def made(text: str, *, form: str = "md", pages: tuple[int, ...] = ()) -> Release:
    return read_release(Loaded(text, pages, "0" * 64, form), "made-up")


def outline(release: Release) -> list[tuple[int, str]]:
    return [(section.level, section.title) for section in release.sections]


# --- the real release ---------------------------------------------------------------------------


@pytest.fixture(scope="module")
def real() -> Release:
    path = ROOT / "data" / "releases" / f"{NAME}.md"
    return read_release(load(path), str(path))


@pytest.fixture(scope="module")
def golden() -> dict[str, Any]:
    text = (ROOT / "tests" / "data" / "golden" / f"{NAME}.json").read_text(encoding="utf-8")
    found: dict[str, Any] = json.loads(text)
    return found


@pytest.mark.parametrize(
    "name", ["number", "title", "issuer", "place", "signer", "kind", "language"]
)
def test_real_release_has_its_metadata(real: Release, golden: dict[str, Any], name: str) -> None:
    assert getattr(real, name) == golden[name]


def test_real_release_has_its_date_and_identity(real: Release, golden: dict[str, Any]) -> None:
    assert real.issued == date.fromisoformat(golden["issued"])
    assert real.id == hashlib.sha256(real.text.encode()).hexdigest()[:16]
    assert real.pages == ()


def test_real_release_has_its_canonical_text(real: Release) -> None:
    path = ROOT / "tests" / "data" / "golden" / f"{NAME}.txt"
    assert real.text == path.read_text(encoding="utf-8").removesuffix("\n")


def test_real_release_has_its_sections(real: Release, golden: dict[str, Any]) -> None:
    found = [
        {
            "level": section.level,
            "title": section.title,
            "ends_with": real.text[section.end - 30 : section.end],
        }
        for section in real.sections
    ]
    assert found == golden["sections"]
    for section in real.sections:
        assert real.text.startswith(section.title, section.start)


def test_paragraphs_that_page_ends_broke_are_joined(real: Release, golden: dict[str, Any]) -> None:
    for phrase in golden["joined"]:
        assert phrase in real.text


def test_recipients_and_signature_stand_outside_the_sections(real: Release) -> None:
    assert all(section.end <= real.text.index("Nơi nhận") for section in real.sections)


# --- made-up layouts ----------------------------------------------------------------------------

PROVINCE = """\
ỦY BAN NHÂN DÂN          CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM
TỈNH QUẢNG NINH                Độc lập - Tự do - Hạnh phúc
-------                        ---------------
Số: 125/BC-UBND                Quảng Ninh, ngày 05 tháng 7 năm 2024

BÁO CÁO
Tình hình kinh tế - xã hội 6 tháng đầu năm và nhiệm vụ trọng tâm
6 tháng cuối năm 2024

I. TÌNH HÌNH KINH TẾ - XÃ HỘI

1. Về kinh tế

Tổng sản phẩm trên địa bàn tỉnh (GRDP) 6 tháng ước tăng 8,2% so với cùng
kỳ; thu ngân sách đạt 27.450 tỷ đồng, bằng 51% dự toán. Kim ngạch xuất
khẩu đạt 1,9 tỷ USD.

a) Nông nghiệp

Sản lượng lúa đạt 120 nghìn tấn.

b) Công nghiệp

Chỉ số sản xuất công nghiệp tăng 5,5%.

2. Về văn hóa - xã hội

Giải quyết việc làm cho 15.000 lao động.

II. NHIỆM VỤ TRỌNG TÂM

1. Sở Y tế chủ trì phòng, chống dịch
2. Sở Tài chính rà soát ngân sách

Trên đây là báo cáo tình hình kinh tế - xã hội./.

Nơi nhận:                          TM. ỦY BAN NHÂN DÂN
- Văn phòng Chính phủ;             KT. CHỦ TỊCH
- Lưu: VT.                         PHÓ CHỦ TỊCH

                                   Trần Văn Bình

PHỤ LỤC
Số liệu chi tiết

Bảng chi tiết các chỉ tiêu chủ yếu của tỉnh trong sáu tháng đầu năm 2024.
"""


def test_two_column_letterhead_in_plain_text() -> None:
    release = made(PROVINCE, form="txt")
    assert release.number == "125/BC-UBND"
    assert release.issued == date(2024, 7, 5)
    assert release.place == "Quảng Ninh"
    assert release.issuer == "Ủy ban nhân dân tỉnh Quảng Ninh"
    assert release.kind == "BÁO CÁO"
    assert release.title == (
        "Tình hình kinh tế - xã hội 6 tháng đầu năm và nhiệm vụ trọng tâm 6 tháng cuối năm 2024"
    )
    assert release.signer == "Trần Văn Bình"
    assert "so với cùng kỳ; thu ngân sách" in release.text
    assert "Kim ngạch xuất khẩu đạt" in release.text


def test_numbering_nests_and_numbered_lists_are_no_headings() -> None:
    release = made(PROVINCE, form="txt")
    assert outline(release) == [
        (1, "I. TÌNH HÌNH KINH TẾ - XÃ HỘI"),
        (2, "1. Về kinh tế"),
        (3, "a) Nông nghiệp"),
        (3, "b) Công nghiệp"),
        (2, "2. Về văn hóa - xã hội"),
        (1, "II. NHIỆM VỤ TRỌNG TÂM"),
        (1, "PHỤ LỤC"),
    ]
    tasks = release.sections[5]
    assert release.text[tasks.start : tasks.end].endswith("kinh tế - xã hội./.")


MINISTRY = """\
| **BỘ KẾ HOẠCH VÀ ĐẦU TƯ**<br>**TỔNG CỤC THỐNG KÊ** | **CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM** |
|---|---|
| Số: 78/TB-TCTK | *Hà Nội, ngày 29 tháng 3 năm 2024* |

# THÔNG CÁO BÁO CHÍ

**VỀ TÌNH HÌNH LAO ĐỘNG, VIỆC LÀM QUÝ I NĂM 2024**

## 1. Lực lượng lao động

Lực lượng lao động từ 15 tuổi trở lên là **52,4 triệu người**, giảm 137,4 nghìn người.

| Vùng | Số người (nghìn) |
|:-----|-----:|
| Đồng bằng sông Hồng | 11.520 |
| Tây Nguyên | 3_100 |

## 2. Thất nghiệp

Tỷ lệ thất nghiệp là 2,24%.

**Nơi nhận:**
- Báo chí;
- Lưu: VT.

**KT. TỔNG CỤC TRƯỞNG**
**PHÓ TỔNG CỤC TRƯỞNG**

(Đã ký)

**Nguyễn Thị Hương**
"""


def test_markdown_with_the_letterhead_in_a_table() -> None:
    release = made(MINISTRY)
    assert release.number == "78/TB-TCTK"
    assert release.issuer == "Tổng cục Thống kê"
    assert release.issued == date(2024, 3, 29)
    assert release.kind == "THÔNG CÁO BÁO CHÍ"
    assert release.title == "VỀ TÌNH HÌNH LAO ĐỘNG, VIỆC LÀM QUÝ I NĂM 2024"
    assert release.signer == "Nguyễn Thị Hương"
    assert outline(release) == [(1, "1. Lực lượng lao động"), (1, "2. Thất nghiệp")]
    assert "\nVùng | Số người (nghìn)\nĐồng bằng sông Hồng | 11.520\nTây Nguyên | 3_100\n" in (
        release.text
    )


DEPARTMENT = """\
**ỦY BAN NHÂN DÂN THÀNH PHỐ HỒ CHÍ MINH**
**SỞ Y TẾ**

Số: **1234** / TB - SYT

*Thành phố Hồ Chí Minh, ngày 1 tháng 02 năm 2022*

**THÔNG BÁO**

**Về việc tổ chức tiêm chủng dịp Tết**

Điều 1. Thời gian tiêm

Từ ngày 3/2/2022 đến ngày 10/2/2022.

Điều 2. Địa điểm

Tại 22 quận, huyện của Thành phố.

GIÁM ĐỐC

Tăng Chí Thượng
"""


def test_department_takes_the_place_of_the_body_above_it() -> None:
    release = made(DEPARTMENT)
    assert release.issuer == "Sở Y tế Thành phố Hồ Chí Minh"
    assert release.number == "1234/TB-SYT"
    assert release.place == "Thành phố Hồ Chí Minh"
    assert release.issued == date(2022, 2, 1)
    assert release.title == "Về việc tổ chức tiêm chủng dịp Tết"
    assert release.signer == "Tăng Chí Thượng"
    assert outline(release) == [(1, "Điều 1. Thời gian tiêm"), (1, "Điều 2. Địa điểm")]
    assert release.text[: release.sections[-1].end].endswith("của Thành phố.")


ENGLISH = """\
# Ministry of Health

**FOR IMMEDIATE RELEASE**

Press release No. 12/2023

## New vaccination centres open in four provinces

HANOI, March 5, 2023 – The Ministry of Health today opened 43 vaccination centres. More than
1.2 million doses were delivered.

### 1. Funding

The programme costs $12.5 million over *three* years.

### 2. Next steps

- Train 500 nurses;
- Report by June 2024.

###

Media contact:
John Smith, press@moh.example, +84 24 1234 5678
"""


def test_english_markdown_release() -> None:
    release = made(ENGLISH)
    assert release.language == "en"
    assert release.number == "12/2023"
    assert release.title == "New vaccination centres open in four provinces"
    assert release.issuer == "Ministry of Health"
    assert (release.issued, release.place) == (date(2023, 3, 5), "HANOI")
    assert release.signer is None
    assert outline(release) == [(1, "1. Funding"), (1, "2. Next steps")]
    assert release.text[: release.sections[-1].end].endswith("- Report by June 2024.")


def test_english_plain_text_release_with_a_signature() -> None:
    release = made(
        "PRESS RELEASE\nHanoi People's Committee\nRelease No: 2022-45\nDate: 17/08/2022\n\n"
        "City opens three new bridges\n\n"
        "The committee opened three bridges on Wednesday. They cost VND 4.2 trillion in\n"
        "total, and 12,000 workers took part in the work.\n\n"
        "Section 1 Background\n\nThe plan was approved in 2017.\n\n"
        "Section 2 Traffic\n\nTraffic grew by 7 percent.\n\n"
        "Nguyen Van An\nVice Chairman, Hanoi People's Committee\n",
        form="txt",
    )
    assert release.kind == "PRESS RELEASE"
    assert release.title == "City opens three new bridges"
    assert release.issuer == "Hanoi People's Committee"
    assert release.number == "2022-45"
    assert release.issued == date(2022, 8, 17)
    assert release.signer == "Nguyen Van An"
    assert outline(release) == [(1, "Section 1 Background"), (1, "Section 2 Traffic")]
    assert "VND 4.2 trillion in total" in release.text


@pytest.mark.parametrize(
    ("line", "issued", "place"),
    [
        ("Hà Nội, ngày 24 tháng 6 năm 2021", date(2021, 6, 24), "Hà Nội"),
        ("Hà Nội, ngày **24** tháng **6** năm 20 21", date(2021, 6, 24), "Hà Nội"),
        ("TP. Hồ Chí Minh, ngày 05/03/2023", date(2023, 3, 5), "TP. Hồ Chí Minh"),
        ("Ngày đăng: 05/03/2023", date(2023, 3, 5), None),
        ("LONDON, 5 March 2023", date(2023, 3, 5), "LONDON"),
        ("March 5, 2023", date(2023, 3, 5), None),
        ("Sunday, 5th March 2023", date(2023, 3, 5), None),
        ("Date: 2023-03-05", date(2023, 3, 5), None),
        ("Date: 31/12/2023", date(2023, 12, 31), None),
        ("Date: 12/31/2023", date(2023, 12, 31), None),
        ("Date: 05/03/2023", None, None),
        ("March 35, 2023", None, None),
    ],
)
def test_dates(line: str, issued: date | None, place: str | None) -> None:
    vietnamese = bool(re.search("ngày", line, re.I))
    body = (
        "Thành phố đã chi 12 tỷ đồng để hỗ trợ người dân trong quý này, theo báo cáo."
        if vietnamese
        else "The city spent twelve million dollars on the support of its people this quarter."
    )
    release = made(f"{line}\n\nA headline\n\n{body}\n")
    assert (release.issued, release.place) == (issued, place)


@pytest.mark.parametrize(
    "start",
    [
        "WASHINGTON, D.C. (March 5, 2023) — The Department of Energy said",
        "(Washington, D.C., 5 March 2023) - The Department of Energy said",
        "**Washington, D.C., March 5, 2023** – The Department of Energy said",
    ],
)
def test_dateline_gives_date_place_and_issuer(start: str) -> None:
    release = made(f"# Grid upgrade\n\n{start} that 40 lines were built in the past year.\n")
    assert release.issued == date(2023, 3, 5)
    assert (release.place or "").lower() == "washington, d.c."
    assert release.issuer == "Department of Energy"
    assert release.title == "Grid upgrade"


def test_date_of_an_event_is_not_the_date_of_the_release() -> None:
    release = made("Ngày 24/6/2021, tại trụ sở UBND, hội nghị đã bàn về 4 nội dung trọng tâm.\n")
    assert release.issued is None
    assert made("Từ ngày 3/2/2022 đến ngày 10/2/2022 thành phố tiêm chủng.").place is None


@pytest.mark.parametrize(
    ("number", "place", "body", "issuer"),
    [
        ("7/CĐ-TTg", "Hà Nội", "", "Thủ tướng Chính phủ"),
        ("7/NQ-CP", "Hà Nội", "", "Chính phủ"),
        ("7/TCBC-BTC", "Hà Nội", "", "Bộ Tài chính"),
        ("7/BGD&ĐT-VP", "Hà Nội", "", "Bộ Giáo dục và Đào tạo"),
        ("7/UBND-VX", "Đà Nẵng", "", "UBND Thành phố Đà Nẵng"),
        ("7/TB-UBND", "Sóc Sơn", "UBND huyện Sóc Sơn đã họp.", "UBND huyện Sóc Sơn"),
        ("7/TB-UBND", "Lào Cai", "Người dân tỉnh Lào Cai.", "UBND tỉnh Lào Cai"),
        ("7/BC-SYT", "Hà Nội", "", "Sở Y tế Thành phố Hà Nội"),
        ("7/XX-YYY", "Hà Nội", "", None),
    ],
)
def test_issuer_from_the_number(number: str, place: str, body: str, issuer: str | None) -> None:
    release = made(
        f"Số: {number}\n\n{place}, ngày 2 tháng 3 năm 2024\n\nTHÔNG BÁO\n\nVề một việc\n\n"
        f"{body} Sau khi xem xét các báo cáo, hội nghị đã thống nhất nhiều nội dung quan trọng.\n"
    )
    assert release.number == number
    assert release.issuer == issuer


@pytest.mark.parametrize(
    ("lines", "issuer"),
    [
        ("BỘ GIÁO DỤC\nVÀ ĐÀO TẠO", "Bộ Giáo dục và Đào tạo"),
        ("BỘ LAO ĐỘNG - THƯƠNG BINH VÀ XÃ HỘI", "Bộ Lao động - Thương binh và Xã hội"),
        ("BỘ VĂN HÓA, THỂ THAO VÀ DU LỊCH", "Bộ Văn hóa, Thể thao và Du lịch"),
        ("NGÂN HÀNG NHÀ NƯỚC VIỆT NAM", "Ngân hàng Nhà nước Việt Nam"),
        ("ỦY BAN NHÂN DÂN\nTHÀNH PHỐ HÀ NỘI", "Ủy ban nhân dân Thành phố Hà Nội"),
        ("VĂN PHÒNG CHÍNH PHỦ", "Văn phòng Chính phủ"),
        ("UBND TỈNH LÀO CAI\nSỞ TÀI CHÍNH", "Sở Tài chính tỉnh Lào Cai"),
        ("MINISTRY OF PLANNING AND INVESTMENT", "Ministry of Planning and Investment"),
    ],
)
def test_issuer_from_the_letterhead(lines: str, issuer: str) -> None:
    release = made(f"{lines}\n\nSố: 9/TB-VP\n\nTHÔNG BÁO\n\nVề một việc\n\nNội dung ở đây.\n")
    assert release.issuer == issuer


def test_text_without_any_layout_has_no_metadata() -> None:
    text = "The river rose 3.5 metres in May. It flooded 40 villages, and 2,000 people moved."
    release = made(text, form="txt")
    assert release.text == text
    assert release.sections == ()
    assert {
        release.number,
        release.title,
        release.issuer,
        release.issued,
        release.place,
        release.signer,
        release.kind,
    } == {None}


def test_number_and_day_left_blank_still_tell_organ_and_place() -> None:
    release = made(
        "Số:        /BC-UBND\n\nLào Cai, ngày     tháng 7 năm 2024\n\n"
        "# BÁO CÁO: Kết quả thu ngân sách\n\nKính gửi: Bộ Tài chính\n\n"
        "UBND tỉnh Lào Cai báo cáo như sau: tổng thu đạt 5.000 tỷ đồng.\n"
    )
    assert (release.number, release.issued) == (None, None)
    assert release.issuer == "UBND tỉnh Lào Cai"
    assert release.place == "Lào Cai"
    assert (release.kind, release.title) == ("BÁO CÁO", "Kết quả thu ngân sách")


def test_short_lines_set_apart_are_headings_in_a_web_page() -> None:
    release = made(
        "New visitor centre to open at Blackwater Lake\n\nDepartment for Culture and Tourism\n"
        "Published 12 April 2024\n\nA new visitor centre will open at Blackwater Lake on 1 June. "
        "It cost £3.4 million.\n\nWhat visitors will find\n\n"
        "There are three exhibition halls and a café by the water.\n\nNotes to editors\n\n"
        "The project began in 2021.\n",
        form="txt",
    )
    assert release.title == "New visitor centre to open at Blackwater Lake"
    assert release.issuer == "Department for Culture and Tourism"
    assert release.issued == date(2024, 4, 12)
    assert outline(release) == [(1, "What visitors will find")]


@pytest.mark.parametrize(
    "text",
    ["[a" * 9000, "**a" * 9000, "<!--" * 9000, "<tr>" * 9000, " " * 60000 + "x", "`a" * 9000],
    ids=["links", "bold", "comments", "rows", "spaces", "code"],
)
def test_marks_that_never_close_do_not_stall(text: str) -> None:
    start = time.perf_counter()
    assert canonical("Lời dẫn " + text).startswith("Lời dẫn")
    assert time.perf_counter() - start < 10


# --- canonical text -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("**Đậm** và *nghiêng*, __đậm__, _nghiêng_, ***cả hai***", 5 * ("",)),
        ("5_000 a*b 2 * 3 * 4 x_y_z ./.", "5_000 a*b 2 * 3 * 4 x_y_z ./."),
        ("Ghi chú (*) và (**) cùng 100* đồng", "Ghi chú (*) và (**) cùng 100* đồng"),
        (r"\*sao\* 1\. \- \# 5\%", r"*sao* 1. - # 5\%"),
        ('xem [báo cáo](https://x.vn/a_(b)_c "tên") này', "xem báo cáo này"),
        ("trước ![ảnh](a.png) sau", "trước sau"),
        ("# Đề mục ##", "Đề mục"),
        ("> trích\n> dẫn", "trích dẫn"),
        ("```text\nmã\n```", "mã"),
        ("một\n\n---\n\nHai", "một\nHai"),
        ("<b>đậm</b>&nbsp;&amp; a < b > c <i>x</i><!-- ẩn -->", "đậm & a < b > c x"),
        ("một<br>Hai", "một\nHai"),
        ("a\u200bb\u00adc\ufeff  d\u00a0\u3000e\tg", "abc d e g"),
        ("| a | b |\n|---|:-:|\n| c | d\\|e |", "a | b\nc | d|e"),
        (
            "<table><tr><td>a</td><td>b</td></tr>\n<tr><td>c</td><td>d</td></tr></table>",
            "a | b\nc | d",
        ),
        ("• một\n* hai\n– ba\n+ bốn\n-Năm", "- một\n- hai\n- ba\n+ bốn\n- Năm"),
        ("https://x.vn/a_b_c và me_you_us@x.vn", "https://x.vn/a_b_c và me_you_us@x.vn"),
        ("`a_b` ``c`d``", "a_b c`d"),
        ("e\u0302\u0301", "ế"),
        ("**Số: 04", "Số: 04"),
        (" \n\n\t", ""),
    ],
)
def test_marks_go_and_text_stays(raw: str, text: str | tuple[str, ...]) -> None:
    expected = "Đậm và nghiêng, đậm, nghiêng, cả hai" if isinstance(text, tuple) else text
    assert canonical(raw) == expected


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Thành phố đẩy mạnh công nghệ thông tin,", "tập trung xây dựng cơ sở dữ liệu."),
        ("- Theo dõi sát tình hình, kịp thời xử lý", "các phản ứng trong tiêm chủng."),
        ("các ngành tăng tốt (quý I tăng 7,97%; quý", "II tăng 8,15%) và ổn định."),
        ("Chương trình “Chung tay", "Đẩy lùi dịch” đã thu hút nhiều người."),
        ("Các ngành *công nghiệp, chế tạo", "May mặc* đều tăng."),
        ("Công tác này do lãnh đạo các cấp, các ngành của", "Hà Nội thực hiện."),
        ("Officials said the new bridge over the river was", "finished two months early."),
    ],
)
def test_what_a_page_end_broke_is_joined(before: str, after: str) -> None:
    joined = f"{before} {after}".replace("*", "")
    assert canonical(f"{before}\n\n{after}") == joined
    assert canonical(f"{before}\n\n- 7 -\n\n{after}") == joined
    assert canonical(f"{before}\n\n7\n\n{after}") == joined


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("Thành phố yêu cầu:", "thực hiện nghiêm."),
        ("Câu này đã xong.", "câu sau viết thường."),
        ("I. Kết quả chung của cả năm", "Năm qua có nhiều tiến bộ."),
        ("# Đề mục", "chữ thường"),
        ("Đoạn này kết thúc (có ngoặc).", "Đoạn sau."),
        ("Đoạn này có (ngoặc mở quên đóng", "Đoạn sau không có ngoặc."),
        ("- việc thứ nhất;", "- việc thứ hai."),
        ("THÔNG BÁO", "về một việc"),
    ],
)
def test_what_is_whole_is_not_joined(before: str, after: str) -> None:
    assert canonical(f"{before}\n\n{after}").count("\n") == 1


def test_lines_broken_at_a_width_are_joined_and_short_lines_are_not() -> None:
    text = (
        "Thành phố đã tổ chức hội nghị giao ban kiểm điểm kết quả công tác của\n"
        "UBND các quận, huyện và giao nhiệm vụ cho các sở, ban, ngành trong\n"
        "thời gian tới.\n\n"
        "Phòng Một\nPhòng Hai\nPhòng Ba\n"
    )
    assert canonical(text).split("\n")[1:] == ["Phòng Một", "Phòng Hai", "Phòng Ba"]


def test_a_number_alone_on_its_line_stays_when_nothing_was_broken() -> None:
    assert canonical("Tổng số ca mắc là:\n\n125\n\nĐây là số của tuần.") == (
        "Tổng số ca mắc là:\n125\nĐây là số của tuần."
    )


def test_pages_are_mapped_to_the_canonical_text() -> None:
    first, second, third = "**Một** hai ba bốn năm và", "sáu bảy tám.\n\nChín.", "\n  Mười."
    pages = (0, len(first) + 2, len(first) + 2 + len(second) + 2)
    release = made(f"{first}\n\n{second}\n\n{third}", pages=pages)
    assert release.text == "Một hai ba bốn năm và sáu bảy tám.\nChín.\nMười."
    assert [release.text[page:][:4] for page in release.pages] == ["Một ", "sáu ", "Mười"]


def test_bold_and_capital_lines_are_headings_under_numbers() -> None:
    release = made(
        "Lời dẫn của văn bản này, dài hơn một dòng để là thân bài của văn bản.\n\n"
        "KẾT QUẢ CHUNG\n\nĐạt kết quả tốt.\n\n**Chi tiết**\n\nTăng 5%.\n\n"
        "NHIỆM VỤ CHUNG\n\nTiếp tục."
    )
    assert outline(release) == [(1, "KẾT QUẢ CHUNG"), (2, "Chi tiết"), (1, "NHIỆM VỤ CHUNG")]


def test_markdown_headings_keep_their_levels() -> None:
    release = made("# Title\n\n## One\n\nText.\n\n### Two\n\nText.\n\n## Three\n\nText.")
    assert release.title == "Title"
    assert outline(release) == [(1, "One"), (2, "Two"), (1, "Three")]


PIECES = st.sampled_from(
    [
        "I. Mục",
        "1- Việc",
        "a) Ý",
        "# H",
        "## K",
        "**b**",
        "CHỮ HOA LỚN",
        "- điểm;",
        "Câu văn. Câu hai",
    ]
)


@settings(deadline=None, max_examples=150)
@given(st.lists(PIECES | st.text(max_size=40), max_size=12), st.sampled_from(["\n", "\n\n"]))
def test_any_text_gives_a_sound_release(parts: list[str], gap: str) -> None:
    release = made(gap.join(parts))
    assert unicodedata.is_normalized("NFC", release.text)
    assert not re.search(r"\n\n|^\s|\s$|  |[^\S \n]", release.text)
    for section in release.sections:
        assert release.text.startswith(section.title, section.start)
        assert 0 <= section.start < section.end <= len(release.text)
        for other in release.sections:
            inside = section.start < other.start < section.end
            assert not inside or (other.end <= section.end and other.level > section.level)


@settings(deadline=None, max_examples=100)
@given(
    st.lists(
        st.lists(
            st.text("abcxyzđếữ ĐẾ0123456789,;:()%./-", min_size=1).filter(str.strip), max_size=4
        ).map("\n".join),
        max_size=6,
    ).map("\n\n".join)
)
def test_words_and_figures_are_never_lost(text: str) -> None:
    kept = canonical(text)
    assert re.findall(r"[^\W\d_]+", kept) == re.findall(r"[^\W\d_]+", text)
