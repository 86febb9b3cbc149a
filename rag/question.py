"""What a question asks for: its language, its words and their translations, the kind of answer."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from importlib.resources import files
from typing import Literal

from rag import figures
from rag.errors import QuestionError
from rag.language import bare, detect, fold, stem, words
from rag.period import Period, asked_times
from rag.schema import Figure, Language
from rag.units import GROUPS

Want = Literal[
    "money", "percent", "count", "quantity", "date", "person", "agency", "place", "document",
    "list", "multiple", "text",
]  # fmt: skip
"""The kind of answer: `quantity` is any figure, `text` is anything else."""
QUANTITIES: frozenset[Want] = frozenset({"money", "percent", "count", "quantity"})

FUNCTION_WORDS: dict[Language, frozenset[str]] = {
    "vi": frozenset(
        """la gi nao bao nhieu may ai dau khi the nhu sao nhung cac cua da dang se duoc bi va thi ma
        o tai trong voi cho ve tu den co nay do kia ay rang hay hoac cung rat vao ra len xuong
        theo hoi biet toi ban xin vui long a nhi vay""".split()
    ),
    "en": frozenset(
        """the a an of and in to is was were are be been being what which who whom whose when where
        how many much did does do done for on by with at from as that this these those it its their
        there or not than into has have had will would can could should may might me tell please
        give show s about during per any some over""".split()
    ),
}
"""Words that say nothing of the topic; Vietnamese ones without diacritics."""
_MARKED_FUNCTION_WORDS = frozenset(
    map(
        fold,
        """là gì nào bao nhiêu mấy ai đâu khi thế như sao những các của đã đang sẽ được bị và thì mà
        ở tại trong với cho về từ đến có này đó kia ấy rằng hay hoặc cũng rất vào ra lên xuống theo
        hỏi biết tôi bạn xin vui lòng ạ nhỉ vậy""".split(),
    )
)


def is_function_word(word: str, language: Language, *, unmarked: bool = False) -> bool:
    """Whether a word says nothing of the topic.

    With `unmarked`, Vietnamese is compared without diacritics, as it was typed; otherwise `ban` is
    not `bạn`.
    """
    if language == "vi" and not unmarked:
        return fold(word) in _MARKED_FUNCTION_WORDS
    return bare(word) in FUNCTION_WORDS[language]


_NO_VERB = (
    r"(?!(?:do|does|did|is|was|were|are|has|have|had|will|would|must|should|can|could|shall|the)\b)"
)
"""The next word is no auxiliary verb nor article: "what did banks lend" asks for no bank."""
_OFFICES = (
    r"(?:chu tich|giam doc|bo truong|thu truong|truong (?:phong|ban)|cuc truong|tong cuc truong|"
    r"bi thu(?! hoi| hut| phi| giu)|thong doc|thi truong|hieu truong|tong thong|"
    r"thu tuong|quoc vu khanh|"
    r"vien truong|chanh (?:van phong|thanh tra|an)|tong (?:thanh tra|kiem toan|chuong ly)|"
    r"thu hien(?! mau| vat)|ke toan truong)"
)
_OFFICES_EN = (
    r"(?:director(?: general)?|chair(?:man|woman|person)|(?<!wheel )chair|minister|mayor|"
    r"governor|president|secretary|commissioner|auditor general|attorney general|chief executive|"
    r"judge|spokes(?:man|woman|person)|statistician)"
)
_ONE_PERSON = (
    rf"(?:\w+ ){{0,3}}(?:{_OFFICES_EN}|head|officer|official|person)"
    r"(?: (?:of|who|that|in|for|at)\b|$)"
)
"""Behind "name the": who is meant, not what somebody did."""
_NOT_OFFICES_EN = (
    r"(?!.*\b(?:per|to|from|with|by|what|which|how|when|where|role|outstanding|repaid|salary|speech|"
    r"visit|statement|decision|budget|rate|date|pay|trip|meeting)\b)"
)
_ACTS = (
    r"(?:bao nhieu|may|nao|gi|dau(?! tu)|nhung|tham|chi dao|phe duyet|tra loi|yeu cau|khoi cong|ky|"
    r"ra sao|phat bieu|giao(?! thong| duc)|cho phep|xin|noi|cam ket|ket luan|nhan manh|trao|"
    r"ban hanh)"
)
"""After an office, tells what its holder does, or asks for it."""
_WANTS: tuple[tuple[Want, str], ...] = (
    (
        "document",
        r"\bso (?:hieu|van ban|ky hieu)\b|\b(?:nghi (?:quyet|dinh)|quyet dinh|van ban|luat|chi thi|"
        r"thong tu|cong van|ke hoach|thong cao)\b.{0,24}\b(?:nao|so may|so bao nhieu|gi)\b|"
        r"\b(?:cong dien|quy dinh|thong bao|to trinh) nao\b|"
        rf"\b(?:which|what) (?:{_NO_VERB}\w+ ){{0,3}}(?:resolution|decree|decision|law|act|"
        r"directive|circular|document|(?<!investment )(?<!export )(?<!capital )(?<!output )plan|"
        r"regulations?|legislation|dispatch|official letter|submission|executive order)\b|"
        rf"\bwhich (?:{_NO_VERB}\w+ ){{0,3}}(?:notice|rules)\b|"
        r"\bwhat (?:is|was|are|were) the (?:\w+ ){0,2}(?:resolution|"
        r"decree|decision|law|directive|circular|regulation|legislation)\b|"
        r"\b(?:release|document|reference|resolution|decree)"
        r"(?:'s)? (?:number|no)\b|\bnumber of (?:the|this) (?:press )?(?:release|document|"
        r"resolution|decree)\b|\bso (?:cua )?thong cao\b",
    ),
    (
        "date",
        r"\bkhi nao\b|\bbao gio\b|\b(?:ngay|thang|nam|quy|thoi gian|thoi diem|hom|han) nao\b|"
        r"(?<!moi )(?<!mot )(?<!hang )\b(?:ngay|thang|quy|hom|(?<!trong )nam) may\b|"
        r"\bngay (?:(?<!moi ngay )bao nhieu|ban hanh|phat hanh|ky)\b|^when\b|\b(?:[,;]|and) when\b|"
        r"\bwhen (?:did|do|does|was|were|is|are|will|must|should|can)\b|\bdeadline\b|"
        r"(?<!within )\b(?:what|which) (?:date|day|year|month|quarter|period|time)s?\b(?! \d)|"
        r"\bhan (?:chot|cuoi)\b|^han (?:nop|trinh|gop y|ket thuc|khoi cong|hoan thanh|dang ky)\b"
        r"(?!.*\b(?:bao nhieu|may)\b)|"
        r"(?<!dong )(?<!nguon )(?<!nang )(?<!ap )(?<!the )(?<!hieu )\bluc nao\b|"
        r"^ngay (?:bat dau|cong bo|mo cua|mo lai|khoi cong|khai mac|khai giang|thong xe|ket thuc|"
        r"hoan thanh|khanh thanh)\b"
        r"(?!.*\b(?:bao nhieu|may)\b)|"
        r"\bwhen$|\b(?:since|until|by|from) when\b|\blast day (?:for|to)\b|"
        r"\bdate of\b|\bdate was\b|\bopening day\b|"
        r"\b(?:release|issue|start|opening|closing|launch|completion) date\b",
    ),
    (
        "percent",
        r"\bbao nhieu (?:phan tram|%)|%|\bphan tram\b|\bty le\b|\bper ?cent|\bpercentage\b|"
        r"\bhow steep (?:was|is|were|are) the (?:\w+ ){0,2}(?:fall|drop|declin\w*|decreas\w*|"
        r"ris\w*|increas\w*|slump|contraction|growth)\b|\bhow common\b|"
        r"\bthay doi (?:nhu )?(?:the nao|ra sao)\b.*\bso voi\b|"
        r"\bso voi\b.*\bthay doi (?:nhu )?(?:the nao|ra sao)\b|"
        r"\b(?:tang|giam)(?: truong)? (?:bao nhieu|the nao|may)\b|\btoc do tang\b|\bshare of\b|"
        r"\bhow (?:much|fast) (?:did|has|have|was|were|is|higher|lower)?.{0,60}\b(?:grow|grew|rise|"
        r"rose|fall|fell|increase|decrease|decline|drop|up|down|change|expand|contract|higher|"
        r"lower)\b|\bgrowth\b|\brate\b|\bproportion\b|\bwhat portion\b|\bby how much\b|"
        r"\bmuc (?:tang|giam)\b|\btang truong\b",
    ),
    (
        "money",
        r"\bbao nhieu (?:tien|dong|ty|trieu|usd|do|von|kinh phi|ngan sach|trai phieu|co tuc|"
        r"ngoai te|eurobond)\b|"
        r"\bthu (?:duoc |ve )?bao nhieu(?! (?!ca nam)[a-z]+)|"
        r"\b(?:so tien|kinh phi|so von|tong von|"
        r"tri gia|gia tri|kim ngach|doanh thu|chi phi|tong thu|tong chi|ngan sach|von dau tu|"
        r"von)\b.{0,80}\bbao nhieu\b|\bhow much (?:money|was|were|did|has|have|is|are|will|does|"
        r"funding|cash)\b|\b(?:cost|budget|revenue|spending|expenditure|spent|spend|paid|disburse|"
        r"fund|funding|amount|capital(?! cit)|turnover|sales|price|worth|value|investment|exports?|"
        r"imports?|"
        r"donat|pledg|dividend)\w*\b|\bbao nhieu tien\b|"
        r"\b(?:chi(?! so\b)|tra|nop|cap|quyen gop|tai tro)\b.{0,40}\bbao nhieu\b"
        r"(?! (?:nguoi|ca|du an))|\bhet bao nhieu\b|\bowe[sd]?\b|"
        r"\bin (?:dollars|dong(?! (?:thap|hoi|nai|ha|da|van|xoai|bac|nam))|euros|"
        r"rupees|usd|vnd)\b",
    ),
    (
        "count",
        r"\bhow many\b|\bnumber of\b|\b(?:so luong|so nguoi|so ca|so doanh nghiep|so lao dong)\b|"
        r"\bbao nhieu (?!tien|dong|ty|trieu|usd|von|kinh phi|ngan sach|phan|trong|o |ca nam\b|"
        r"de |khi |thi |neu |"
        r"tai|cua|so|vao|theo|va|nam|thang|quy|"
        r"cho |den|ke |moi |mot )[a-z]+|\bmay (?!gio|phan)[a-z]+\b|\bhow long\b|"
        r"\bbao lau\b|\bhow often\b|\bheadcount\b",
    ),
    (
        "quantity",
        r"\bbao nhieu\b|\bhow (?:much|high|large|big|fast|far|low|common)\b|\bfigure\b|"
        r"\bmay\b(?= |$)|(?<!nguy )(?<!dong )(?<!thoi )\bco nao\b|"
        r"\bwhat (?:tonnage|volume|quantity)\b|"
        r"\bwhat level\b(?! of (?:care|risk|school|government|alert))|"
        r"\bcong suat\b|\bcapacity\b|\btotal\b|\bindex\b|\btarget\b|\bchi tieu\b",
    ),
    (
        "person",
        r"\bai\b|\b(?:nguoi|dong chi|lanh dao|thu truong|bo truong|giam doc|chu tich|bi thu|"
        r"cuc truong|quan chuc|can bo) nao\b|"
        rf"\bnames? (?:of )?(?:the )?(?:(?!by\b|of\b)\w+ ){{0,5}}"
        rf"(?:{_OFFICES_EN}|head)\b|\bname the {_ONE_PERSON}|"
        rf"\b(?:{_OFFICES}|lanh dao|thu khoa|ky su truong|uy vien|"
        r"nguoi (?:dung dau|dai dien|phat ngon|phu trach))\b"
        rf"(?: (?!{_ACTS}\b)\w+){{0,14}} ten (?:la )?gi\b|"
        rf"^(?!thi truong)(?:pho )?{_OFFICES}(?: (?!{_ACTS}\b)\w+){{0,8}}$|"
        rf"^{_NOT_OFFICES_EN}(?:the )?(?:deputy |vice |acting )?(?:{_OFFICES_EN}|principal|"
        r"head(?! of (?:cattle|sheep|pigs|poultry))) of (?:\w+ ){0,6}\w+$|"
        rf"^{_NOT_OFFICES_EN}(?!.*\bof\b)(?:\w+ ){{1,5}}"
        rf"(?:{_OFFICES_EN}|chief|coordinator|administrator)$|"
        r"\bho ten\b|\bten (?:cua )?(?:"
        r"nguoi|ong|ba|dong chi|giam doc|chu tich|bo truong)\b|\bwho\b|\bwhom\b|\bwhose\b|"
        r"\bname of the "
        r"(?:person|official|minister|director|chair\w*|signatory|spokes\w+)\b|\bwhich (?:official|"
        r"leader|minister|person|secretary)\b|\bsigner\b|\bsigned by\b",
    ),
    (
        "agency",
        r"\b(?:co quan|don vi|so|bo|to chuc|ban|cap|phong|nganh|hang|cong ty|nha (?:thau|dau tu|"
        r"cung cap|may)|doanh nghiep|tap doan|ngan hang|lien danh|hiep hoi|benh vien) nao\b|"
        rf"\b(?:which|what) (?:{_NO_VERB}\w+ )?(?:"
        r"agenc\w+|compan\w+|firm|department|ministr\w+|bod(?:y|ies)|"
        r"office|organi[sz]ation|unit|authority|contractor|builder|operator|supplier|"
        r"charit(?:y|ies)|association|(?:developer|union|bank)(?! (?:\w+ )?(?:rate|holiday|"
        r"contribution|income)s?\b)|"
        r"institution)s?\b|^\w+(?: \w+){0,4} (?:builder|contractor|developer|operator)$",
    ),
    (
        "place",
        r"\bo dau\b|\btai dau\b|\b(?:noi|dia phuong|(?<!co )quan|huyen|tinh|xa|phuong|thi xa|"
        r"dia diem|nuoc|khu vuc|thanh pho|cho|thi tran|(?<!lanh )(?<!chi )dao|vung) nao\b|"
        r"\bwhere\b|"
        rf"\b(?:which|what) (?:{_NO_VERB}\w+ )?(?:"
        r"place|district|province|city|country|location|county|"
        r"counties|town|state|venue|commune|ward)s?\b|\bvenue$|^dia diem\b",
    ),
    (
        "list",
        r"\bnhung\b.{0,40}\bnao\b|\bcac\b.{0,40}\bnao\b|\bgom (?:nhung|cac)\b|\bliet ke\b|"
        r"(?<!waiting )\blist\b|"
        r"\b(?:which|what) (?:(?!(?:did|do|does|was|were|is|are|has|have|had)\b)\w+ ){0,3}"
        r"(?:districts|sectors|agencies|areas|industries|indicators|"
        r"counties|provinces|units|measures|groups|states|principles|departments)\b|"
        rf"\bname the\b(?! {_ONE_PERSON})",
    ),
)
_MONEY_WORDS = (
    r"\bbao nhieu (?:tien|dong|ty|trieu|usd)\b|\b(?:money|cost|budget|spen[dt]\w*|paid|disburs\w*|"
    r"fund\w*|revenue|turnover|capital(?! cit)|price|invest\w*|donat\w*|pledg\w*|kinh phi|so tien|"
    r"von|"
    r"ngan sach|doanh thu|kim ngach|tong tien|"
    r"tien (?:phat|thuong|luong|thue|ho tro|tro cap)|tong thu|tong chi|nhap sieu|xuat sieu|no dong|"
    r"no thue|du no)\b|"
    r"\bhow much\b.{0,60}\b(?:vat|tax(?:es)?|duty|duties|capital|refund\w*|award\w*|recover\w*|"
    r"contribut\w*|attract\w*|grant\w*|subsid\w*|allowance\w*|loans?|len[dt]|borrow\w*|"
    r"compensat\w*|fin(?:es|ed)|collect\w*|ow(?:e[sd]?|ing)|debts?|arrears|surplus|deficit|"
    r"earn\w*|wages?|salar\w+|import\w*|export\w*)\b|"
    r"\b(?:chi(?! so\b)|tra|nop|cap|quyen gop|tai tro)\b.{0,40}\bbao nhieu\b(?! (?:nguoi|ca|du an))"
)
_MEASURE_WORDS = (
    r"\b(?:rice|waste|rubbish|water|electricity|land|area|power|energy|forest|crops?|grain|wheat|"
    r"san luong|dien tich|tan|hec ta|dien|nuoc|rac)\b"
)
_MONEY_ONLY = r"\bbao nhieu (?:tien|dong|usd|von|kinh phi)\b|\bhow much money\b"
_MEASURED = re.compile(
    r"\b(?:kim ngach|tong|chi so|ty le|doanh thu|thu ngan sach|chi ngan sach|von|gia tri|muc|"
    r"san luong|dien tich|so luong|so (?:nguoi|ca|doanh nghiep|lao dong|du an|vu)|grdp|gdp|cpi|iip|"
    r"fdi|index|rate|number|revenue|turnover|value|sales|spending|expenditure|growth|output|target|"
    r"capacity|increase|decrease|area|exports?|imports?|investment|amount|total|average|price|"
    r"inflation|unemployment|surplus|deficit|minimum|maximum|median|yield|coverage|shortage|"
    r"wages?|salar(?:y|ies)|rents?|fees?|fines?|fares?|discount|subsidy|dose|doses|length|height|"
    r"width|depth|weight|distance|hoc phi|le phi|lai suat|nang suat|khoi luong|thang du|"
    r"tham hut|xuat sieu|nhap sieu)\b"
)
_CHANGE = re.compile(
    r"\b(?:(?<!gia )tang|giam|tang truong|bien dong|lam phat)\b|(?<!co )\bthem (?=bao nhieu|may)|"
    r"\b(?:cao|thap|nhieu|it|nhinh|kem|nhanh|cham) hon\b(?! \d)"
    r"(?= (?:\w+ ){0,8}(?:bao nhieu|may)\b)|"
    r"\bhow (?:much|many) (?:more|less|fewer|bigger|larger|smaller|longer|shorter)\b|"
    r"\b(?:grow\w*|grew|ris(?:e|en|ing)|rose|fall\w*|fell|increas\w*|decreas\w*|declin\w*|"
    r"drop\w*|chang\w*|expand(?! \w+ (?:to|the))|expansion|contraction|dearer|cheaper|higher|lower|"
    r"how far(?=.*\b(?:below|above|behind|ahead)\b)|down|"
    r"(?<!set )(?<!sign )(?<!signed )(?<!made )up|gain\w*|inflation|shr[aiu]nk)\b"
)
_CHANGE_MARKED = re.compile(
    r"\b(?:bớt|(?<!thâm )(?<!thiếu )(?<!hao )hụt|nhích|sụt(?! lún)|tụt|vọt|"
    r"đắt lên|rẻ đi|ít đi(?! lại))\b",
    re.I,
)
"""More of them, told apart from other words only by their diacritics."""
_LEVEL_BEFORE = re.compile(
    rf"\b(?:before|truoc khi)(?: \w+){{0,4}}? ?(?:{_CHANGE.pattern})|"
    r"\bfrom what(?: (?:level|figure|rate|amount|price|number|share))?"
    r"(?: (?:did|do|does|has|have|was|were)\b.*|$)"
)
"""What asks for the level that a change started from."""
_LEVEL_MARKED = re.compile(r"\btrước khi(?: \w+){1,4}", re.I)
"""The same, with its diacritics."""
_TIMED = re.compile(
    r"(?:ngay |thang |quy |nam )+(?:\d[\d/.-]*|i{1,3}|iv)\b|\b\d{1,2} thang(?: (?:dau|cuoi) nam)?|"
    r"\bnua (?:dau|cuoi) nam\b|\b(?:19|20)\d\d(?:[-/]\d{2,4})?\b|"
    r"\b\d{1,2}[/-]\d{1,2}(?:[/-]\d{2,4})?\b|"
    r"\b[qh][1-4]\b|\b(?:first|second|third|fourth|last) (?:half|quarter|(?:\w+ )?months)\b|"
    r"\b(?:\d{1,2} )?(?:january|february|march|april|may|june|july|august|september|october|"
    r"november|december)(?: \d{1,2})?\b"
)
_PRICE = re.compile(r"(?<!chỉ số )\bgiá\b(?! (?:trị|cả|thể|tiêu dùng))", re.I)
"""Told apart from other words only by its diacritics."""
_COLLECTED = re.compile(r"(?<!dân )(?<!chỉ )\bsố (?:thu|chi)\b(?! (?:nhánh|bộ|hội|phí|tiết))", re.I)
"""What was collected or spent, told apart from `số thủ tục` by its diacritics."""
_SEVERAL = re.compile(
    r"\b(?:hai|ba|bốn|sáu|bảy|tám) (?:(?!năm\b|tháng\b|ngày\b|quý\b)\w+ ){1,3}nào\b", re.I
)
"""Asks for so many of something by their names."""
_CAUSE = (
    r"\b(?:why|how come|reasons?|vi sao|tai sao|ly do|nguyen nhan)\b|"
    r"\bwhat (?:drove|drives|caused|causes|led to|leads to|prompted|triggered|pushed|pulled|lifted|"
    r"explains|explained|delayed(?! projects)|h[eo]lds? (?:up|back|down)|made (?!up\b|the list\b)|"
    r"(?:has|have|had|is|are|was|were) (?:driv(?:en|ing)|caus(?:ed|ing)|led to|prompt(?:ed|ing)|"
    r"push(?:ed|ing)|pull(?:ed|ing)|lift(?:ed|ing)|delay(?:ed|ing)|"
    r"h[eo]ld(?:ing)? (?:up|back|down)|behind|to blame)|l(?:ies|ay) behind)\b|"
    r"\b(?:due|owing|thanks|because of|blam\w+ (?:on|for)|put down to|attribut\w+ to) what\b|"
    r"\bwhat\b.{0,60}\b(?:blam\w+ (?:on|for)|put down to|attribut\w+ to|due to)$|"
    r"\bwhat (?:is|are|was|were) the causes?\b"
)
"""Asks for a cause, in words without diacritics."""
_CAUSE_MARKED = re.compile(
    r"\b(?:vì|do|nhờ) (?:đâu\b(?! tư)|(?:\w+ )?gì\b)|(?-i:(?<!tài )\bnguyên do\b)|"
    r"^sao\b(?! (?:la|mai|vàng|chép|y)\b)",
    re.I,
)
"""The same, told apart from other words only by their diacritics."""
_EXPLAINS = re.compile(
    rf"{_CAUSE}|\b(?:nhu the nao|the nao|de lam gi)\b|"
    r"\bhow (?!(?:much|many|high|large|big|fast|far|low|full|long|often|old|"
    r"late|quickly|wide|deep|tall|heavy|strong|expensive)\b)|\bwhat\b.{0,80}\bfor$"
)
_OF_RELEASE = re.compile(
    r"\b(?:ky|nguoi ky|ban hanh|phat hanh|so|so hieu|ngay)\b.{0,40}\b(?:thong cao|van ban)\b|"
    r"\b(?:thong cao|van ban)\b.{0,60}\b(?:ky|ban hanh|phat hanh|so|so hieu|ngay)\b|"
    r"\b(?:sign\w*|issue[ds]?|number|date[d]?|publish\w*)\b.{0,40}\b(?:release|document|statement)\b|"
    r"\b(?:release|document|statement)\b.{0,60}\b(?:sign\w*|issue[ds]?|number|dated?|publish\w*)\b"
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_INVISIBLE = re.compile(r"[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad]")


@dataclass(frozen=True, slots=True)
class Concept:
    """A term of the question that the glossary knows."""

    start: int
    end: int
    """Where it stands in the question."""
    spanned: int
    """How many words of the question it spans."""
    forms: tuple[tuple[Language, tuple[str, ...]], ...]
    """Its wordings by language, preferred first."""
    place: bool
    """It names a place."""
    topic: str
    """The glossary's topic, e.g. `trade`."""

    def wordings(self, language: Language) -> tuple[str, ...]:
        """How the term is written in a language."""
        return dict(self.forms).get(language, ())


_YEAR_ON_YEAR = re.compile(
    r"\bso với cùng kỳ(?: năm (?:trước|ngoái))?(?! \d| năm \d)|\bso voi cung ky\b(?! nam)|"
    r"\byear[- ]on[- ]year\b|"
    r"\b(?:compared )?(?:with|to|than|over|from) "
    r"(?:a year (?:earlier|ago)|the same period(?: last year)?)\b",
    re.I,
)
_TIME_WORD_EN = (
    r"\d{4}|years?|months?|quarters?|weeks?|days?|today|yesterday|tomorrow|ago|before|after|since|"
    r"until|during|previous(?:ly)?|former(?:ly)?|earlier|half|winter|spring|summer|autumn|tet|"
    r"january|february|march|april|may \d|june|july|august|september|october|november|december|"
    r"q[1-4]|no\.? ?\d+|\d+/\w[\w/-]*"
)
_TIME_WORD = re.compile(
    rf"\b(?:{_TIME_WORD_EN}|năm|tháng|quý|tuần|ngày|hôm|kỳ|đợt|tết|trước|sau|số \d+)\b", re.I
)
_TIME_WORD_BARE = re.compile(
    rf"\b(?:{_TIME_WORD_EN}|thang|quy|tuan|ngay|hom|ky|dot|truoc|nam (?=\w* ?\d|nay|ngoai))\b", re.I
)
"""What may tell a time or a document, understood or not."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question, understood as far as rules can."""

    text: str
    language: Language
    plain: str
    """All its words without diacritics, one space between them."""
    unmarked: bool
    """Vietnamese typed without diacritics."""
    restored: bool
    """Its text has them, but they are guessed."""
    content: tuple[str, ...]
    """Its words without function words, folded, in order."""
    concepts: tuple[Concept, ...]
    names: tuple[str, ...]
    """Capitalised words (not the first of the question, unless it goes on) and abbreviations."""
    wants: frozenset[Want]
    explains: bool
    """It asks why, how or what for."""
    of_release: bool
    """It asks for the number, date, signer or issuer of a release itself."""
    noun: str | None
    """The unit that it asks to count (`rag.schema.Figure.unit`), None when it names none."""
    counted: tuple[str, ...]
    """The words for what it asks to count, folded, at most two; empty when it counts nothing."""
    superlative: int
    """1 when it asks for the highest of several, -1 for the lowest, 0 for neither."""
    change: bool
    """It asks how much something rose or fell, not how much it is."""
    periods: tuple[Period, ...]
    """The times that it asks about."""
    base: Period | None
    """The time that it wants the figure compared with."""
    earlier: bool
    """It asks how something was before: a year ago, at the start, before a change."""
    timed: frozenset[str]
    """Its words that only say when, folded."""
    figures: tuple[Figure, ...]
    """The quantities that it states itself."""
    expected: tuple[float, ...] = ()
    """The probability of each of `rag.expected.KINDS` for its answer."""
    latest: bool = False
    """It asks for the latest in so many words."""
    asked: str = ""
    """The beginning of the text that was asked, when the rest is what it left out."""
    incomplete: bool = False
    """What was asked has no subject of its own."""

    @property
    def undated(self) -> bool:
        """Whether it names no time and no document, and is then of the latest that is known.

        What is compared with the year before ("year on year") is still of no time.
        """
        if self.periods or self.earlier or self.of_release or (self.base and self.base.year):
            return False
        text = _YEAR_ON_YEAR.sub(" ", self.text)
        marked = not text.isascii()
        return not (_TIME_WORD if marked else _TIME_WORD_BARE).search(text)

    def skips(self, word: str) -> bool:
        """Whether a word of the question says nothing of its topic."""
        unmarked = self.unmarked and not self.restored
        return is_function_word(word, self.language, unmarked=unmarked)


def clean(text: object, *, longest: int) -> str:
    """The question as one line of NFC text.

    Raises `QuestionError` when it is not text, empty, longer than `longest` characters, or has
    control characters.
    """
    if not isinstance(text, str):
        raise QuestionError("the question is not text; ask with a sentence")
    text = _INVISIBLE.sub("", unicodedata.normalize("NFC", text))
    if not text.strip():
        raise QuestionError("the question is empty; type what you want to know")
    if len(text) > longest:
        raise QuestionError(
            f"the question has {len(text):,} characters, at most {longest:,} are taken; shorten it"
        )
    if _CONTROL.search(text):
        raise QuestionError("the question has control characters; type it again as plain text")
    if any(0xD800 <= ord(char) <= 0xDFFF for char in text):
        raise QuestionError("the question has broken characters; type it again as plain text")
    text = re.sub(r"\s+", " ", text).strip()
    if not any(char.isalnum() for char in text):
        raise QuestionError("the question has no words; type what you want to know")
    return text


_INTERROGATIVE = re.compile(
    r"\b(?:how|what|which|who|whom|whose|when|where|why)\b|\b(?:bao nhieu|may|ai|gi|nao|khi nao|"
    r"o dau|tai dau|bao gio|bao lau|vi sao|tai sao|the nao)\b"
)
_LEAD_IN = re.compile(
    r"^(?:(?:please|can you|could you|tell me|hãy|xin|vui lòng|cho (?:tôi )?(?:biết|hỏi))\s+)*"
    r"(?:by )?(?:how (?:much|many|fast|high|large|big|far|long)|what|which|who|when|where)?\s*"
    r"(?:(?:percentage|per ?cent|share|number|amount|date|year) of\s+)?"
    r"(?:(?:was|were|is|are|did|does|do|has|have|had|will)\s+)?(?:the\s+)?",
    re.I,
)
_ASKING = re.compile(
    r"\b(?:(?:là|được|đạt|khoảng|hết|mất)\s+)*(?:bao nhiêu(?: phần trăm| tiền| %)?|mấy|"
    r"là gì|khi nào|là ai|ở đâu|như thế nào)\b|\?",
    re.I,
)


_TURNED = re.compile(
    r"\b(?:do|does|did)\b|\b(?:has|have|had|was|were|is|are|will) (?:the|an?|its|their|[A-Z])"
)


PLAIN_TOPICS = frozenset({"general", "time", "measure", "statistics"})
"""Topics of the glossary whose terms do not say what a figure is of."""


def topic(question: Question) -> str:
    """What a question is about, in its own words, without what it asks for and without figures.

    Where only words in the order of a question are left, the longest term that the glossary knows;
    empty without one, when nothing is left, or with a hole where a quantity stood.
    """
    if question.figures:
        return ""
    text = question.asked or question.text
    terms = [
        text[concept.start : concept.end]
        for concept in question.concepts
        if not concept.place and concept.topic not in PLAIN_TOPICS
    ]
    term = max(terms, key=len, default="")
    term = term[:1].upper() + term[1:]
    if question.incomplete:
        return term
    stated = figures.find(text, language=question.language)
    for figure in reversed(stated):
        text = f"{text[: figure.start]} {text[figure.end :]}"
    text = text.strip()
    lead = _LEAD_IN.match(text)
    end = lead.end() if lead else 0
    if re.search(r"\b(?:do|does|did)\s+(?:the\s+)?$", text[:end], re.I):
        return term
    text = _ASKING.sub(" ", text[end:])
    plain = " ".join(bare(word) for word, _, _ in words(text))
    if _TURNED.search(text) or _INTERROGATIVE.search(plain):
        return term
    text = re.sub(r"\S*\d\S*", " ", text)
    text = re.sub(r"[\s,;:.!]+", " ", text).strip()
    loose = r"(?:in|of|on|at|by|for|from|to|the|during|vào|trong|năm|tháng|ngày|quý|của|đến|từ)"
    text = re.sub(rf"(?:\s+(?:{loose}|worth))+$", "", text, flags=re.I)
    return text[:1].upper() + text[1:]


_ABBREVIATION = re.compile(r"(?=(?:.*[A-ZĐ]){2})[A-ZĐ0-9&.-]+")


def spelled_out(question: Question) -> list[tuple[Concept, str]]:
    """The abbreviations of a question that the glossary knows, with what each is short for."""
    return [
        (concept, others[0])
        for concept, others, short in _written_otherwise(question)
        if short and others
    ]


def in_words_of(question: Question, text: str) -> str:
    """The question with abbreviations spelled out, or the other way round, as a text has them."""
    asked, written = question.text, _written_otherwise(question)
    said = f" {_spaced(text)} " if written else ""
    for concept, others, _ in reversed(written):
        if f" {_spaced(question.text[concept.start : concept.end])} " not in said:
            other = next((each for each in others if f" {_spaced(each)} " in said), None)
            if other:
                asked = f"{asked[: concept.start]}{other}{asked[concept.end :]}"
    return asked


def _spaced(text: str) -> str:
    return " ".join(fold(word) for word, _, _ in words(text))


def _written_otherwise(question: Question) -> list[tuple[Concept, list[str], bool]]:
    """Terms that are abbreviated or can be, with the other sort of wordings, and if they are.

    In the language of the question, then, for an abbreviation, in the other; units are left out.
    """
    found = []
    for concept in question.concepts:
        wordings = concept.wordings(question.language)
        shorts = [each for each in wordings if _abbreviated(each)]
        if shorts and concept.topic != "measure":
            surface = _spaced(question.text[concept.start : concept.end])
            short = surface in map(_spaced, shorts)
            foreign = concept.wordings("en" if question.language == "vi" else "vi")
            fulls = [each for each in (*wordings, *foreign) if not _abbreviated(each)]
            found.append((concept, fulls if short else shorts, short))
    return found


def _abbreviated(wording: str) -> bool:
    return any(map(_ABBREVIATION.fullmatch, wording.split()))


_LATEST = re.compile(
    r"\bthe (?:latest|most recent) (?=(?:figures?|numbers?|data|statistics|value|rate|total|count|"
    r"estimates?|results?)\b)|^(?:(?:and )?what (?:about|is|are|was|were) )?(?:the )?"
    r"(?:latest|most recent) (?!to\b|date\b|day\b)|^(?:and )?(?:the )?latest(?=\W*$)|"
    r"(?<=số liệu )mới nhất\b|(?<=con số )mới nhất\b|(?<=số )mới nhất\b|(?<=thống kê )mới nhất\b|"
    r"(?<=kết quả )mới nhất\b|\b(?:mới|gần đây) nhất(?=\W*$)",
    re.I,
)
_OF_SEVERAL = re.compile(r"\b(?:nhiều|cao|ít|nào|ai)\b.*\bnhất\W*$|\bwhich\b|\bwho\b", re.I)
"""Asks which of several is the newest, or has most of what is new."""


def _without_latest(match: re.Match[str]) -> str:
    return re.sub(r"(?:latest|most recent|(?:mới|gần đây) nhất) ?", "", match.group(), flags=re.I)


def understand(text: str, *, today: date | None = None, restored: bool = False) -> Question:
    """Read a clean question; `last year` and the like count from `today`.

    `restored` tells that it was typed without the diacritics that the text has. "The latest figure"
    and the like are asked without the word, which no release has.
    """
    latest = _LATEST.search(text)
    if latest and not _OF_SEVERAL.search(text):
        rest = re.sub(r"\s+", " ", _LATEST.sub(_without_latest, text)).strip()
        text = rest if any(char.isalnum() for char in rest) else text
    else:
        latest = None
    language: Language = "vi" if restored else detect(text)
    times = asked_times(text, language, today=today)
    found = words(text)
    marked = any(not fold(word).isascii() for word, _, _ in found)
    unmarked = language == "vi" and not marked
    plain = " ".join(bare(word) for word, _, _ in found)
    stated = figures.find(text, language=language)
    asking = text
    for figure in reversed(stated):
        if figure.unit == "%":
            asking = f"{asking[: figure.start]} {asking[figure.end :]}"
    wants = _wants_of(asking, language)
    if wants <= {"text", "quantity"}:
        # "What is the 30 per cent cut worth" asks for no share, "from 5% to what" does.
        wants = _wants_of(text, language)
    noun = _noun(text, language, unmarked=unmarked)
    if noun is None and not wants & {"money", "percent"}:
        noun = _head_noun(text, language)
    if noun and GROUPS.get(noun) == "money" and wants & {"count", "quantity"}:
        # "How many million dollars" counts nothing.
        wants = wants - {"count", "quantity"} | {"money"}
    return Question(
        text=text,
        language=language,
        plain=plain,
        unmarked=unmarked or restored,
        restored=restored,
        content=tuple(
            fold(word)
            for word, _, _ in found
            if not is_function_word(word, language, unmarked=unmarked)
        ),
        concepts=_concepts(found, language),
        names=tuple(fold(text[start:end]) for start, end in name_spans(text, found)),
        wants=wants,
        explains=bool(_EXPLAINS.search(plain) or _CAUSE_MARKED.search(text)),
        of_release=bool(_OF_RELEASE.search(plain)),
        noun=noun,
        counted=_counted(text, language, unmarked=unmarked),
        superlative=_superlative(text),
        change=_asks_change(plain) or bool(_CHANGE_MARKED.search(_LEVEL_MARKED.sub(" ", text))),
        periods=times.periods,
        base=times.base,
        earlier=times.earlier,
        timed=frozenset(
            part
            for match in _TIMED.finditer(plain)
            for piece in match.group().split()
            for part in (piece, *re.split(r"[/.-]", piece))
        ),
        figures=tuple(figure for figure in stated if figure.unit not in ("date", "period")),
        latest=latest is not None,
    )


_ORDER = re.compile(
    r"\b(?:hạng|thứ|vị trí) (?:mấy|bao nhiêu)\b|"
    r"\b(?:what|which) (?:rank|ranking|position)\b|\b(?:what|which) place (?:did|does|do|has)\b|"
    r"\bhow (?!many|much)(?:\w+ ){0,8}rank(?:ed)?\b|"
    r"\bwhere (?:did|does|do|has|had) [^?]{0,60}\brank(?:ed)?\b",
    re.I,
)
_ORDER_UNMARKED = re.compile(
    r"\b(?:xep|(?<!xay )(?<!su )(?<!tieu )dung)(?: \w+){0,2} "
    r"(?:hang|thu|vi tri) (?:may|bao nhieu)\b|"
    r"\bxep (?:hang|thu|vi tri) (?:may|bao nhieu)\b|(?<!xay )\bdung (?:hang|thu) may\b",
    re.I,
)
"""The same as it is typed without diacritics, where `thu` may be revenue and `hang` goods."""


def asks_order(text: str) -> bool:
    """Whether a question asks for a place in an order."""
    return bool(_ORDER.search(text) or (text.isascii() and _ORDER_UNMARKED.search(text)))


NAMING = re.compile(
    r"\b(?:called|named|names? of|(?:what|which) (?:kind|type|sort|colou?r|language)s?)\b|"
    r"\b(?:ten (?:la )?gi|loai (?:nao|gi))\b"
)
"""Asks what something is called or of what sort it is, in words without diacritics."""


_HIGHEST = re.compile(
    r"(?P<high>\b(?:cao|nhiều|lớn|nhanh|mạnh|đắt|dài|rộng|đông) nhất\b|\b(?:highest|largest|"
    r"biggest|greatest|fastest|longest|dearest|"
    r"(?<!at )most(?! (?:of|recent(?:ly)?|people|likely)\b))\b)|"
    r"\b(?:thấp|nhỏ|chậm|rẻ|ngắn|kém|hẹp) nhất\b|\bít nhất\b(?! (?:là |có )?(?:bao nhiêu|mấy|\d))|"
    r"\b(?:lowest|fewest|(?<!at )least|smallest|slowest|cheapest|shortest|furthest behind|"
    r"lag\w* furthest)\b",
    re.I,
)
_SOME_OF = re.compile(
    r"\b(?:trong|của|số) (?:hai|ba|bốn|sáu|bảy|tám|chín|mười|\d{1,2}) "
    r"(?!(?:tháng|năm|quý|ngày|tuần)\b)(?:[^\W\d_]+ ){1,3}$|\bmột trong (?:những|các) "
    r"(?:\w+ ){1,4}$|\b(?:the|of) (?:two|three|four|five|six|seven|eight|nine|ten|\d{1,2}) "
    r"(?:\w+ )?$|\b(?:one of the|second|third|fourth|fifth)[ -]$",
    re.I,
)


def _superlative(text: str) -> int:
    """Which end of a row of numbers a question is about; the last one that it names."""
    found = 0
    for match in _HIGHEST.finditer(text):
        # "Of the six largest parks", "trong sáu khu lớn nhất": these are not asked for.
        if not _SOME_OF.search(text[: match.start()]):
            found = 1 if match["high"] else -1
    return found


def _asks_change(plain: str) -> bool:
    return bool(_CHANGE.search(_LEVEL_BEFORE.sub(" ", plain)))


_RELATIVE = re.compile(r"\b(?:who|whom|whose|where)\b", re.I)
_ASKS_BEHIND = re.compile(
    r"(?:^|[,;:.?!(–-]|\b(?:and|but|or|by|for|with|from|of|about|to|on|at|in|did|do|does|is|are|was|"
    r"were|exactly|know|says?|see|show|explain|mention|tell me))\s*$",
    re.I,
)
"""Before a `who` or `where` that asks; elsewhere it goes on with the noun before it."""


def _without_relatives(text: str) -> str:
    """A text without `who` and the like where they ask for nothing: "a teacher who moves"."""
    for match in reversed(list(_RELATIVE.finditer(text))):
        head = text[: match.start()]
        # "On 5 May who presided?" asks by nothing else.
        asks = _INTERROGATIVE.search(" ".join(w for w, _, _ in words(head.lower()) if w != "may"))
        if asks and not _ASKS_BEHIND.search(head):
            text = f"{head} {text[match.end() :]}"
    return text


def _wants_of(text: str, language: Language) -> frozenset[Want]:
    """What a text asks for, by its words without diacritics and some with them."""
    if asks_order(text):
        # A place in an order is no quantity.
        return frozenset({"text"})
    text = _without_relatives(text)
    plain = [bare(word) for word, _, _ in words(text)]
    if language == "en":
        plain = [word for word in plain if word not in ("may", "ai")]  # no `mấy`, no `ai`
    return _wants(
        " ".join(plain)
        + (" %" if "%" in text else "")
        + (" price" if _PRICE.search(text) else "")
        + (" budget" if _COLLECTED.search(text) else "")
        + (" list" if _SEVERAL.search(text) else "")
        + (" why" if _CAUSE_MARKED.search(text) else "")
    )


def _wants(plain: str) -> frozenset[Want]:
    found: set[Want] = {want for want, pattern in _WANTS if re.search(pattern, plain)}
    if found & {"date", "person", "agency", "place", "document"} and not re.search(
        r"\bbao nhieu (?!phan)|\bhow (?:much|many)\b", plain
    ):
        found -= QUANTITIES
    if "person" in found and re.search(r"\bten (?:la )?gi\b", plain):
        # "Giám đốc Sở Kế hoạch … tên gì" asks for no plan.
        found.discard("document")
    if re.search(_CAUSE, plain) and not re.search(
        r"\b(?:how (?:much|many)|bao nhieu|what (?:share|proportion|percentage)|may (?:ca|nguoi|"
        r"tan|ty|trieu|vu|ho|phan|con|ha|km|truong|xa|don vi|doanh nghiep))\b",
        plain,
    ):
        return frozenset({"text"})
    if re.search(r"\bgap (?:bao nhieu|may)", plain):
        return frozenset({"multiple"})
    if re.search(r"\bhow many times\b", plain):
        # "How many times higher" compares, "how many times were prices raised" counts.
        compares = re.search(
            r"\bhow many times (?:higher|larger|bigger|greater|lower|smaller|faster|longer|more|as|"
            r"that|those|the)\b|\b(?:is|was|are|were|be) how many times\b",
            plain,
        )
        return frozenset({"multiple"} if compares else {"multiple", "count"})
    if re.search(
        r"\bphan tram\b|%|\bper ?cent(?:age)?\b|\b(?:what|which) part\b|"
        r"\b(?:share|proportion|what portion)\b(?! (?:price|capital))|(?<!cong )\bty trong\b|"
        r"\bhow (?:fast|quickly|sharply|steeply)\b|\bhow (?:badly|strongly)\b.{0,60}\b(?:grow|grew|"
        r"contract\w*|shr[iau]nk|fall|fell|rise|rose|drop\w*|climb\w*|expand\w*)\b|"
        r"\bwhat (?:slice|fraction)\b|\brate of\b.{0,20}\bgrowth\b|"
        r"\b(?:no(?: cong)?|debt)(?: to| tren)? gdp\b",
        plain,
    ):
        return frozenset({"percent"})
    if re.search(r"\bhow many\b", plain):
        return frozenset({"count"})
    if re.search(_MONEY_ONLY, plain):
        return frozenset({"money"})
    if re.search(r"\brate (?:per(?! cent)|for each)\b", plain):
        # "The rate per hectare" is no share.
        found = found - {"percent"} | {"quantity"}
    if _WHERE_STANDS.search(plain):
        found = found - {"place"} | {"quantity"}
    if "money" in found and _asks_change(plain):
        # "The increase in exports" may be printed as a share or as an amount.
        found |= {"percent", "money"}
    if (
        re.search(_MONEY_WORDS, plain)
        and found & {"money", "quantity"}
        and not (re.search(_MEASURE_WORDS, plain))
    ):
        found.add("money")
        found.discard("quantity")
    if not found and _MEASURED.search(plain):
        found.add("quantity")
    if not found:
        found.add("text")
    return frozenset(found)


_WHERE_STANDS = re.compile(
    r"\bwhere (?:did|does|do|is|was|has|had)\b.*\b(?:debt|ratio|rate|tax(?! office)|revenue|"
    r"confidence|reserves|arrears|index|inflation|deficit)(?: (?!office)\w+){0,6} "
    r"(?:stand|stood|head(?:ing|ed))\b"
)
"""Asks for a figure: "Where did the debt stand at the end of May?"."""
_HOW_MANY = re.compile(
    r"\b(?:how many|number of|how much|bao nhiêu|bao nhieu|mấy|số lượng|"
    r"(?:số|so)(?! (?:với|voi|tiền|tien)\b))\s+((?:(?:\w+-)?\w+\s*){1,4})",
    re.I,
)


_DOLLARS = re.compile(r"^(5 (?:tỷ|tỉ|triệu|nghìn|ngàn)) đô\b(?! (?:la|thị)\b)", re.I)
"""As people say it: "mấy tỷ đô"."""


def _noun(text: str, language: Language, *, unmarked: bool) -> str | None:
    for match in _HOW_MANY.finditer(text):
        following: list[str] = []
        for word in match.group(1).split():
            # "How much did fires cost", "bao nhiêu cho mỗi lớp": nothing is counted.
            if is_function_word(word, language, unmarked=unmarked):
                break
            following.append(word)
        # The noun may have words before it: "vaccine doses". Money has not: "cánh đồng".
        for first in range(min(3, len(following))):
            probe = _DOLLARS.sub(r"\1 USD", f"5 {' '.join(following[first:])}")
            for figure in figures.find(probe, language=language)[:1]:
                if figure.unit in (None, "date", "period") or figure.start != 0:
                    continue
                if first == 0 or figures.kind(figure) != "money":
                    return figure.unit
    return None


_HEAD_END = re.compile(
    r"[,:;(]|\s+(?:\d|(?:in|of|for|at|by|on|over|under|from|to|with|during|per|who|that|since|"
    r"between|after|before|among|against|towards?|via|into|and|or|than|as|is|are|was|were|has|have|"
    r"had)\b)",
    re.I,
)


def _head_noun(text: str, language: Language) -> str | None:
    """What a query without a question word counts: "field hospital beds", "ca mắc mới"."""
    if _INTERROGATIVE.search(" ".join(bare(word) for word, _, _ in words(text))):
        return None
    head = _HEAD_END.split(text, maxsplit=1)[0].split()
    if language == "vi" and len(head) > 1 and head[1][0].isupper():
        return None  # it is a name: "Huyện Nghĩa Đàn thu ngân sách 2023"
    # An English noun comes behind what it is of, a Vietnamese one before it.
    noun = head[-1:] if language == "en" else head[:4]
    for figure in figures.find(f"5 {' '.join(noun)}", language=language)[:1]:
        if figure.start == 0 and figures.kind(figure) == "count":
            return figure.unit
    return None


def _counted(text: str, language: Language, *, unmarked: bool) -> tuple[str, ...]:
    match = _HOW_MANY.search(text)
    if match is None or re.match(r"how much", match.group(), re.I):
        return ()
    following = []
    for word, _, _ in words(match.group(1)):
        if is_function_word(word, language, unmarked=unmarked):
            break
        following.append(word)
    # "How many Upper Dorrin homes": they are not counted by their name.
    plain = [word for word in following if word[0].islower()] or following
    return tuple(fold(word) for word in plain[:2])


def name_spans(text: str, found: Sequence[tuple[str, int, int]]) -> list[tuple[int, int]]:
    """Where names stand: capitalised words and abbreviations, among all words of a text."""
    names = []
    for position, (word, start, end) in enumerate(found):
        if not word[0].isupper() or bare(word) in FUNCTION_WORDS["en"]:
            continue
        if word == "No" and re.match(r"\.? ?\d", text[end:]):
            continue  # a number follows, which is the name
        sentence_start = position == 0 or text[:start].rstrip()[-1:] in {".", "?", "!", ":"}
        goes_on = position + 1 < len(found) and found[position + 1][0][:1].isupper()
        if not sentence_start or goes_on or (word.isupper() and len(word) > 1):
            names.append((start, end))
    return names


# The glossary


@lru_cache(maxsize=1)
def __entries() -> dict[Language, dict[tuple[str, ...], tuple[int, ...]]]:
    """Wordings as tuples of keys -> numbers of entries, by language."""
    index: dict[Language, dict[tuple[str, ...], list[int]]] = {"vi": {}, "en": {}}
    for number, (en, vi, _) in enumerate(_entries()):
        for language, wordings in (("en", en), ("vi", vi)):
            for wording in wordings:
                keys = _keys((word for word, _, _ in words(wording)), _typed(language))
                index[_typed(language)].setdefault(keys, []).append(number)
                if language == "vi":
                    unmarked = tuple("~" + bare(key) for key in keys)
                    index["vi"].setdefault(unmarked, []).append(number)
    return {
        language: {keys: tuple(dict.fromkeys(numbers)) for keys, numbers in entries.items()}
        for language, entries in index.items()
    }


def _typed(language: str) -> Language:
    return "vi" if language == "vi" else "en"


@lru_cache(maxsize=1)
def _entries() -> list[tuple[tuple[str, ...], tuple[str, ...], str]]:
    """(English wordings, Vietnamese wordings, topic) of every entry but the question words."""
    lines = (files("rag") / "data" / "glossary.tsv").read_text(encoding="utf-8").splitlines()
    entries = []
    for line in lines[1:]:
        en, vi, topic = line.split("\t")
        if topic != "question":
            entries.append((tuple(en.split("|")), tuple(vi.split("|")), topic))
    return entries


def vietnamese_wordings() -> list[str]:
    """Every Vietnamese wording of the glossary."""
    return [wording for _, wordings, _ in _entries() for wording in wordings]


_AMBIGUOUS_CAPITALS = frozenset({"US", "IT", "WHO", "AI", "PM", "WB", "May", "March", "Turkey"})


def _keys(found: Iterable[str], language: Language) -> tuple[str, ...]:
    """Words in the form in which wordings are compared; all-capital ones keep their case."""
    keys = []
    for word in found:
        if word in _AMBIGUOUS_CAPITALS or (len(word) == 2 and word.isupper() and word.isalpha()):
            keys.append(word)
        else:
            keys.append(stem(word) if language == "en" else fold(word))
    return tuple(keys)


def _concepts(found: Sequence[tuple[str, int, int]], language: Language) -> tuple[Concept, ...]:
    """The longest wordings of the glossary, from left to right, without overlap."""
    index, entries = __entries(), _entries()
    concepts: list[Concept] = []
    tongues: list[Language] = [language, "en" if language == "vi" else "vi"]
    marked = any(not fold(word).isascii() for word, _, _ in found)
    position = 0
    while position < len(found):
        taken = 0
        for tongue in tongues:
            for length in range(min(7, len(found) - position), 0, -1):
                part = [word for word, _, _ in found[position : position + length]]
                if length == 1 and is_function_word(part[0], language, unmarked=not marked):
                    continue
                # A word of the other language within a question is an abbreviation or a term.
                if tongue != language and length == 1 and not part[0].isupper():
                    continue
                keys = _keys(part, tongue)
                numbers = index[tongue].get(keys)
                if numbers is None and tongue == "vi" and not marked and length > 1:
                    numbers = index["vi"].get(tuple("~" + bare(word) for word in part))
                if numbers is None:
                    continue
                vi = dict.fromkeys(form for number in numbers for form in entries[number][1])
                en = dict.fromkeys(form for number in numbers for form in entries[number][0])
                concepts.append(
                    Concept(
                        start=found[position][1],
                        end=found[position + length - 1][2],
                        spanned=length,
                        forms=(("vi", tuple(vi)), ("en", tuple(en))),
                        place=any(entries[number][2] == "place" for number in numbers)
                        and part[0][:1].isupper(),
                        topic=entries[numbers[0]][2],
                    )
                )
                taken = length
                break
            if taken:
                break
        position += taken or 1
    return tuple(concepts)
