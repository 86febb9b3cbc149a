"""The vocabulary of figures: units, nouns that are counted, currencies, signs and scales."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from typing import Literal, NamedTuple

from rag.schema import Language

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
scientist|scientists|nhà khoa học|researchers
journalist|journalists|nhà báo;phóng viên|reporters
minister|ministers|bộ trưởng|
contractor|contractors|nhà thầu|
volunteer|volunteers|tình nguyện viên|
farmer|farmers|nông dân|
investor|investors|nhà đầu tư|
voter|voters|cử tri|
beneficiary|beneficiaries|đối tượng;người hưởng lợi|recipients
# households
household|households|hộ;hộ gia đình;hộ dân;gia đình;hộ nghèo;hộ kinh doanh|families
# organisations
enterprise|enterprises|doanh nghiệp;công ty|businesses;companies;firms;company;business;firm
unit|units|đơn vị|entities
organisation|organisations|tổ chức|organization;organizations;institutions;institution
agency|agencies|cơ quan|authorities
division|divisions|bộ phận;phòng ban|
establishment|establishments|cơ sở;cơ sở kinh doanh;cơ sở sản xuất|facilities;facility;premises
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
neighbourhood|neighbourhoods|khu phố;tổ dân phố;khu dân cư|neighborhoods;residential groups
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
house|houses|nhà;căn nhà;ngôi nhà;nhà ở|homes
plot|plots|lô đất;nền đất;thửa đất|land plots
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
pharmacy|pharmacies|nhà thuốc;hiệu thuốc;quầy thuốc|drugstores
restaurant|restaurants|nhà hàng;quán ăn|eateries
cultural house|cultural houses|nhà văn hóa;nhà văn hoá|
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
resolution|resolutions|nghị quyết|
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
visit|visits|lượt;lượt người|turns
round|rounds|đợt;vòng;phiên|waves;phases
flight|flights|chuyến bay|
trip|trips|chuyến|journeys
class session|class sessions|buổi|
# things
vehicle|vehicles|xe;phương tiện;ô tô;xe ô tô|cars;automobiles
motorcycle|motorcycles|xe máy;mô tô|motorbikes
bus|buses|xe buýt|coaches
truck|trucks|xe tải|lorries
bicycle|bicycles|xe đạp|bikes
computer|computers|máy tính;bộ máy tính|laptops
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
passport|passports|hộ chiếu|
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
m²|m²|m²;m2;mét vuông;m vuông|sq m;sqm;square metre;square metres;square meters
m³|m³|m³;m3;mét khối;m khối|cubic metre;cubic metres;cubic meters
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
month old|months old|tháng tuổi|months of age
"""

_PERCENTS = """
pp|percentage points|điểm phần trăm;điểm %|percentage point;% points;% point;pp;ppt;ppts
%|%|%;phần trăm|percent;per cent;pct;percents
‰|‰|‰;phần nghìn|per mille
"""

_CURRENCIES = """
VND|VND|đồng;VND;VNĐ;đ;₫;đồng Việt Nam;Việt Nam đồng;vnđ|dong;Vietnamese dong
USD|USD|USD;$;đô la Mỹ;đô la;đô-la Mỹ;đô-la;đôla|dollars;dollar;US dollars;US dollar
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
NZD|NZD|NZD;đô la New Zealand|New Zealand dollars;New Zealand dollar
TWD|TWD|TWD;đô la Đài Loan|Taiwan dollars;New Taiwan dollars
MYR|MYR|MYR;ringgit|Malaysian ringgit
IDR|IDR|IDR;rupiah|Indonesian rupiah
PHP|PHP|PHP;peso Philippines|Philippine pesos
LAK|LAK|LAK;kíp;kíp Lào|kip;Lao kip
KHR|KHR|KHR;riel|Cambodian riel
MMK|MMK|MMK;kyat|Myanmar kyat
PKR|PKR|PKR;rupee Pakistan|Pakistani rupees
BDT|BDT|BDT;taka|Bangladeshi taka
LKR|LKR|LKR;rupee Sri Lanka|Sri Lankan rupees
RUB|RUB|RUB;rúp;rúp Nga|roubles;rouble;rubles;ruble
SEK|SEK|SEK;krona Thụy Điển|Swedish kronor
NOK|NOK|NOK;krone Na Uy|Norwegian kroner
DKK|DKK|DKK;krone Đan Mạch|Danish kroner
PLN|PLN|PLN;zloty|Polish zloty
BRL|BRL|BRL;real Brazil|Brazilian reais
MXN|MXN|MXN;peso Mexico|Mexican pesos
ZAR|ZAR|ZAR;rand|South African rand
NGN|NGN|NGN;naira|Nigerian naira
KES|KES|KES;shilling Kenya|Kenya shillings;Kenyan shillings
AED|AED|AED;dirham|UAE dirhams;dirhams
SAR|SAR|SAR;riyal|Saudi riyals
"""
# TRY, Turkey's, is a word of English as well.

SIGNS = {
    "us$": "USD",
    "$": "USD",
    "a$": "AUD",
    "au$": "AUD",
    "s$": "SGD",
    "hk$": "HKD",
    "c$": "CAD",
    "ca$": "CAD",
    "cad$": "CAD",
    "nz$": "NZD",
    "nt$": "TWD",
    "r$": "BRL",
    "mx$": "MXN",
    "r": "ZAR",
    "rm": "MYR",
    "rp": "IDR",
    "₱": "PHP",
    "₽": "RUB",
    "৳": "BDT",
    "₦": "NGN",
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
SYMBOLS = "".join(sign for sign in SIGNS if len(sign) == 1 and not sign.isalpha())

THOUSAND, MILLION, BILLION, TRILLION = (Decimal(10) ** power for power in (3, 6, 9, 12))
VI_SCALES = {
    "chục": Decimal(10),
    "trăm": Decimal(100),
    "nghìn": THOUSAND,
    "ngàn": THOUSAND,
    "nghin": THOUSAND,
    "ngan": THOUSAND,
    "vạn": Decimal(10_000),
    "triệu": MILLION,
    "trieu": MILLION,
    "tỷ": BILLION,
    "tỉ": BILLION,
    "ty": BILLION,
}
EN_SCALES = {
    "dozen": Decimal(12),
    "hundred": Decimal(100),
    "thousand": THOUSAND,
    "lakh": Decimal(100_000),
    "lakhs": Decimal(100_000),
    "lac": Decimal(100_000),
    "million": MILLION,
    "mn": MILLION,
    "mln": MILLION,
    "crore": Decimal(10_000_000),
    "crores": Decimal(10_000_000),
    "cr": Decimal(10_000_000),
    "billion": BILLION,
    "bn": BILLION,
    "bln": BILLION,
    "trillion": TRILLION,
    "trn": TRILLION,
    "tn": TRILLION,
}
# Letters that are a scale only beside a currency: `$5m`, `5 tr đồng`.
SHORT_SCALES = {"k": THOUSAND, "m": MILLION, "b": BILLION, "tr": MILLION, "t": TRILLION}

# What may stand after the stroke of a rate; elsewhere a stroke means "or" (`xã/phường`).
PER = frozenset(
    "second minute hour day week month quarter year person household worker enterprise unit "
    "km m km² m² m³ ha acre tonne quintal kg g litre kWh MWh kW MW USD product student patient "
    "vehicle visit dose trip case bed room project".split()
) | {"working day"}


class Unit(NamedTuple):
    """A unit or noun as it was spelled."""

    name: str
    group: Literal["count", "measure", "percent", "money", "multiple"]
    language: Language | None
    """The one language that the spelling belongs to."""


class Names(NamedTuple):
    """How a unit is written in both languages, and what it may stand for."""

    vi: str
    en: str
    plural: str
    family: str


def _unmarked(text: str) -> str:
    """Without Vietnamese diacritics."""
    apart = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(char for char in apart if not unicodedata.combining(char))


def unit_key(text: str) -> str:
    """A spelling as `UNITS` has it."""
    return text if len(text) == 1 else text.casefold().replace("-", " ").replace("’", "'")


def _read_tables() -> tuple[dict[str, Unit], dict[str, Names], dict[str, str]]:
    units: dict[str, Unit] = {}
    names: dict[str, Names] = {}
    groups: dict[str, str] = {}
    plain: dict[str, Unit] = {}
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
            shared = {unit_key(part) for part in vi_names} & {unit_key(part) for part in en_names}
            names[name] = Names(vi_names[0], name, plural, family)
            groups[name] = group
            spelled: tuple[tuple[Language, list[str]], ...] = (("vi", vi_names), ("en", en_names))
            for language, parts in spelled:
                for part in parts:
                    only = None if unit_key(part) in shared or len(part) < 3 else language
                    units.setdefault(unit_key(part), Unit(name, group, only))
                    # Typed without diacritics; words of one syllable would clash with English.
                    if language == "vi" and " " in part:
                        plain.setdefault(unit_key(_unmarked(part)), Unit(name, group, only))
    for key, unit in plain.items():
        units.setdefault(key, unit)
    return units, names, groups


UNITS, NAMES, GROUPS = _read_tables()
"""By spelling; by canonical name; the group of each canonical name."""
SINGULAR = {
    name
    for name, names in NAMES.items()
    if GROUPS[name] == "count" and names.plural != name and name.isascii()
}
"""Canonical names that are an English singular with another plural."""
UNITS["annum"] = Unit("year", "measure", "en")
LONGEST = max(len(key.split()) for key in UNITS)
"""Words of the longest spelling."""


def canonical(name: str) -> str:
    """The canonical name of a unit named in either language: `percentage point` is `pp`.

    Each side of `/` or `per` by itself, in the singular or the plural; what the vocabulary does not
    know stays as it is.
    """
    parts = re.split(r"\s*/\s*|\s+per\s+", name.strip())
    known = [UNITS.get(unit_key(part)) or UNITS.get(unit_key(f"{part}s")) for part in parts]
    return "/".join(unit.name if unit else part for part, unit in zip(parts, known, strict=True))


ALIKE = frozenset(
    frozenset(pair.split("~"))
    for pair in (
        "death~person", "case~person", "case~incident", "case~violation", "cluster~incident",
        "visit~visitor", "house~household", "project~work",
    )
)  # fmt: skip
"""Nouns of different families of which one may stand for the other."""
