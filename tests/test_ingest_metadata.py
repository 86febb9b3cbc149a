"""Headers and closings of many layouts, and what is read from them.

Every text here is made up, its organs, places, people, numbers and figures included; some are
damaged on purpose in the ways in which text recognition damages a scan.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import pytest

from ingest.load import Loaded, load
from ingest.release import read_release
from rag.schema import Release

RELEASES = Path(__file__).parent / "data" / "releases"
_CHECKED = ("number", "issued", "issuer", "place", "title", "signer", "subject", "kind")

VI = (
    "Trong tháng qua, các đơn vị đã hoàn thành 128 công trình và giải ngân 45,2 tỷ đồng cho các xã "
    "vùng cao, bảo đảm tiến độ mà kế hoạch đầu năm đã đề ra."
)
EN = (
    "The programme paid 4.2 million dollars to 310 farms in the past year, and officials expect "
    "that another 120 farms will join it before the end of the season."
)


@dataclass(frozen=True)
class Case:
    name: str
    text: str
    known: dict[str, str] = field(default_factory=dict)
    """What has to be found; every other field has to be None."""


VIETNAMESE = [
    Case(
        "official letter in two columns",
        f"""\
UBND TỈNH TÂN GIANG            CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM
SỞ Y TẾ                             Độc lập - Tự do - Hạnh phúc
Số: 1520/SYT-NVY                    Tân Giang, ngày 03 tháng 8 năm 2023
V/v tăng cường giám sát bệnh sởi

Kính gửi: Các cơ quan báo chí

{VI}

Nơi nhận:                           KT. GIÁM ĐỐC
- Như trên;                         PHÓ GIÁM ĐỐC
- Lưu: VT.

                                    Lương Thị Hạnh
""",
        {
            "number": "1520/SYT-NVY",
            "issued": "2023-08-03",
            "issuer": "Sở Y tế tỉnh Tân Giang",
            "place": "Tân Giang",
            "title": "V/v tăng cường giám sát bệnh sởi",
            "subject": "tăng cường giám sát bệnh sởi",
            "signer": "Lương Thị Hạnh",
        },
    ),
    Case(
        "notice with its abstract under the type",
        f"""\
ỦY BAN NHÂN DÂN
HUYỆN LẠC SƠN

Số: 77/TB-UBND

Lạc Sơn, ngày 9 tháng 11 năm 2022

THÔNG BÁO

Về việc đóng cửa bãi rác Đồi Chè

{VI}

TM. ỦY BAN NHÂN DÂN

CHỦ TỊCH

Phan Văn Tú
""",
        {
            "number": "77/TB-UBND",
            "issued": "2022-11-09",
            "issuer": "Ủy ban nhân dân huyện Lạc Sơn",
            "place": "Lạc Sơn",
            "title": "Về việc đóng cửa bãi rác Đồi Chè",
            "subject": "đóng cửa bãi rác Đồi Chè",
            "signer": "Phan Văn Tú",
            "kind": "THÔNG BÁO",
        },
    ),
    Case(
        "office under its organ",
        f"""\
HỘI ĐỒNG NHÂN DÂN TỈNH HÒA CHÂU

VĂN PHÒNG

Số: 12/TC-VP

Hòa Châu, ngày 08/12/2023

THÔNG CÁO BÁO CHÍ

Kỳ họp thứ mười bốn

{VI}

CHÁNH VĂN PHÒNG

(Đã ký)

Đỗ Quang Lâm
""",
        {
            "number": "12/TC-VP",
            "issued": "2023-12-08",
            "issuer": "Văn phòng Hội đồng nhân dân tỉnh Hòa Châu",
            "place": "Hòa Châu",
            "title": "Kỳ họp thứ mười bốn",
            "signer": "Đỗ Quang Lâm",
            "kind": "THÔNG CÁO BÁO CHÍ",
        },
    ),
    Case(
        "correction",
        f"""\
ỦY BAN NHÂN DÂN TỈNH TÂN GIANG
VĂN PHÒNG

Số: 52/TC-UBND

Tân Giang, ngày 05 tháng 9 năm 2023

THÔNG CÁO BÁO CHÍ

Đính chính Thông cáo báo chí số 49/TC-UBND ngày 31/8/2023

{VI}

TL. CHỦ TỊCH
CHÁNH VĂN PHÒNG

Võ Minh Khuê
""",
        {
            "number": "52/TC-UBND",
            "issued": "2023-09-05",
            "issuer": "Văn phòng Ủy ban nhân dân tỉnh Tân Giang",
            "place": "Tân Giang",
            "title": "Đính chính Thông cáo báo chí số 49/TC-UBND ngày 31/8/2023",
            "signer": "Võ Minh Khuê",
            "kind": "THÔNG CÁO BÁO CHÍ",
            "supersedes": "49/TC-UBND",
        },
    ),
    Case(
        "time of day in the line of place and date",
        f"""\
**CỤC PHÒNG CHỐNG LŨ BÃO**

Số: 452/TC-CPCLB

Hà Nội, 17 giờ 00 ngày 08 tháng 11 năm 2016

# THÔNG CÁO BÁO CHÍ
## Về bão số 11

{VI}
""",
        {
            "number": "452/TC-CPCLB",
            "issued": "2016-11-08",
            "issuer": "Cục Phòng chống lũ bão",
            "place": "Hà Nội",
            "title": "Về bão số 11",
            "kind": "THÔNG CÁO BÁO CHÍ",
        },
    ),
    Case(
        "ministry, national number, blank before the slash",
        f"""\
**BỘ NÔNG NGHIỆP VÀ MÔI TRƯỜNG**

Số: **35** /TCBC-BNNMT

*Hà Nội, ngày **2** tháng **4** năm 2025*

# THÔNG CÁO BÁO CHÍ
## Về tình hình xâm nhập mặn tháng 3

{VI}
""",
        {
            "number": "35/TCBC-BNNMT",
            "issued": "2025-04-02",
            "issuer": "Bộ Nông nghiệp và Môi trường",
            "place": "Hà Nội",
            "title": "Về tình hình xâm nhập mặn tháng 3",
            "kind": "THÔNG CÁO BÁO CHÍ",
        },
    ),
    Case(
        "issuer from the number alone",
        f"""\
Số: 04/TC-UBND

Cần Thơ, ngày 24 tháng 6 năm 2021

THÔNG CÁO BÁO CHÍ

Kết quả quý II

{VI}
""",
        {
            "number": "04/TC-UBND",
            "issued": "2021-06-24",
            "issuer": "UBND Thành phố Cần Thơ",
            "place": "Cần Thơ",
            "title": "Kết quả quý II",
            "kind": "THÔNG CÁO BÁO CHÍ",
        },
    ),
    Case(
        "number and day left open",
        f"""\
SỞ DU LỊCH TỈNH HÒA CHÂU

Số: ……/TB-SDL

Hòa Châu, ngày … tháng 5 năm 2024

THÔNG BÁO

Mùa du lịch biển 2024

{VI}
""",
        {
            "issuer": "Sở Du lịch tỉnh Hòa Châu",
            "place": "Hòa Châu",
            "title": "Mùa du lịch biển 2024",
            "kind": "THÔNG BÁO",
        },
    ),
    Case(
        "party organ",
        f"""\
TỈNH ỦY TÂN GIANG

Số 18-TB/TU

Tân Giang, ngày 11 tháng 10 năm 2023

THÔNG BÁO

Kết quả hội nghị tháng 10

{VI}

T/M BAN THƯỜNG VỤ
PHÓ BÍ THƯ

Hà Thị Vân
""",
        {
            "number": "18-TB/TU",
            "issued": "2023-10-11",
            "issuer": "Tỉnh ủy Tân Giang",
            "place": "Tân Giang",
            "title": "Kết quả hội nghị tháng 10",
            "signer": "Hà Thị Vân",
            "kind": "THÔNG BÁO",
        },
    ),
    Case(
        "number beside the type",
        f"""\
CỤC THỐNG KÊ TỈNH HÒA CHÂU

THÔNG CÁO BÁO CHÍ SỐ 9

Tình hình giá tiêu dùng tháng 9 năm 2022

Hòa Châu, ngày 29 tháng 9 năm 2022

{VI}
""",
        {
            "number": "9",
            "issued": "2022-09-29",
            "issuer": "Cục Thống kê tỉnh Hòa Châu",
            "place": "Hòa Châu",
            "title": "Tình hình giá tiêu dùng tháng 9 năm 2022",
            "kind": "THÔNG CÁO BÁO CHÍ",
        },
    ),
    Case(
        "web page of a portal",
        f"""\
# Tân Giang khánh thành cầu Bến Lội

Ngày đăng: 14/02/2024 16:05

Cơ quan ban hành: Sở Giao thông vận tải tỉnh Tân Giang

{VI}
""",
        {
            "issued": "2024-02-14",
            "issuer": "Sở Giao thông vận tải tỉnh Tân Giang",
            "title": "Tân Giang khánh thành cầu Bến Lội",
        },
    ),
    Case(
        "weekday and time before the date",
        f"""\
Cập nhật lúc: 09:30, Thứ Tư, 14/02/2024

Khánh thành cầu Bến Lội

{VI}
""",
        {"issued": "2024-02-14", "title": "Khánh thành cầu Bến Lội"},
    ),
    Case(
        "labels down the page",
        f"""\
THÔNG TIN BÁO CHÍ

Số hiệu: 214/2024/TTBC

Ngày ban hành: 20/5/2024

Đơn vị phát hành: Ban Quản lý Khu kinh tế Vịnh Sao

Trích yếu: Tiến độ cảng Vịnh Sao

{VI}

Người ký: Mai Xuân Hợp
""",
        {
            "number": "214/2024/TTBC",
            "issued": "2024-05-20",
            "issuer": "Ban Quản lý Khu kinh tế Vịnh Sao",
            "title": "Tiến độ cảng Vịnh Sao",
            "subject": "Tiến độ cảng Vịnh Sao",
            "signer": "Mai Xuân Hợp",
            "kind": "THÔNG TIN BÁO CHÍ",
        },
    ),
    Case(
        "dateline in the first paragraph",
        f"""\
BỘ CÔNG THƯƠNG

# Xuất khẩu gạo tăng mạnh

(Hà Nội, ngày 6/7/2023) – {VI}
""",
        {
            "issued": "2023-07-06",
            "issuer": "Bộ Công Thương",
            "place": "Hà Nội",
            "title": "Xuất khẩu gạo tăng mạnh",
        },
    ),
    Case(
        "date at the foot",
        f"""\
SỞ TÀI CHÍNH TỈNH LẠC SƠN

THÔNG BÁO

Lịch đấu giá tài sản công

{VI}

Lạc Sơn, ngày 17 tháng 01 năm 2020

GIÁM ĐỐC

Tạ Hữu Phước
""",
        {
            "issued": "2020-01-17",
            "issuer": "Sở Tài chính tỉnh Lạc Sơn",
            "place": "Lạc Sơn",
            "title": "Lịch đấu giá tài sản công",
            "signer": "Tạ Hữu Phước",
            "kind": "THÔNG BÁO",
        },
    ),
    Case(
        "replaced notice named in the text",
        f"""\
UBND TỈNH HÒA CHÂU
SỞ XÂY DỰNG

Số: 31/TB-SXD

Hòa Châu, ngày 2 tháng 6 năm 2022

THÔNG BÁO

Giá vật liệu xây dựng tháng 5

{VI}

Thông báo này thay thế Thông báo số 28/TB-SXD ngày 25/5/2022 của Sở Xây dựng.

GIÁM ĐỐC

Vũ Khắc Minh
""",
        {
            "number": "31/TB-SXD",
            "issued": "2022-06-02",
            "issuer": "Sở Xây dựng tỉnh Hòa Châu",
            "place": "Hòa Châu",
            "title": "Giá vật liệu xây dựng tháng 5",
            "signer": "Vũ Khắc Minh",
            "kind": "THÔNG BÁO",
            "supersedes": "28/TB-SXD",
        },
    ),
    Case(
        "withdrawn release",
        f"""\
TỔNG CỤC THỦY SẢN

Số: 6/TC-TCTS

Hà Nội, ngày 1 tháng 3 năm 2021

THÔNG CÁO BÁO CHÍ

V/v hủy bỏ Thông cáo báo chí số 5/TC-TCTS

{VI}
""",
        {
            "number": "6/TC-TCTS",
            "issued": "2021-03-01",
            "issuer": "Tổng cục Thủy sản",
            "place": "Hà Nội",
            "title": "V/v hủy bỏ Thông cáo báo chí số 5/TC-TCTS",
            "subject": "hủy bỏ Thông cáo báo chí số 5/TC-TCTS",
            "kind": "THÔNG CÁO BÁO CHÍ",
            "supersedes": "5/TC-TCTS",
        },
    ),
    Case(
        "a decree replaced by another one is news, not a correction",
        f"""\
BỘ TƯ PHÁP

Số: 14/TC-BTP

Hà Nội, ngày 7 tháng 7 năm 2022

THÔNG CÁO BÁO CHÍ

Chính sách mới có hiệu lực từ tháng 7

Nghị định số 40/2022/NĐ-CP thay thế Nghị định số 12/2017/NĐ-CP về hộ tịch. {VI}
""",
        {
            "number": "14/TC-BTP",
            "issued": "2022-07-07",
            "issuer": "Bộ Tư pháp",
            "place": "Hà Nội",
            "title": "Chính sách mới có hiệu lực từ tháng 7",
            "kind": "THÔNG CÁO BÁO CHÍ",
        },
    ),
    Case(
        "a release that says it was replaced does not replace",
        f"""\
SỞ Y TẾ TỈNH HÒA CHÂU

Số: 20/TC-SYT

Hòa Châu, ngày 3 tháng 3 năm 2023

THÔNG CÁO BÁO CHÍ

Dịch cúm mùa

Thông cáo này được thay thế bằng Thông cáo số 21/TC-SYT. {VI}
""",
        {
            "number": "20/TC-SYT",
            "issued": "2023-03-03",
            "issuer": "Sở Y tế tỉnh Hòa Châu",
            "place": "Hòa Châu",
            "title": "Dịch cúm mùa",
            "kind": "THÔNG CÁO BÁO CHÍ",
        },
    ),
    Case(
        "deputy by order in three titles",
        f"""\
BỘ XÂY DỰNG

Số: 88/TB-VP

Hà Nội, ngày 30 tháng 12 năm 2022

THÔNG BÁO

Kết luận hội nghị tổng kết ngành

{VI}

**TL. BỘ TRƯỞNG**
**KT. CHÁNH VĂN PHÒNG**
**PHÓ CHÁNH VĂN PHÒNG**

**TS. Trương Bá Lộc**
""",
        {
            "number": "88/TB-VP",
            "issued": "2022-12-30",
            "issuer": "Bộ Xây dựng",
            "place": "Hà Nội",
            "title": "Kết luận hội nghị tổng kết ngành",
            "signer": "Trương Bá Lộc",
            "kind": "THÔNG BÁO",
        },
    ),
    Case(
        "signed electronically",
        f"""\
UBND QUẬN THANH BÌNH

Số: 5/TC-UBND

Thanh Bình, ngày 15 tháng 8 năm 2024

THÔNG CÁO BÁO CHÍ

Phân luồng giao thông dịp lễ

{VI}

TUQ. CHỦ TỊCH
TRƯỞNG PHÒNG VĂN HÓA VÀ THÔNG TIN

[Đã ký điện tử]

Bùi Thị Ngân
""",
        {
            "number": "5/TC-UBND",
            "issued": "2024-08-15",
            "issuer": "UBND quận Thanh Bình",
            "place": "Thanh Bình",
            "title": "Phân luồng giao thông dịp lễ",
            "signer": "Bùi Thị Ngân",
            "kind": "THÔNG CÁO BÁO CHÍ",
        },
    ),
    Case(
        "scan: accents of the number and the type lost",
        f"""\
ỦY BAN NHÂN DÂN TỈNH TÂN GIANG

Sô: 63/TC-UBND

Tân Giang, ngày 12 thảng 10 nãm 2023

THÔNG CẢO BÁO CHI

Tình hình kinh tế tháng 9

{VI}

TL. CHỦ TICH
CHÁNH VĂN PHÒNG

Võ Minh Khuê
""",
        {
            "number": "63/TC-UBND",
            "issued": "2023-10-12",
            "issuer": "Ủy ban nhân dân tỉnh Tân Giang",
            "place": "Tân Giang",
            "title": "Tình hình kinh tế tháng 9",
            "signer": "Võ Minh Khuê",
            "kind": "THÔNG CÁO BÁO CHÍ",
        },
    ),
    Case(
        "scan: letters for digits",
        f"""\
UBND TỈNH HÒA CHÂU
SỞ Y TẾ

SỐ: l27/TC-SYT

Hòa Châu, ngày O5 tháng l1 năm 2O24

THÔNG CÁO BÁO CHÍ

Tiêm vắc xin đợt hai

{VI}
""",
        {
            "number": "127/TC-SYT",
            "issued": "2024-11-05",
            "issuer": "Sở Y tế tỉnh Hòa Châu",
            "place": "Hòa Châu",
            "title": "Tiêm vắc xin đợt hai",
            "kind": "THÔNG CÁO BÁO CHÍ",
        },
    ),
    Case(
        "scan: blanks in the number and the date, dust around",
        f"""\
.  CỤC HẢI QUAN TỈNH LẠC SƠN

Số : 2 15 / TB – CHQ

'Lạc Sơn , ngày 1 4 tháng 7 năm 2 022

THÔNG BÁO

Kim ngạch qua cửa khẩu Nà Lừa

{VI}

CỤC TRƯỞNG

Nông Văn Đại
""",
        {
            "number": "215/TB-CHQ",
            "issued": "2022-07-14",
            "issuer": "Cục Hải quan tỉnh Lạc Sơn",
            "place": "Lạc Sơn",
            "title": "Kim ngạch qua cửa khẩu Nà Lừa",
            "signer": "Nông Văn Đại",
            "kind": "THÔNG BÁO",
        },
    ),
    Case(
        "scan: no accents at all in the header",
        f"""\
UY BAN NHAN DAN TINH TAN GIANG

So: 71/TC-UBND

Tan Giang, ngay 20 thang 11 nam 2023

THONG CAO BAO CHI

Ket qua thu ngan sach thang 10

{VI}
""",
        {
            "number": "71/TC-UBND",
            "issued": "2023-11-20",
            "issuer": "Uy ban nhan dan tinh Tan Giang",
            "place": "Tan Giang",
            "title": "Ket qua thu ngan sach thang 10",
            "kind": "THÔNG CÁO BÁO CHÍ",
        },
    ),
    Case(
        "date with dots, city with its rank",
        f"""\
UBND THÀNH PHỐ HỒ CHÍ MINH
SỞ CÔNG THƯƠNG

Số: 9/TC-SCT

TP.HCM, ngày 05.3.2023

THÔNG CÁO BÁO CHÍ

Chương trình bình ổn thị trường

{VI}
""",
        {
            "number": "9/TC-SCT",
            "issued": "2023-03-05",
            "issuer": "Sở Công Thương Thành phố Hồ Chí Minh",
            "place": "TP.HCM",
            "title": "Chương trình bình ổn thị trường",
            "kind": "THÔNG CÁO BÁO CHÍ",
        },
    ),
    Case("plain paragraph", VI, {}),
]

ENGLISH = [
    Case(
        "immediate release, place without a date",
        f"""\
TAMARACK DEPARTMENT OF TRANSPORTATION

FOR IMMEDIATE RELEASE

March 5, 2024

Contact: Joel Brandvold, Public Information Officer, (555) 010-0188

**Governor Opens Two Bridges**

FORT ELLERY, Tamarack — {EN}
""",
        {
            "issued": "2024-03-05",
            "issuer": "Tamarack Department of Transportation",
            "place": "FORT ELLERY, Tamarack",
            "title": "Governor Opens Two Bridges",
        },
    ),
    Case(
        "a number and an embargo beside the type",
        f"""\
**WATER STANDARDS AUTHORITY**

PRESS RELEASE WSA/24/61

**Embargoed until 00:01 on Thursday 3 October 2024**

**Companies told to return 147.6 million to customers**

{EN}
""",
        {
            "issued": "2024-10-03",
            "number": "WSA/24/61",
            "issuer": "Water Standards Authority",
            "title": "Companies told to return 147.6 million to customers",
            "kind": "PRESS RELEASE",
        },
    ),
    Case(
        "an embargo behind the type",
        f"""\
**GOVERNMENT OF ARDELL**

MEDIA RELEASE - embargoed until 11 am, Thursday 24 September 2020

**A fifth fewer trips on trains and buses**

{EN}
""",
        {
            "issuer": "Government of Ardell",
            "title": "A fifth fewer trips on trains and buses",
            "kind": "MEDIA RELEASE",
        },
    ),
    Case(
        "posted by a bureau",
        f"""\
**Ministry of Foodgrains**

**Wheat purchases pass last year's total**

*Posted On: 24 JUN 2021 4:35PM by PIB Delhi*

*Release ID: 1730001*

{EN}
""",
        {
            "number": "1730001",
            "issued": "2021-06-24",
            "issuer": "Ministry of Foodgrains",
            "place": "Delhi",
            "title": "Wheat purchases pass last year's total",
        },
    ),
    Case(
        "posted by a bureau with its place after a comma",
        f"""\
**Ministry of Foodgrains**

**Wheat purchases pass last year's total**

Posted On: 21 JUN 2024 4:35PM by Press Bureau, Indrapuri

{EN}
""",
        {
            "issued": "2024-06-21",
            "issuer": "Ministry of Foodgrains",
            "place": "Indrapuri",
            "title": "Wheat purchases pass last year's total",
        },
    ),
    Case(
        "British web page",
        f"""\
# Every school in line for more money

Press release

From: Department for Learning and Skills

Published: 17 July 2023

Last updated: 20 July 2023

{EN}
""",
        {
            "issued": "2023-07-17",
            "issuer": "Department for Learning and Skills",
            "title": "Every school in line for more money",
            "kind": "Press release",
        },
    ),
    Case(
        "British web page, labels on their own lines",
        f"""\
News release

# New rules for ferries

From:
Maritime and Coast Agency and Department for Harbours

Published
3 October 2022

{EN}
""",
        {
            "issued": "2022-10-03",
            "issuer": "Maritime and Coast Agency and Department for Harbours",
            "title": "New rules for ferries",
            "kind": "News release",
        },
    ),
    Case(
        "Canadian dateline",
        f"""\
News release

# Government invests in northern airports

August 4, 2022 – Ottawa, Ontario – Department of Northern Transport

{EN}
""",
        {
            "issued": "2022-08-04",
            "issuer": "Department of Northern Transport",
            "place": "Ottawa, Ontario",
            "title": "Government invests in northern airports",
            "kind": "News release",
        },
    ),
    Case(
        "Canadian dateline, date apart",
        f"""\
Government invests in northern airports

Date: 2022-08-04

Ottawa, ON – {EN}
""",
        {
            "issued": "2022-08-04",
            "place": "Ottawa, ON",
            "title": "Government invests in northern airports",
        },
    ),
    Case(
        "city, month, day, year, dash",
        f"""\
# Grid upgrade done

HARROW BAY, June 24, 2021 – The Energy Regulatory Authority said today that 40 lines are in use. \
{EN}
""",
        {
            "issued": "2021-06-24",
            "issuer": "Energy Regulatory Authority",
            "place": "HARROW BAY",
            "title": "Grid upgrade done",
        },
    ),
    Case(
        "city with the date in brackets",
        f"""\
# Grid upgrade done

HARROW BAY, N.T. (Sept. 9, 2021) -- {EN}
""",
        {"issued": "2021-09-09", "place": "HARROW BAY, N.T.", "title": "Grid upgrade done"},
    ),
    Case(
        "month and day in the dateline, year in the header",
        f"""\
STATE OF NEW CALDERON
OFFICE OF THE GOVERNOR

For Immediate Release: Tuesday, January 9, 2024

Flood relief fund opens

PORT CALDERON, Jan. 9 – {EN}
""",
        {
            "issued": "2024-01-09",
            "issuer": "Office of the Governor",
            "place": "PORT CALDERON",
            "title": "Flood relief fund opens",
        },
    ),
    Case(
        "press release number and kind on one line",
        f"""\
MINISTRY OF TRADE AND SUPPLY

Press Release No. 112/2023/MTS

TRADE IN SEPTEMBER

6th October, 2023

{EN}
""",
        {
            "number": "112/2023/MTS",
            "issued": "2023-10-06",
            "issuer": "Ministry of Trade and Supply",
            "title": "TRADE IN SEPTEMBER",
            "kind": "Press Release",
        },
    ),
    Case(
        "number without the word number",
        f"""\
NEWS RELEASE 24-015

National Weather Office

Thursday, 14th of March 2024

Storm warnings by text message

{EN}
""",
        {
            "number": "24-015",
            "issued": "2024-03-14",
            "issuer": "National Weather Office",
            "title": "Storm warnings by text message",
            "kind": "NEWS RELEASE",
        },
    ),
    Case(
        "number behind a label",
        f"""\
Bureau of Fisheries

Release Number: PR-2023/088

Date: 24-Jun-2023

Subject: Closure of the cod season

# Cod season closes early

{EN}
""",
        {
            "number": "PR-2023/088",
            "issued": "2023-06-24",
            "issuer": "Bureau of Fisheries",
            "title": "Cod season closes early",
            "subject": "Closure of the cod season",
        },
    ),
    Case(
        "reference and embargo",
        f"""\
Ref: DfH/2021/44

EMBARGOED UNTIL 00:01 ON WEDNESDAY 1 DECEMBER 2021

PRESS NOTICE

Ferry fares frozen

Issued by: Harbour Board

{EN}
""",
        {
            "number": "DfH/2021/44",
            "issued": "2021-12-01",
            "issuer": "Harbour Board",
            "title": "Ferry fares frozen",
            "kind": "PRESS NOTICE",
        },
    ),
    Case(
        "correction by number",
        f"""\
Department of Rural Affairs

Press release no. 31/2022

May 9, 2022

Correction to press release no. 29/2022 on milk prices

{EN}
""",
        {
            "number": "31/2022",
            "issued": "2022-05-09",
            "issuer": "Department of Rural Affairs",
            "title": "Correction to press release no. 29/2022 on milk prices",
            "kind": "Press release",
            "supersedes": "29/2022",
        },
    ),
    Case(
        "replacement named in a line of its own",
        f"""\
Department of Rural Affairs

Media Release 2024-077

12 April 2024

Milk prices in March

This release replaces Media Release 2024-075 issued on 10 April 2024.

{EN}
""",
        {
            "number": "2024-077",
            "issued": "2024-04-12",
            "issuer": "Department of Rural Affairs",
            "title": "Milk prices in March",
            "kind": "Media Release",
            "supersedes": "2024-075",
        },
    ),
    Case(
        "superseded by another is not superseding",
        f"""\
Department of Rural Affairs

Media Release 2024-075

10 April 2024

Milk prices in March

This release was superseded by Media Release 2024-077. {EN}
""",
        {
            "number": "2024-075",
            "issued": "2024-04-10",
            "issuer": "Department of Rural Affairs",
            "title": "Milk prices in March",
            "kind": "Media Release",
        },
    ),
    Case(
        "signed by a minister",
        f"""\
MINISTRY OF HEALTH

PRESS STATEMENT

Measles vaccination begins on Monday

{EN}

Hon. Dr Amara Okello
Minister of Health
3 February 2023
""",
        {
            "issued": "2023-02-03",
            "issuer": "Ministry of Health",
            "title": "Measles vaccination begins on Monday",
            "signer": "Amara Okello",
            "kind": "PRESS STATEMENT",
        },
    ),
    Case(
        "issuer among the contacts only",
        f"""\
Press release

New library hours

Geneva, 5 March 2024 – {EN}

-30-

Media contact:
Department of Culture
press@culture.example
""",
        {
            "issued": "2024-03-05",
            "issuer": "Department of Culture",
            "place": "Geneva",
            "title": "New library hours",
            "kind": "Press release",
        },
    ),
    Case(
        "American short date that cannot be anything else",
        f"""\
FOR RELEASE 10:00 A.M. EST, FRIDAY, 01/26/2024

OFFICE OF LABOR DATA

EMPLOYMENT IN DECEMBER

{EN}
""",
        {
            "issued": "2024-01-26",
            "issuer": "Office of Labor Data",
            "title": "EMPLOYMENT IN DECEMBER",
        },
    ),
    Case(
        "ISO date and time of a web page",
        f"""\
Harbour Board

2024-01-26T09:30:00+00:00

# Ferry fares frozen

{EN}
""",
        {"issued": "2024-01-26", "issuer": "Harbour Board", "title": "Ferry fares frozen"},
    ),
    Case(
        "German-style date with a place",
        f"""\
Federal Office for Rivers

Press Release No. 7

Lindau, 24.06.2021

Water levels back to normal

{EN}
""",
        {
            "number": "7",
            "issued": "2021-06-24",
            "issuer": "Federal Office for Rivers",
            "place": "Lindau",
            "title": "Water levels back to normal",
            "kind": "Press Release",
        },
    ),
    Case(
        "e-mail to editors",
        f"""\
To: News editors

From: Treasury of Westmark

Date: Mon, 5 Jun 2023 08:00:00 +0000

Subject: Debt figures for May

MEDIA STATEMENT

{EN}
""",
        {
            "issued": "2023-06-05",
            "issuer": "Treasury of Westmark",
            "title": "Debt figures for May",
            "subject": "Debt figures for May",
            "kind": "MEDIA STATEMENT",
        },
    ),
    Case(
        "scan: letters for digits",
        f"""\
MINISTRY OF FISHERIES

PRESS RELEASE No. l2/2O23

5 Apri1 2023

Cod season closes early

{EN}
""",
        {
            "number": "12/2023",
            "issued": "2023-04-05",
            "issuer": "Ministry of Fisheries",
            "title": "Cod season closes early",
            "kind": "PRESS RELEASE",
        },
    ),
    Case(
        "telephone and house numbers are no number of the release",
        f"""\
Harbour Board

No. 10 Quay Street, Harrow Bay

Tel. no. 555 0100

Ferry fares frozen

{EN}
""",
        {"issuer": "Harbour Board", "title": "Ferry fares frozen"},
    ),
    Case(
        "bar between kind and date, dash between state and office",
        f"""\
Province of Norvale — Ministry of Public Health

**Weekly bulletin and news release | Thursday, September 30, 2021, 4 p.m.**

# Clinics open on Saturdays

PORT ASTER — {EN}
""",
        {
            "issued": "2021-09-30",
            "issuer": "Ministry of Public Health",
            "place": "PORT ASTER",
            "title": "Clinics open on Saturdays",
        },
    ),
    Case(
        "statistical notice with its code",
        f"""\
# Unemployment edges up

**Statistics Authority of Westmere**

Statistical press notice LSA/23/41

Published 9.30am, Tuesday 14 November 2023

{EN}
""",
        {
            "number": "LSA/23/41",
            "issued": "2023-11-14",
            "issuer": "Statistics Authority of Westmere",
            "title": "Unemployment edges up",
        },
    ),
    Case(
        "kind and title on one line",
        f"""\
# Inspection Council of Marenda

## Press statement — Annual report on courts

Ref. JIC/PS/2025/06

Valdoro, Wednesday 12 March 2025

{EN}
""",
        {
            "number": "JIC/PS/2025/06",
            "issued": "2025-03-12",
            "issuer": "Inspection Council of Marenda",
            "place": "Valdoro",
            "title": "Annual report on courts",
            "kind": "Press statement",
        },
    ),
    Case(
        "department of a Vietnamese province in English",
        f"""\
PEOPLE'S COMMITTEE OF LIEN SON PROVINCE

DEPARTMENT OF CULTURE AND SPORTS

No. 129/TC-SVHTT

Lien Son, 5 December 2024

PRESS RELEASE

**Digital museums**

{EN}

DIRECTOR

Truong Vinh Khoa
""",
        {
            "number": "129/TC-SVHTT",
            "issued": "2024-12-05",
            "issuer": "Department of Culture and Sports, Lien Son Province",
            "place": "Lien Son",
            "title": "Digital museums",
            "signer": "Truong Vinh Khoa",
            "kind": "PRESS RELEASE",
        },
    ),
    Case(
        "a headline before a dash is no place",
        f"""\
# Budget day

UPDATE – {EN}
""",
        {"title": "Budget day"},
    ),
    Case("plain paragraph", EN, {}),
]


def read(text: str) -> Release:
    return read_release(Loaded(text, (), "0" * 64, "md"), "made-up")


def shown(release: Release) -> dict[str, str]:
    values = {name: getattr(release, name) for name in (*_CHECKED, "supersedes")}
    return {
        name: value.isoformat() if isinstance(value, date) else value
        for name, value in values.items()
        if value is not None
    }


@pytest.mark.parametrize("case", VIETNAMESE, ids=lambda case: case.name)
def test_vietnamese_layouts(case: Case) -> None:
    release = read(case.text)
    assert shown(release) == case.known
    assert release.language == "vi"


@pytest.mark.parametrize("case", ENGLISH, ids=lambda case: case.name)
def test_english_layouts(case: Case) -> None:
    release = read(case.text)
    assert shown(release) == case.known
    assert release.language == "en"


@pytest.mark.parametrize(
    ("name", "known"),
    [
        (
            "41-TC-UBND-2023-07-05.md",
            {
                "issuer": "Văn phòng Ủy ban nhân dân tỉnh Tân Giang",
                "subject": "đính chính số liệu tại Thông cáo báo chí số 38/TC-UBND ngày 29/6/2023",
                "supersedes": "38/TC-UBND",
            },
        ),
        ("bridge-grants-2024-03-05.md", {"issued": "2024-03-05", "place": "FORT ELLERY, Tamarack"}),
        ("rabi-procurement-2024-06-21.md", {"number": "2026718", "place": "Indrapuri"}),
        (
            "school-funding-2023-07-17.md",
            {
                "title": "Every school in line for more money as core budget tops £41 billion",
                "issuer": "Department for Learning and Skills",
                "issued": "2023-07-17",
            },
        ),
    ],
)
def test_releases_of_the_test_data(name: str, known: dict[str, str]) -> None:
    path = RELEASES / name
    assert known.items() <= shown(read_release(load(path), str(path))).items()


def test_what_is_found_says_that_the_text_had_it() -> None:
    for case in (*VIETNAMESE, *ENGLISH):
        release = read(case.text)
        assert set(release.provenance) == {(name, "text") for name in (*case.known, "language")}
