"""Quantities, dates and periods as press releases print them, in Vietnamese and English.

`find` reads every figure of a text, `parse` reads a text that is one figure, `format` writes a
figure as a native writer would, `same` and `kind` compare. Pure functions over strings; the
callers are evidence, answer and the gold files of the evaluation.

How a figure is represented:

- A quantity has its `value` in base units (`608,5 tỷ đồng` is 608500000000 VND); a range has
  `low` and `high` instead. Units of measure are kept as printed, not converted (`km` stays `km`).
- A date has unit `date` and the value YYYYMMDD; without a year MMDD, so `ngày 19/6` is 619.
  A stretch of days (`6-8/7/2021`) has the same unit with `low` and `high`.
- A month, quarter, half, year or term has unit `period` and its first and last day as `low` and
  `high`, YYYYMMDD, or MMDD when no year is printed (`quý II` is 401 to 630).
- Day comes before month in `6/7/2021`, unless only the other order is a date.

Labels are recognised and left out: numbers of documents, articles, classes and congresses,
ordinals, names with digits (Covid-19, 5K), clock times, telephone numbers, addresses of the web,
list numbers at the start of a line, and `[1]` markers.
"""

from __future__ import annotations

import calendar
import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from decimal import Context, Decimal
from fractions import Fraction
from typing import Literal, NamedTuple

from rag.schema import Figure, Language

__all__ = ["Kind", "find", "format", "kind", "parse", "same"]

Kind = Literal[
    "money",
    "percent",
    "count",
    "measure",
    "rate",
    "multiple",
    "ratio",
    "date",
    "period",
    "number",
]

# --- vocabulary -----------------------------------------------------------------------------

# One line a unit: canonical | English plural | Vietnamese names | English names.
# The first Vietnamese name is the one that `format` writes. A line of `_COUNTS` that starts with
# `#` names a family: nouns of one family may stand for each other in `same`.
_COUNTS = """
# people
person|people|người;người dân;nhân khẩu;dân;nhân sự;đồng chí|persons;individuals;citizens
resident|residents|cư dân;dân cư|inhabitants
worker|workers|lao động;người lao động;công nhân|labourers;laborers;employees;staff
job|jobs|việc làm;chỗ làm việc|new jobs;positions
official|officials|cán bộ;công chức;viên chức;cán bộ, công chức|civil servants;officers
soldier|soldiers|chiến sĩ;chiến sỹ;bộ đội;cán bộ, chiến sĩ|troops
student|students|học sinh;sinh viên;học viên;học sinh, sinh viên|pupils
candidate|candidates|thí sinh;ứng viên;ứng cử viên|examinees
teacher|teachers|giáo viên;thầy cô;giảng viên|lecturers
doctor|doctors|bác sĩ;bác sỹ;y bác sĩ;y, bác sĩ|physicians
nurse|nurses|điều dưỡng;y tá|
health worker|health workers|nhân viên y tế;cán bộ y tế|medical workers;medical staff
patient|patients|bệnh nhân;người bệnh|
delegate|delegates|đại biểu|deputies;representatives
passenger|passengers|hành khách|
visitor|visitors|khách;du khách;khách du lịch;lượt khách;lượt du khách|tourists;arrivals;guests
customer|customers|khách hàng|clients
child|children|trẻ em;trẻ;cháu;em|kids
woman|women|phụ nữ|
man|men|đàn ông;nam giới|
member|members|thành viên;hội viên;đoàn viên;đảng viên|
expert|experts|chuyên gia|specialists
volunteer|volunteers|tình nguyện viên|
farmer|farmers|nông dân|
investor|investors|nhà đầu tư|
household|households|hộ;hộ gia đình;hộ dân;gia đình;hộ nghèo;hộ kinh doanh|families
voter|voters|cử tri|
beneficiary|beneficiaries|đối tượng;người hưởng lợi|recipients
# organisations
enterprise|enterprises|doanh nghiệp|businesses;companies;firms;company;business;firm;corporations
unit|units|đơn vị|entities
organisation|organisations|tổ chức|organization;organizations;institutions;institution
agency|agencies|cơ quan|authorities
establishment|establishments|cơ sở;cơ sở kinh doanh;cơ sở sản xuất|facilities;facility;premises
company|companies|công ty|
cooperative|cooperatives|hợp tác xã|co-operatives
department|departments|sở|
ministry|ministries|bộ, ngành;bộ ngành|
sector|sectors|ngành;lĩnh vực|industries;fields
people's committee|people's committees|UBND;Ủy ban nhân dân|
bank|banks|ngân hàng|
team|teams|đội;tổ;tổ công tác;tổ công nghệ|crews
group|groups|nhóm|
delegation|delegations|đoàn;đoàn công tác;đoàn kiểm tra|missions;inspection teams
# health
case|cases|ca;ca bệnh;ca mắc;ca nhiễm;ca dương tính;trường hợp;ca mắc mới|infections
death|deaths|ca tử vong;người chết;người tử vong|fatalities
cluster|clusters|chùm ca bệnh;ổ dịch;chùm ca;chùm;cụm dịch|outbreaks
dose|doses|liều;mũi;mũi tiêm|shots;jabs;injections
sample|samples|mẫu;mẫu xét nghiệm;mẫu bệnh phẩm|specimens
test|tests|xét nghiệm;lượt xét nghiệm|
bed|beds|giường;giường bệnh|
ventilator|ventilators|máy thở|
# places
province|provinces|tỉnh;tỉnh, thành phố;tỉnh, thành;tỉnh thành;địa phương|localities;locality
city|cities|thành phố|
district|districts|quận;huyện;quận, huyện;quận huyện;quận, huyện, thị xã;thị xã|towns
commune|communes|xã;xã, phường;xã phường;xã, phường, thị trấn|
ward|wards|phường|
village|villages|thôn;làng;bản;ấp|hamlets
township|townships|thị trấn|
country|countries|nước;quốc gia;quốc gia và vùng lãnh thổ|nations
site|sites|điểm cầu;điểm thi;địa điểm;điểm tiêm;điểm bán|venues;locations;locations
area|areas|khu vực;vùng;khu|zones;regions
market|markets|chợ;thị trường|
# buildings
school|schools|trường;trường học;nhà trường|
class|classes|lớp học|
classroom|classrooms|phòng học|
hospital|hospitals|bệnh viện|
clinic|clinics|phòng khám;trạm y tế|health stations
centre|centres|trung tâm|center;centers
factory|factories|nhà máy|plants;mills;plant
house|houses|nhà;căn nhà;ngôi nhà|homes
apartment|apartments|căn hộ;căn|flats
building|buildings|tòa nhà;toà nhà|
room|rooms|phòng;buồng|
bridge|bridges|cầu;cây cầu|
station|stations|trạm;nhà ga;ga|
road|roads|tuyến đường;con đường|streets
route|routes|tuyến;tuyến xe;tuyến buýt|lines
industrial cluster|industrial clusters|cụm công nghiệp|
industrial park|industrial parks|khu công nghiệp|industrial zones
park|parks|công viên|
shop|shops|cửa hàng|stores;outlets
supermarket|supermarkets|siêu thị|
hotel|hotels|khách sạn|
work|works|công trình|structures
# undertakings
project|projects|dự án|schemes
programme|programmes|chương trình|program;programs
plan|plans|kế hoạch;phương án;đề án|
task|tasks|nhiệm vụ|
target|targets|chỉ tiêu;mục tiêu|goals;indicators
solution|solutions|giải pháp;biện pháp|measures
policy|policies|chính sách|
item|items|nội dung;hạng mục;mục;khoản|contents;matters
package|packages|gói;gói thầu|
contract|contracts|hợp đồng|
criterion|criteria|tiêu chí|
product|products|sản phẩm|
service|services|dịch vụ|
model|models|mô hình|
step|steps|bước|
# documents
document|documents|văn bản;tài liệu|papers
resolution|resolutions|nghị quyết;nghị quyết chuyên đề|
directive|directives|chỉ thị|instructions
dispatch|dispatches|công điện;công văn|telegrams;official dispatches;urgent dispatches
decision|decisions|quyết định|
decree|decrees|nghị định|
circular|circulars|thông tư|
law|laws|luật;bộ luật|acts
report|reports|báo cáo|
proposal|proposals|tờ trình;kiến nghị;đề xuất|petitions;submissions
licence|licences|giấy phép;giấy chứng nhận|license;licenses;permits;certificates
dossier|dossiers|hồ sơ|files;applications
procedure|procedures|thủ tục;thủ tục hành chính|administrative procedures
complaint|complaints|đơn;đơn thư;khiếu nại|
agreement|agreements|thỏa thuận;hiệp định;thoả thuận|treaties;memoranda
# events
meeting|meetings|cuộc họp;hội nghị;buổi làm việc;phiên họp;cuộc|conferences;sessions
event|events|sự kiện|
incident|incidents|vụ;vụ việc|
accident|accidents|vụ tai nạn;tai nạn|crashes
fire|fires|vụ cháy;đám cháy|
violation|violations|vi phạm;vụ vi phạm;hành vi|offences;offenses;breaches
inspection|inspections|cuộc kiểm tra;cuộc thanh tra;lượt kiểm tra|checks
occurrence|occurrences|lần|occasions
visit|visits|lượt;lượt người|turns;trips
round|rounds|đợt;vòng;phiên|waves;phases
flight|flights|chuyến bay|
trip|trips|chuyến|journeys
class session|class sessions|buổi|
# things
vehicle|vehicles|xe;phương tiện;ô tô;xe ô tô|cars;automobiles
motorcycle|motorcycles|xe máy;mô tô|motorbikes
bus|buses|xe buýt|coaches
truck|trucks|xe tải|lorries
ship|ships|tàu;tàu cá|boats;vessels
aircraft|aircraft|máy bay|planes
tree|trees|cây;cây xanh|
animal|animals|con;con vật|head
pig|pigs|con lợn;lợn;đầu lợn|swine
device|devices|thiết bị;máy;bộ thiết bị|machines
set|sets|bộ|kits
gift|gifts|suất quà;phần quà;suất|packages of gifts
scholarship|scholarships|suất học bổng;học bổng|
ticket|tickets|vé|
share|shares|cổ phiếu;cổ phần|stocks
account|accounts|tài khoản|
subscriber|subscribers|thuê bao|
transaction|transactions|giao dịch|
level|levels|cấp;mức|tiers
point|points|điểm|
question|questions|câu hỏi|
piece|pieces|chiếc;cái|
page|pages|trang|
barrel|barrels|thùng|
bag|bags|túi;bao|
"""

_MEASURES = """
km|km|km;ki-lô-mét;cây số|kilometre;kilometres;kilometer;kilometers;kms
m|m|mét;m|metre;metres;meter;meters
cm|cm|cm;xăng-ti-mét|centimetre;centimetres
mm|mm|mm|millimetre;millimetres
mile|miles|dặm|
nautical mile|nautical miles|hải lý|
km²|km²|km²;km2;km vuông;ki-lô-mét vuông|sq km;square kilometres;square kilometers
m²|m²|m²;m2;mét vuông;m vuông|sq m;sqm;square metres;square meters
m³|m³|m³;m3;mét khối;m khối|cubic metres;cubic meters
ha|ha|ha;héc ta;hecta;héc-ta|hectare;hectares
acre|acres|mẫu Anh|
tonne|tonnes|tấn|ton;tons;metric tons;metric tonnes
quintal|quintals|tạ|
kg|kg|kg;ki-lô-gam;cân;kilôgam|kilogram;kilograms;kilo;kilos
g|g|gam;gram;g|grams
mg|mg|mg;miligam|milligrams
litre|litres|lít|liter;liters;l
ml|ml|ml;mililít|millilitres
W|W|W;oát|watt;watts
kW|kW|kW|kilowatt;kilowatts
MW|MW|MW|megawatt;megawatts
GW|GW|GW|gigawatt;gigawatts
MWp|MWp|MWp|
kWh|kWh|kWh|kilowatt-hour;kilowatt-hours
MWh|MWh|MWh|megawatt-hours
GWh|GWh|GWh|gigawatt-hours
kV|kV|kV|
MVA|MVA|MVA|
Mbps|Mbps|Mbps|
GB|GB|GB|
TEU|TEU|TEU|TEUs
°C|°C|°C;độ C|degrees Celsius
second|seconds|giây|
minute|minutes|phút|mins
hour|hours|giờ;tiếng;tiếng đồng hồ;giờ đồng hồ|h;hrs
day|days|ngày;ngày đêm;hôm|
working day|working days|ngày làm việc;ngày công|business days
week|weeks|tuần;tuần lễ|
month|months|tháng|
quarter|quarters|quý|
year|years|năm|yrs
decade|decades|thập kỷ;thập niên|
year old|years old|tuổi|years of age;year olds
"""

_PERCENTS = """
pp|percentage points|điểm phần trăm;điểm %|percentage point;% points;% point;pp;ppt;ppts
%|%|%;phần trăm|percent;per cent;pct;percents
‰|‰|‰;phần nghìn|per mille
"""

_CURRENCIES = """
VND|VND|đồng;VND;VNĐ;đ;₫;đồng Việt Nam;Việt Nam đồng;vnđ|dong;Vietnamese dong
USD|USD|USD;đô la Mỹ;đô la;đô-la Mỹ;đô-la;đôla;Mỹ kim|dollars;dollar;US dollars;US dollar;U.S. dollars
EUR|EUR|EUR;ơ-rô;euro|euro;euros;€
GBP|GBP|GBP;bảng Anh;bảng|pounds;pound sterling;pounds sterling;sterling
INR|INR|INR;rupee Ấn Độ;rupi|rupee;rupees;Indian rupees
JPY|JPY|JPY;yên Nhật;yên|yen;Japanese yen
CNY|CNY|CNY;nhân dân tệ;RMB;tệ|yuan;renminbi;Chinese yuan
AUD|AUD|AUD;đô la Úc;đô la Australia|Australian dollars;Australian dollar
SGD|SGD|SGD;đô la Singapore|Singapore dollars;Singapore dollar
KRW|KRW|KRW;won Hàn Quốc;won|Korean won
THB|THB|THB;baht;bạt|Thai baht
HKD|HKD|HKD;đô la Hồng Kông|Hong Kong dollars
CAD|CAD|CAD;đô la Canada|Canadian dollars
CHF|CHF|CHF;franc Thụy Sĩ|Swiss francs
"""

_SIGNS = {
    "us$": "USD",
    "$": "USD",
    "a$": "AUD",
    "au$": "AUD",
    "s$": "SGD",
    "hk$": "HKD",
    "c$": "CAD",
    "ca$": "CAD",
    "€": "EUR",
    "£": "GBP",
    "₹": "INR",
    "rs": "INR",
    "rs.": "INR",
    "¥": "JPY",
    "cn¥": "CNY",
    "rmb": "CNY",
    "₩": "KRW",
    "฿": "THB",
    "₫": "VND",
    "vnđ": "VND",
}

_K, _M, _B, _T = (Decimal(10) ** power for power in (3, 6, 9, 12))
_VI_SCALES = {
    "chục": Decimal(10),
    "trăm": Decimal(100),
    "nghìn": _K,
    "ngàn": _K,
    "nghin": _K,
    "ngan": _K,
    "vạn": Decimal(10_000),
    "triệu": _M,
    "trieu": _M,
    "tỷ": _B,
    "tỉ": _B,
    "ty": _B,
}
_EN_SCALES = {
    "dozen": Decimal(12),
    "hundred": Decimal(100),
    "thousand": _K,
    "lakh": Decimal(100_000),
    "lakhs": Decimal(100_000),
    "lac": Decimal(100_000),
    "million": _M,
    "mn": _M,
    "mln": _M,
    "crore": Decimal(10_000_000),
    "crores": Decimal(10_000_000),
    "cr": Decimal(10_000_000),
    "billion": _B,
    "bn": _B,
    "bln": _B,
    "trillion": _T,
    "trn": _T,
    "tn": _T,
}
# Letters that are a scale only beside a currency: `$5m`, `5 tr đồng`.
_SHORT_SCALES = {"k": _K, "m": _M, "b": _B, "tr": _M, "t": _T}

# What may stand after the stroke of a rate; elsewhere a stroke means "or" (`xã/phường`).
_PER = frozenset(
    "second minute hour day week month quarter year person household worker enterprise unit "
    "km m km² m² m³ ha acre tonne quintal kg g litre kWh MWh kW MW USD product student patient "
    "vehicle visit dose trip case bed room".split()
) | {"working day"}

_PRICELESS = frozenset({"%", "‰", "pp"})


class _Unit(NamedTuple):
    name: str
    group: Literal["count", "measure", "percent", "money", "multiple"]
    language: Language | None
    """The one language that the spelling belongs to."""


class _Names(NamedTuple):
    vi: str
    en: str
    plural: str
    family: str


def _bare(text: str) -> str:
    """Without Vietnamese diacritics."""
    apart = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(char for char in apart if not unicodedata.combining(char))


def _key(text: str) -> str:
    return text if len(text) == 1 else text.casefold().replace("-", " ").replace("’", "'")


def _read_tables() -> tuple[dict[str, _Unit], dict[str, _Names], dict[str, str]]:
    units: dict[str, _Unit] = {}
    names: dict[str, _Names] = {}
    groups: dict[str, str] = {}
    plain: dict[str, _Unit] = {}
    family = ""
    tables: tuple[tuple[Literal["count", "measure", "percent", "money"], str], ...] = (
        ("measure", _MEASURES),
        ("percent", _PERCENTS),
        ("money", _CURRENCIES),
        ("count", _COUNTS),
    )
    for group, table in tables:
        for line in table.strip().splitlines():
            if line.startswith("#"):
                family = line[1:].strip()
                continue
            name, plural, vi, en = line.split("|")
            vi_names = [part for part in vi.split(";") if part]
            en_names = [name, plural, *(part for part in en.split(";") if part)]
            shared = {_key(part) for part in vi_names} & {_key(part) for part in en_names}
            names[name] = _Names(vi_names[0], name, plural, family)
            groups[name] = group
            spelled: tuple[tuple[Language, list[str]], ...] = (("vi", vi_names), ("en", en_names))
            for language, parts in spelled:
                for part in parts:
                    only = None if _key(part) in shared or len(part) < 3 else language
                    units.setdefault(_key(part), _Unit(name, group, only))
                    # Typed without diacritics; words of one syllable would clash with English.
                    if language == "vi" and " " in part:
                        plain.setdefault(_key(_bare(part)), _Unit(name, group, only))
    for key, unit in plain.items():
        units.setdefault(key, unit)
    return units, names, groups


_UNITS, _NAMES, _GROUPS = _read_tables()
_UNITS["annum"] = _Unit("year", "measure", "en")
_PERSON = _Unit("person", "count", None)
_LONGEST = max(len(key.split()) for key in _UNITS)

# --- patterns -------------------------------------------------------------------------------

_FLAGS = re.IGNORECASE
_S = r"(?:[ \u00a0\t]{1,2}|[ ]?\n)"
_S0 = r"(?:[ \u00a0\t]{0,2}|[ ]?\n)"
_DASH = r"[-–]"
_DAY = r"(?:0?[1-9]|[12][0-9]|3[01])(?![0-9])"
_MONTH = r"(?:0?[1-9]|1[0-2])(?![0-9])"
_YEAR = r"(?:1[5-9]|2[01])[0-9]{2}(?![0-9])"
_END = r"(?!\w|[/.,][0-9]|-[0-9])"

_EN_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "january jan",
            "february feb",
            "march mar",
            "april apr",
            "may",
            "june jun",
            "july jul",
            "august aug",
            "september sept sep",
            "october oct",
            "november nov",
            "december dec",
        ),
        1,
    )
    for name in names.split()
}
_VI_MONTHS = {
    "giêng": 1,
    "hai": 2,
    "ba": 3,
    "tư": 4,
    "năm": 5,
    "sáu": 6,
    "bảy": 7,
    "tám": 8,
    "chín": 9,
    "mười": 10,
    "mười một": 11,
    "mười hai": 12,
    "chạp": 12,
}
_EN_MONTH = r"(?:" + "|".join(sorted(_EN_MONTHS, key=len, reverse=True)) + r")(?!\w)\.?"
_VI_MONTH = "|".join(sorted(_VI_MONTHS, key=len, reverse=True))
_TO = rf"(?P<to>{_S0}{_DASH}{_S0}|{_S}(?:đến|tới|to|until|and|và){_S}(?:hết{_S})?)"
_VI_YEAR = rf"(?:(?:{_S0}/{_S0}|{_S0}-{_S0}|,?{_S}(?:của{_S})?năm{_S})(?P<y>{_YEAR}))?"
_EN_YEAR = rf"(?:(?:,?{_S}|{_S}of{_S}|/|{_DASH})(?P<y>{_YEAR}))?"
_EN_OF = rf"(?:(?:{_S}(?:of|in){_S}(?:the{_S}year{_S})?|{_S0}/|{_S0}-|,?{_S0})(?P<y>{_YEAR})|{_S}of{_S}(?:the|this){_S}year)?"
_NTH = r"(?:st|nd|rd|th)?"
_COUNTING = (
    r"(?P<n>1[0-2]|0?[1-9]|một|hai|ba|bốn|năm|sáu|bảy|tám|chín|mười một|mười|"
    r"one|two|three|four|five|six|seven|eight|nine|ten|eleven)"
)
_NOT_MONTH = (
    rf"(?![0-9]|[.,][0-9]|{_S0}(?:%|(?:nghìn|ngàn|triệu|tỷ|tỉ|vạn|đồng|phần{_S}trăm)(?!\w)))"
)


def _compile(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, _FLAGS)


# Tried in this order where a digit starts; each name is the shape that `_dates` reads.
_DIGIT_SHAPES = (
    ("day", _compile(rf"(?P<y>{_YEAR})-(?P<m>{_MONTH})-(?P<d>{_DAY}){_END}")),
    (
        "days",
        _compile(
            rf"(?P<d>{_DAY})/(?P<m>{_MONTH})(?:/(?P<y>{_YEAR}))?{_TO}(?:ngày{_S})?"
            rf"(?P<d2>{_DAY})/(?P<m2>{_MONTH})(?:(?:/|{_S}năm{_S})(?P<y2>{_YEAR}))?{_END}"
        ),
    ),
    (
        "days",
        _compile(
            rf"(?P<d>{_DAY}){_TO}(?:ngày{_S})?"
            rf"(?P<d2>{_DAY})/(?P<m2>{_MONTH})(?:(?:/|{_S}năm{_S})(?P<y2>{_YEAR}))?{_END}"
        ),
    ),
    (
        "days",
        _compile(
            rf"(?P<d>{_DAY}){_TO}(?:ngày{_S})?(?P<d2>{_DAY}){_S}tháng{_S}(?P<m2>{_MONTH})"
            rf"(?:(?:/|,?{_S}năm{_S})(?P<y2>{_YEAR}))?{_END}"
        ),
    ),
    (
        "days",
        _compile(
            rf"(?P<d>{_DAY}){_S}tháng{_S}(?P<m>{_MONTH})(?:(?:/|,?{_S}năm{_S})(?P<y>{_YEAR}))?"
            rf"{_TO}(?:ngày{_S})?(?P<d2>{_DAY}){_S}tháng{_S}(?P<m2>{_MONTH})"
            rf"(?:(?:/|,?{_S}năm{_S})(?P<y2>{_YEAR}))?{_END}"
        ),
    ),
    (
        "day",
        _compile(
            rf"(?P<d>[0-9]{{1,2}})(?P<sep>[/.-])(?P<m>[0-9]{{1,2}})(?P=sep)(?P<y>{_YEAR}){_END}"
        ),
    ),
    (
        "day",
        _compile(
            rf"(?P<d>{_DAY}){_S}tháng{_S}(?P<m>{_MONTH})(?:(?:/|,?{_S}năm{_S})(?P<y>{_YEAR}))?{_END}"
        ),
    ),
    (
        "days",
        _compile(
            rf"(?P<d>{_DAY}){_NTH}(?:{_S}(?P<m>{_EN_MONTH})(?:,?{_S}(?P<y>{_YEAR}))?)?{_TO}"
            rf"(?:the{_S})?(?P<d2>{_DAY}){_NTH}{_S}(?:of{_S})?(?P<m2>{_EN_MONTH})"
            rf"(?:,?{_S}(?P<y2>{_YEAR}))?(?!\w)"
        ),
    ),
    (
        "day",
        _compile(
            rf"(?P<d>{_DAY}){_NTH}{_S}(?:of{_S})?(?P<m>{_EN_MONTH})(?:,?{_S}(?P<y>{_YEAR}))?(?!\w)"
        ),
    ),
    ("short day", _compile(rf"(?P<d>{_DAY})/(?P<m>{_MONTH})(?:{_S}năm{_S}(?P<y>{_YEAR}))?{_END}")),
    ("month", _compile(rf"(?P<m>{_MONTH})/(?P<y>{_YEAR}){_END}")),
    (
        "years",
        _compile(rf"(?P<y>{_YEAR}){_TO}(?:năm{_S})?(?P<y2>{_YEAR}){_END}"),
    ),
    ("years", _compile(rf"(?P<y>{_YEAR})[/–-](?P<y2>[0-9]{{2}}){_END}")),
    (
        "first months",
        _compile(
            rf"{_COUNTING}{_S}tháng{_S}(?P<side>đầu|cuối){_S}(?:của{_S})?năm(?!{_S}học)"
            rf"(?:{_S}(?P<y>{_YEAR}))?(?!\w)"
        ),
    ),
    ("first months", _compile(rf"{_COUNTING}{_S}tháng{_S}(?:của{_S})?năm{_S}(?P<y>{_YEAR}){_END}")),
    ("first months", _compile(rf"{_COUNTING}{_S}months{_S}of{_S}(?P<y>{_YEAR}){_END}")),
    ("quarter", _compile(rf"(?P<q>[1-4])Q{_S0}(?P<y>{_YEAR}){_END}")),
    ("half", _compile(rf"(?P<h>[12])H{_S0}(?P<y>{_YEAR}){_END}")),
    ("quarter", _compile(rf"(?P<q>1st|2nd|3rd|4th)[ -]quarter{_EN_OF}(?!\w)")),
    ("half", _compile(rf"(?P<h>1st|2nd)[ -]half{_EN_OF}(?!\w)")),
)

# The words that may start a shape, the shape, its pattern.
_WORD_SHAPES = (
    (
        "từ tháng",
        "months",
        _compile(
            rf"(?:từ{_S})?tháng{_S}(?P<m>{_MONTH})(?:/(?P<y>{_YEAR}))?{_TO}(?:tháng{_S})?"
            rf"(?P<m2>{_MONTH})(?:/|{_S}năm{_S})(?P<y2>{_YEAR}){_END}"
        ),
    ),
    (
        "từ tháng",
        "months",
        _compile(
            rf"(?:từ{_S})?tháng{_S}(?P<m>{_MONTH}){_TO}tháng{_S}(?P<m2>{_MONTH}){_NOT_MONTH}{_END}"
        ),
    ),
    ("tháng", "month", _compile(rf"tháng{_S}(?P<m>{_MONTH}){_NOT_MONTH}{_VI_YEAR}{_END}")),
    ("tháng", "month", _compile(rf"tháng{_S}(?P<m>{_VI_MONTH})(?!\w){_NOT_MONTH}{_VI_YEAR}(?!\w)")),
    (
        "quý",
        "quarter",
        _compile(rf"quý{_S}(?P<q>IV|I{{1,3}}|[1-4])(?!\w){_NOT_MONTH}{_VI_YEAR}{_END}"),
    ),
    (
        "nửa",
        "half",
        _compile(
            rf"nửa{_S}(?P<h>đầu|cuối|sau){_S}(?:của{_S})?năm(?!{_S}học)(?:{_S}(?P<y>{_YEAR}))?(?!\w)"
        ),
    ),
    (
        "một hai ba bốn năm sáu bảy tám chín mười",
        "first months",
        _compile(
            rf"{_COUNTING}{_S}tháng{_S}(?P<side>đầu|cuối){_S}(?:của{_S})?năm(?!{_S}học)"
            rf"(?:{_S}(?P<y>{_YEAR}))?(?!\w)"
        ),
    ),
    (
        "năm nhiệm giai niên từ from between fiscal school academic fy",
        "years",
        _compile(
            rf"(?:năm{_S}học|nhiệm{_S}kỳ|giai{_S}đoạn|niên{_S}khóa|niên{_S}vụ|năm|từ{_S}năm|"
            rf"from|between|fiscal{_S}years?|school{_S}years?|academic{_S}years?|FY){_S0}"
            rf"(?P<y>{_YEAR}){_TO}(?:năm{_S})?(?P<y2>{_YEAR}){_END}"
        ),
    ),
    (
        "năm nhiệm giai fiscal school academic fy",
        "years",
        _compile(
            rf"(?:năm{_S}học|nhiệm{_S}kỳ|giai{_S}đoạn|fiscal{_S}year|school{_S}year|"
            rf"academic{_S}year|FY){_S0}(?P<y>{_YEAR})[/–-](?P<y2>[0-9]{{2}}){_END}"
        ),
    ),
    (
        "năm fiscal fy",
        "years",
        _compile(rf"(?:năm|fiscal{_S}year|FY){_S0}(?P<y>{_YEAR})(?!\w|[/.,][0-9]|-[0-9]{{3}}|%)"),
    ),
    ("q", "quarter", _compile(rf"Q(?P<q>[1-4])(?!\w){_EN_OF}(?!\w)")),
    ("h", "half", _compile(rf"H(?P<h>[12])(?!\w){_EN_OF}(?!\w)")),
    (
        "first second third fourth final last",
        "quarter",
        _compile(rf"(?P<q>first|second|third|fourth|final|last)[ \n-]quarter{_EN_OF}(?!\w)"),
    ),
    ("first second", "half", _compile(rf"(?P<h>first|second)[ \n-]half{_EN_OF}(?!\w)")),
    (
        "first",
        "first months",
        _compile(rf"(?P<side>first){_S}{_COUNTING}[ \n-]months?{_EN_OF}(?!\w)"),
    ),
    (
        "last final",
        "first months",
        _compile(
            rf"(?P<side>last|final){_S}{_COUNTING}[ \n-]months?{_S}of{_S}"
            rf"(?:(?P<y>{_YEAR})|(?:the|this){_S}year)(?!\w)"
        ),
    ),
    (
        "from between " + " ".join(_EN_MONTHS),
        "months",
        _compile(
            rf"(?:from{_S}|between{_S})?(?P<m>{_EN_MONTH})(?:{_S}(?P<y>{_YEAR}))?{_TO}"
            rf"(?P<m2>{_EN_MONTH}),?{_S}(?P<y2>{_YEAR}){_END}"
        ),
    ),
    (
        " ".join(_EN_MONTHS),
        "days",
        _compile(
            rf"(?P<m>{_EN_MONTH}){_S}(?P<d>{_DAY}){_NTH}{_TO}(?P<d2>{_DAY}){_NTH}"
            rf"(?!\w|[.,%][0-9]|%)(?:,?{_S}(?P<y2>{_YEAR}))?(?!\w)"
        ),
    ),
    (
        " ".join(_EN_MONTHS),
        "day",
        _compile(
            rf"(?P<m>{_EN_MONTH}){_S}(?P<d>{_DAY}){_NTH}(?!\w|[.,%][0-9]|%)"
            rf"(?:,?{_S}(?P<y>{_YEAR}))?(?!\w)"
        ),
    ),
    (" ".join(_EN_MONTHS), "month", _compile(rf"(?P<m>{_EN_MONTH}){_EN_YEAR}(?!\w)")),
)


def _by_first_word() -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    shapes: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    for words, shape, pattern in _WORD_SHAPES:
        for word in words.split():
            shapes.setdefault(word, []).append((shape, pattern))
    return shapes


_SHAPES_OF = _by_first_word()

_NUMERAL = re.compile(
    r"[0-9]{1,3}(?:\u00a0[0-9]{3})+(?![0-9])(?:[.,][0-9]+)?|[0-9]+(?:[.,][0-9]+)*"
)
_SPACED = re.compile(r"[0-9]{1,3}(?: [0-9]{3})+(?![0-9])(?:[.,][0-9]{1,2}(?![0-9]))?")
_SCALE = _compile(
    rf"(?:{_S0}|-)(?P<scale>(?:{'|'.join(sorted([*_VI_SCALES, *_EN_SCALES], key=len, reverse=True))}))"
    rf"(?!\w)(?!{_S}(?:lệ|trọng|suất|giá)(?!\w))"
)
_SHORT_SCALE = _compile(rf"{_S0}(?P<scale>k|m|b|tr|t)(?![\w²³/])")
_HALF = _compile(rf"{_S}rưỡi(?!\w)")
_CURRENCY = _compile(
    r"(?P<sign>-)?(?P<name>(?:US|A|AU|S|HK|C|CA)\$|CN¥|[$€£₹¥₩฿₫]|Rs\.?|"
    r"(?:VND|VNĐ|USD|EUR|GBP|INR|JPY|CNY|RMB|AUD|SGD|KRW|THB|HKD|CAD|CHF)(?![^\W\d_]))"
    rf"{_S0}(?P<more>[$€£¥₹₫](?=[0-9]))?(?=-?[0-9])"
)
_UNIT_TOKEN = re.compile(
    r"(?:[kcdm]?m|sq)[23²³](?![0-9])|[^\W\d_]+(?:['’][^\W\d_]+)*[²³]?|"
    r"%(?: (?:points?)(?!\w))?|[‰₫€]|°\s?[CF](?!\w)"
)
_UNIT_GAP = re.compile(r"[ \u00a0]|,[ ]|[ ]?\n|-")
_FIRST_GAP = re.compile(r"[ \u00a0]{0,2}|[ ]?\n|-")
_RATE = _compile(
    rf"{_S0}/{_S0}|{_S}(?P<word>per|mỗi|một|a|an|each){_S}|{_S}(?=per{_S}capita|đầu{_S}người)"
)
_CAPITA = _compile(rf"per{_S}capita(?!\w)|đầu{_S}người(?!\w)|head(?!\w)|capita(?!\w)")
_ADJECTIVE = _compile(
    r"[ ](?:new|newly|additional|more|other|extra|further|foreign|local|public|private|confirmed|"
    r"active|different|major|key|small|large|registered|state|domestic|international|urban|rural|"
    r"national|provincial|social|industrial|major|full-time|primary|secondary|unemployed|poor)(?=[ ])"
)
_CONNECT = _compile(
    rf"(?P<dash>{_S0}{_DASH}{_S0})(?=[0-9$€£])|{_S}(?P<to>đến|tới|to)"
    rf"(?:{_S}(?:khoảng|gần|hơn|about|around|nearly))?{_S}|{_S}(?P<and>and|và){_S}"
)
_HEDGE_WORDS = (
    "hơn|gần|khoảng|ước|ước đạt|ước tính|ước tính đạt|ước tăng|ước giảm|ước khoảng|ước thực hiện|"
    "trên|dưới|xấp xỉ|chừng|ngót|độ khoảng|trên dưới|không dưới|ít nhất|tối thiểu|tối đa|"
    "dự kiến đạt|dự kiến khoảng|đạt khoảng|đạt trên|đạt gần|"
    "about|over|more than|nearly|almost|around|approximately|approx.|roughly|some|estimated|"
    "an estimated|estimated at|close to|under|less than|fewer than|below|above|in excess of|"
    "at least|at most|up to|circa|just over|just under|well over|upwards of|~|≈"
)
_HEDGE = (
    r"(?:"
    + "|".join(
        re.escape(word).replace(r"\ ", _S)
        for word in sorted(_HEDGE_WORDS.split("|"), key=len, reverse=True)
    )
    + r")"
)
_HEDGE_BEFORE = _compile(rf"(?<!\w){_HEDGE}{_S0}(?:the{_S})?$")
_COMPARED = _compile(
    rf"(?:cao|thấp|nhiều|ít|lớn|nhỏ|nhanh|chậm|kém|tốt|dài|ngắn|rộng|đông|sâu|nặng|nhẹ|mạnh|rẻ|đắt){_S}hơn{_S0}$"
)
_HEDGE_AFTER = _compile(rf"{_S}(?:trở{_S}lên|or{_S}more|or{_S}so|and{_S}above)(?!\w)")
_LEADING = _compile(
    rf"(?:(?:{_HEDGE}|ngày|vào|trong|từ|between|from|in|on|by|the|giá|đạt|gồm|có){_S0})*"
)
_CHANGE = _compile(
    r"(?<!\w)(?:tăng|giảm|nâng|hạ|rút|chuyển|rise|rose|risen|rising|increas\w+|grew|grow\w*|fell|"
    r"fall\w*|declin\w+|decreas\w+|dropp?\w*|up|down|chang\w+|went|moved|climbed|jumped|cut|"
    r"reduced|raised|improved|lifted)(?!\w)[^.;\n]{0,30}$"
)
_COMPARE_BEFORE = _compile(
    rf"(?<!\w)(?:gấp|tăng|giảm|hơn|bằng|kém|gấp{_S}khoảng|gấp{_S}hơn|gấp{_S}gần|tăng{_S}gấp){_S}"
    rf"(?:{_HEDGE}{_S})?$"
)
_COMPARE_AFTER = _compile(rf"{_S}(?:so{_S}với|cùng{_S}kỳ|mức{_S}|năm{_S}(?:trước|ngoái))")
_MULTIPLE = _compile(
    rf"(?P<vi>gấp{_S}(?P<word>đôi|rưỡi|hai|ba|bốn|năm|sáu|bảy|tám|chín|mười)(?:{_S}lần)?)(?!\w)|"
    r"(?P<en>twice|thrice|(?:two|three|four|five|six|seven|eight|nine|ten)-?fold)(?!\w)|"
    rf"(?P<verb>double|triple|quadruple)(?={_S}(?:the|that|those|last|what|its|their)(?!\w))"
)
_GAP_TIMES = _compile(rf"gấp{_S}(?:{_HEDGE}{_S})?")
_FOLD = _compile(r"-?fold(?!\w)")
_TIMES = _compile(rf"{_S}(?P<word>lần|times)(?!\w)|(?P<x>x)(?!\w)")
_TIMES_EVENTS = _compile(
    rf"{_S}(?:a|an|per|each|every|in|during|since|between|this|on|before)(?!\w)"
)
_OUT_OF = _compile(rf"{_S}out{_S}of{_S}(?P<all>[0-9]+)(?![0-9]|[.,][0-9])")
_RATIO = re.compile(r"(?P<part>[0-9]{1,9})/(?P<all>[0-9]{1,9})(?![\w/]|[.,][0-9])")

# Labels: what looks like a figure and is not.
_WEB = re.compile(
    r"https?://\S+|www\.\S+|[\w.+-]+@[\w-]+\.[\w.-]+|"
    r"(?<![\w@])[\w-]+(?:\.[\w-]+)*\.(?:vn|com|net|org|gov|edu|info|in)(?![\w])(?:/\S*)?",
    _FLAGS,
)
_LIST_NUMBER = re.compile(
    r"[0-9]{1,2}(?:\.[0-9]{1,2}){0,3}(?:[.)][ \u00a0\t]+|[ ]?[-–][ \u00a0]+)(?=\D)|"
    r"[0-9]{1,2}(?:\.[0-9]{1,2}){1,3}[ \u00a0\t]+(?=[A-ZĐÀ-Ỹ])"
)
_LINE_START = re.compile(r"(?:^|\n)[ \u00a0\t#*>|-]*\(?$")
_NOT_FIGURE = re.compile(
    r"(?:\+84|0)[0-9]{1,3}[ .-]?[0-9]{3,4}[ .-]?[0-9]{3,4}(?![0-9])"
    r"|0[0-9]{1,3}\)[ .-]?[0-9]{3,4}[ .-]?[0-9]{3,4}(?![0-9])"
    r"|1[89]00[ .-]?[0-9]{4,6}(?![0-9])"
    r"|[0-9]+(?:/[0-9]{4})?[ ]?/(?:[A-ZĐ]{2,}[\w.-]*)"
    r"|[0-9]+:[0-9]+(?::[0-9]+)?(?:[ ]?[aApP]\.?[mM]\b\.?)?"
    r"|[0-9]{1,2}(?:[.][0-9]{2})?[ ]?[aApP](?:m|M|\.m\.)(?!\w)"
    r"|[0-9]{1,2}[hH][0-9]{2}(?![0-9])"
    r"|[0-9]{1,2} giờ [0-9]{1,2}(?: phút)?(?![.,]?[0-9])"
    r"|[0-9]{1,2} giờ (?=sáng|chiều|tối|trưa|ngày)"
    r"|[0-9]{1,3}(?:st|nd|rd|th)\b(?![ -](?:quarter|half))"
    r"|[0-9]{4}s\b"
    r"|24/(?:7|24)(?![0-9/])"
)
_MARKER = re.compile(r"\[[0-9]+(?:[,; –-]+[0-9]+)*\]")
_CODE = re.compile(r"[0-9]+(?:[./-][\w-]+)*[a-zA-Z]?(?!\w)")
_LABEL_NUMBER = _compile(
    rf"{_S}(?:số|no\.?|nos\.?|number){_S0}:?{_S0}(?=[0-9])|{_S}(?=[0-9])|\.{_S0}(?=[0-9])"
)
_STRONG = frozenset(
    "thứ điều lớp quốc tỉnh QL TL article rule covid H5N1 sars ngõ ngách hẻm".casefold().split()
)
_MEDIUM = frozenset(
    "số no nos number quyết nghị thị định tư luật lệnh văn resolution decree decision directive "
    "circular law dispatch notice order khóa khoá điện thoại tel phone fax hotline boeing "
    "airbus version".split()
)
_WEAK = frozenset(
    "khoản điểm mục chương phần lục bảng hình trang section clause chapter annex appendix table "
    "figure page paragraph part schedule item phase step level grade class room route highway "
    "khối đường đai tổ phố ấp kỳ đợt tuyến hạng nhóm loại đoạn lô phòng tầng tòa bậc độ quận "
    "phường trình thôn ngày group type batch ward district wave day week zone line category "
    "tier vòng round gate terminal".split()
)
_ORDINAL = _compile(rf"thứ{_S}(?:nhất|nhì|hai|ba|tư|năm|sáu|bảy|tám|chín|mười|[0-9IVX]+)(?!\w)")

# --- spelled-out numbers --------------------------------------------------------------------

_VI_DIGITS = {
    "một": 1,
    "hai": 2,
    "ba": 3,
    "bốn": 4,
    "năm": 5,
    "sáu": 6,
    "bảy": 7,
    "bẩy": 7,
    "tám": 8,
    "chín": 9,
}
_VI_AFTER_TENS = _VI_DIGITS | {"mốt": 1, "tư": 4, "lăm": 5, "nhăm": 5}
_VI_BIG = {word: int(scale) for word, scale in _VI_SCALES.items() if scale >= 1000}
_VI_AFTER_FIVE = {"mươi", "chục", "trăm", *_VI_BIG}
_EN_SMALL = {
    word: value
    for value, word in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen "
        "fifteen sixteen seventeen eighteen nineteen".split()
    )
    if value
}
_EN_TENS = {
    word: 10 * value
    for value, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), 2)
}
_EN_BIG = {
    "thousand": 10**3,
    "lakh": 10**5,
    "million": 10**6,
    "crore": 10**7,
    "billion": 10**9,
    "trillion": 10**12,
}


def _vi_group(words: list[str], at: int) -> tuple[int, int]:
    """A number below a thousand at `words[at]`: words used (0 when none) and value."""

    def word(index: int) -> str:
        return words[index] if index < len(words) else ""

    def tens(index: int) -> tuple[int, int]:
        if word(index) == "mười":
            last = _VI_AFTER_TENS.get(word(index + 1), 0)
            if word(index + 1) == "năm":  # "mười năm" is ten years, fifteen is "mười lăm"
                last = 0
            return (2, 10 + last) if last else (1, 10)
        if word(index) in _VI_DIGITS and word(index + 1) in ("mươi", "chục"):
            last = _VI_AFTER_TENS.get(word(index + 2), 0)
            if word(index + 2) == "năm" or word(index + 3) in ("mươi", "trăm"):
                last = 0
            value = _VI_DIGITS[word(index)] * 10 + last
            return (3, value) if last else (2, value)
        return 0, 0

    first = word(at)
    if (first in _VI_DIGITS or first == "không") and word(at + 1) == "trăm":
        value = _VI_DIGITS.get(first, 0) * 100
        if word(at + 2) in ("linh", "lẻ") and word(at + 3) in _VI_AFTER_TENS:
            return 4, value + _VI_AFTER_TENS[word(at + 3)]
        used, rest = tens(at + 2)
        return 2 + used, value + rest
    used, value = tens(at)
    if used:
        return used, value
    if first in _VI_DIGITS:
        return 1, _VI_DIGITS[first]
    return 0, 0


def _vi_number(words: list[str]) -> tuple[int, Decimal]:
    """Words used from the start and the value; (0, 0) when they are no number."""
    at = 0
    total = Decimal(0)
    bound = 10**18
    while at < len(words):
        used, value = _vi_group(words, at)
        if not used:
            break
        end, scale = at + used, 1
        while end < len(words) and words[end] in _VI_BIG:
            if words[end] in ("tỷ", "tỉ") and words[end + 1 : end + 2] == ["lệ"]:
                break
            scale *= _VI_BIG[words[end]]
            end += 1
        if scale >= bound or (scale == 1 and total and used == 1):
            break
        total += value * Decimal(scale)
        at, bound = end, scale
        if scale == 1:
            break
        if words[at : at + 1] == ["rưỡi"]:
            return at + 1, total + Decimal(scale) / 2
    return at, total


def _en_number(words: list[str]) -> tuple[int, Decimal]:
    """Words used from the start and the value; (0, 0) when they are no number."""
    total = current = Decimal(0)
    at = used = 0
    bound = 10**18
    room = 100  # what the next small number has to stay below
    while at < len(words):
        word = words[at]
        if (
            word in ("a", "an")
            and at == 0
            and words[1:2]
            and (words[1] in _EN_BIG or words[1] in ("hundred", "dozen"))
        ):
            current, room = Decimal(1), 1
        elif word == "half" and words[1:2] == ["a"] and words[2:3] and words[2] in _EN_BIG:
            current, room = Decimal("0.5"), 1
            at += 1
        elif word in _EN_SMALL and _EN_SMALL[word] < room:
            current, room = current + _EN_SMALL[word], 1
        elif word in _EN_TENS and room == 100:
            current, room = current + _EN_TENS[word], 10
        elif word in ("hundred", "dozen") and 0 < current < 100:
            current, room = current * (100 if word == "hundred" else 12), 100
        elif word in _EN_BIG and current and _EN_BIG[word] < bound:
            bound = _EN_BIG[word]
            total, current, room = total + current * bound, Decimal(0), 100
        elif word == "and" and used and words[at + 1 : at + 3] == ["a", "half"]:
            current += Decimal("0.5")
            at += 2
        elif (
            word == "and"
            and used
            and room == 100
            and words[at + 1 : at + 2]
            and (words[at + 1] in _EN_SMALL or words[at + 1] in _EN_TENS)
            and words[at - 1] in (*_EN_BIG, "hundred")
        ):
            at += 1
            continue
        else:
            break
        at += 1
        used = at
    return used, total + current


_NUMBER_WORDS = {*_VI_DIGITS, "mười", *_EN_SMALL, *_EN_TENS, "a", "half"}
_WORD = re.compile(r"[^\W\d_]+")
_WORD_GAP = re.compile(r"[ \u00a0]|[ ]?\n|-(?=[^\W\d_])")
_NOT_FIVE = _compile(
    r"(?<!\w)(?:trong|mỗi|hàng|hằng|cả|đầu|cuối|giữa|hết|cùng|của|một|nửa|nhiều|các|từng|những|"
    r"qua|lại|theo|hai|ba|bốn|[0-9]+)[ \u00a0]$"
)
