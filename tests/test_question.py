"""What a question asks for, in both languages and without diacritics; which ones are refused."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.conversation import goes_on, left_out, parts
from rag.errors import QuestionError
from rag.question import Want, asks_order, clean, in_words_of, spelled_out, topic, understand
from rag.schema import Language

FIGURES: frozenset[Want] = frozenset({"money", "percent", "count", "quantity", "multiple"})

WANTS: tuple[tuple[Want, Language, str], ...] = (
    ("money", "vi", "Thành phố đã chi bao nhiêu tiền hỗ trợ người dân?"),
    ("money", "vi", "Kinh phí ủng hộ quỹ phòng chống dịch là bao nhiêu?"),
    ("money", "vi", "Tổng thu ngân sách đạt bao nhiêu tỷ đồng?"),
    ("money", "vi", "Thu hút đầu tư nước ngoài được bao nhiêu vốn?"),
    ("money", "vi", "Kim ngạch xuất khẩu tháng 6 là bao nhiêu?"),
    ("money", "vi", "Tong thu ngan sach dat bao nhieu tien?"),
    ("money", "en", "How much was disbursed for COVID support?"),
    ("money", "en", "How much money did donors pledge?"),
    ("money", "en", "What was the total budget revenue?"),
    ("money", "en", "How much did the bridge cost?"),
    ("percent", "vi", "GRDP tăng bao nhiêu phần trăm?"),
    ("percent", "vi", "Chỉ số giá tiêu dùng tăng bao nhiêu %?"),
    ("percent", "vi", "Tỷ lệ giải ngân vốn đầu tư công là bao nhiêu phần trăm?"),
    ("percent", "vi", "GRDP tang bao nhieu phan tram?"),
    ("percent", "en", "What percentage of the plan was reached?"),
    ("percent", "en", "By what per cent did exports grow?"),
    ("percent", "en", "How fast did industrial production grow?"),
    ("percent", "en", "What share of households has clean water?"),
    ("count", "vi", "Có bao nhiêu người được hỗ trợ?"),
    ("count", "vi", "Bao nhiêu doanh nghiệp được thành lập trong 6 tháng đầu năm?"),
    ("count", "vi", "Số lượng học sinh đăng ký thi là bao nhiêu?"),
    ("count", "vi", "Thành phố ban hành mấy chỉ thị?"),
    ("count", "vi", "Co bao nhieu nguoi duoc ho tro?"),
    ("money", "vi", "Các công ty trong nước xuất khẩu được bao nhiêu đô la?"),
    ("quantity", "en", "What is the median wage in the county?"),
    ("count", "en", "How many people received support?"),
    ("count", "en", "How many new enterprises were set up?"),
    ("count", "en", "What is the number of students registered?"),
    ("multiple", "vi", "Dịch vụ tăng gấp bao nhiêu lần?"),
    ("multiple", "en", "How many times higher was the growth of services?"),
    ("count", "en", "How many times were water mains repaired last year?"),
    ("percent", "en", "How steep was the decline in catches?"),
    ("percent", "vi", "Giá gạo thay đổi thế nào so với tháng trước?"),
    ("money", "vi", "Thành phố phát hành bao nhiêu trái phiếu?"),
    ("date", "vi", "Kỳ thi tốt nghiệp THPT diễn ra khi nào?"),
    ("date", "vi", "Hội nghị được tổ chức ngày nào?"),
    ("date", "vi", "Thông cáo ban hành ngày bao nhiêu?"),
    ("date", "vi", "Hạn chót nộp hồ sơ là hôm nào?"),
    ("date", "vi", "Hoi nghi duoc to chuc khi nao?"),
    ("date", "en", "When did the conference take place?"),
    ("date", "en", "On what date was the release issued?"),
    ("date", "en", "What is the deadline for the declaration?"),
    ("person", "vi", "Ai chủ trì hội nghị?"),
    ("person", "vi", "Người nào ký thông cáo?"),
    ("person", "vi", "Ai la nguoi ky thong cao?"),
    ("person", "vi", "Giám đốc Sở Y tế Hòa An tên là gì?"),
    ("person", "vi", "Thứ trưởng nào trả lời báo chí?"),
    ("person", "vi", "Giám đốc Sở Kế hoạch và Đầu tư Hòa An tên gì?"),
    ("person", "vi", "Người phát ngôn của bộ tên là gì?"),
    ("person", "en", "Name the judge who heard the case."),
    ("person", "vi", "chủ tịch UBND tỉnh Hòa An?"),
    ("person", "en", "head of the tourism association"),
    ("person", "en", "At the briefing on 5 May who presided?"),
    ("person", "en", "Can you find out who signed it and when?"),
    ("person", "en", "What does the release say about who will pay?"),
    ("place", "en", "Where does the new metro line end?"),
    ("date", "vi", "Ngày mấy trường học mở lại?"),
    ("money", "vi", "Số thu bảo hiểm y tế năm 2023"),
    ("date", "vi", "Hạn nộp báo cáo?"),
    ("date", "en", "Since when have trams taken bank cards?"),
    ("person", "en", "Who chaired the conference?"),
    ("person", "en", "Who signed the release?"),
    ("person", "en", "What is the name of the official in charge?"),
    ("agency", "vi", "Cơ quan nào chủ trì công tác phòng dịch?"),
    ("agency", "vi", "Sở nào được giao xây dựng phương án?"),
    ("agency", "vi", "Đơn vị nào ban hành thông cáo?"),
    ("agency", "vi", "Co quan nao chu tri?"),
    ("agency", "en", "Which department is in charge of the exam?"),
    ("agency", "en", "Which agency must report?"),
    ("place", "vi", "Nhà máy điện rác ở đâu?"),
    ("place", "vi", "Nhà máy đặt tại huyện nào?"),
    ("place", "vi", "Nha may o dau?"),
    ("place", "en", "Where is the waste-to-energy plant?"),
    ("place", "en", "In which district is the plant built?"),
    ("document", "vi", "Quy định nào buộc lắp thanh chắn?"),
    ("document", "en", "Which dispatch deals with the drought?"),
    ("document", "vi", "Nghị quyết nào được thực hiện?"),
    ("document", "vi", "Số hiệu của thông cáo là gì?"),
    ("document", "vi", "Nghi dinh nao gia han thue?"),
    ("document", "en", "Which decree extends the tax payment?"),
    ("document", "en", "What is the number of the press release?"),
    ("list", "vi", "Những quận nào có quy hoạch phân khu đô thị?"),
    ("list", "vi", "Liệt kê các lĩnh vực được ưu tiên"),
    ("list", "en", "Which districts have zoning plans?"),
    ("list", "en", "List the sectors with priority"),
    ("text", "vi", "Vì sao giải ngân chậm?"),
    ("text", "vi", "Nguyên tắc phòng chống dịch là gì?"),
    ("text", "en", "Why was disbursement slow?"),
    ("text", "en", "What did the conference conclude?"),
    ("money", "en", "What was the total registered capital of new firms?"),
    ("text", "vi", "Hòa Lương đứng hạng mấy về cải cách hành chính?"),
    ("text", "en", "How is the province ranked for reform?"),
    ("text", "vi", "Quy trình cấp phép xây dựng thay đổi ra sao?"),
    ("text", "vi", "Chủ tịch tỉnh khởi công dự án tên là gì?"),
    ("text", "en", "How steep is the new road?"),
    ("document", "vi", "Luật mới tên là gì?"),
    ("list", "en", "Name the agencies the official visited."),
)


@pytest.mark.parametrize(("want", "language", "text"), WANTS)
def test_the_kind_of_answer_and_the_language(want: Want, language: Language, text: str) -> None:
    question = understand(text)
    assert question.language == language
    assert want in question.wants
    if want in FIGURES:
        assert question.wants <= FIGURES
    else:
        assert not question.wants & FIGURES


@pytest.mark.parametrize(
    "text",
    [
        "Tong thu ngan sach dat bao nhieu tien?",
        "Co bao nhieu nguoi duoc ho tro?",
        "Ai la nguoi ky thong cao?",
    ],
)
def test_vietnamese_without_diacritics_is_told_as_such(text: str) -> None:
    assert understand(text).unmarked
    assert not understand("Tổng thu ngân sách đạt bao nhiêu?").unmarked
    assert not understand("How much was the revenue?").unmarked


@pytest.mark.parametrize(
    ("text", "unit"),
    [
        ("Có bao nhiêu người được hỗ trợ?", "person"),
        ("Bao nhiêu doanh nghiệp thành lập mới?", "enterprise"),
        ("How many doses were received?", "dose"),
        ("How many people were helped?", "person"),
        ("What is the number of students registered?", "student"),
        ("Tổng thu đạt bao nhiêu tỷ đồng?", "VND"),
        ("Bán ra nước ngoài được mấy tỷ đô?", "USD"),
        ("Thu hút bao nhiêu triệu đô vốn ngoại?", "USD"),
        ("Có bao nhiêu triệu đô la?", "USD"),
        ("Có mấy đô thị loại một?", None),
        ("Thiệt hại bao nhiêu tỷ do bão số 3?", None),
        ("Có bao nhiêu cánh đồng lớn?", None),
        ("Tổng thu đạt bao nhiêu?", None),
        ("How much was paid?", None),
        ("How many new-countryside criteria does Hòa An meet?", "criterion"),
        ("field hospital beds, Hòa An", "bed"),
        ("hộ nghèo cuối năm 2023", "household"),
        ("school fees 2020", None),
        ("Huyện Tây Sơn thu ngân sách 2023", None),
    ],
)
def test_what_it_asks_to_count(text: str, unit: str | None) -> None:
    assert understand(text).noun == unit


@pytest.mark.parametrize(
    ("text", "ordered"),
    [
        ("Hòa An đứng thứ mấy cả nước?", True),
        ("Hòa An xếp hạng mấy?", True),
        ("tinh xep thu may ca nuoc", True),
        ("Which place did it take?", True),
        ("Ngân sách thu bao nhiêu tiền?", False),
        ("Ngành xây dựng thu mấy tỷ?", False),
        ("nganh xay dung thu bao nhieu ty", False),
        ("Lượng hàng bao nhiêu tấn?", False),
    ],
)
def test_a_place_in_an_order_is_told_from_revenue_and_goods(text: str, ordered: bool) -> None:
    assert asks_order(text) == ordered
    assert bool(understand(text).wants & FIGURES) != ordered


@pytest.mark.parametrize(
    ("text", "not_wanted"),
    [
        ("What was paid to drivers whose cars were damaged?", "person"),
        ("How large is the grant for teachers who move?", "person"),
        ("What are the agreements signed this year worth?", "person"),
        ("What was the jobless rate in the group where it rose?", "place"),
        ("Where did the public debt stand at the end of May?", "place"),
        ("What did banks lend to farmers?", "agency"),
        ("What is the export plan for 2023?", "document"),
        ("Trong năm mấy bác sĩ bỏ việc?", "date"),
        ("Mấy doanh nghiệp được lùi hạn nộp thuế?", "date"),
        ("Giám đốc Sở xin hỗ trợ bao nhiêu tiền?", "person"),
        ("GDP per head", "person"),
        ("What did parents tell the principal?", "person"),
        ("What is the name of the bridge opened by the governor?", "person"),
        ("Doanh nghiệp bị thu hồi giấy phép tên là gì?", "person"),
        ("Bộ trưởng trả lời chất vấn", "person"),
        ("What does the AI strategy say?", "person"),
        ("Số thủ tục được cắt giảm là bao nhiêu?", "money"),
        ("Động lực nào thúc đẩy tăng trưởng?", "date"),
        ("Thủ tướng có chỉ đạo nào về phòng dịch?", "place"),
        ("How badly was the bridge damaged?", "percent"),
        ("What rules apply to landlords?", "document"),
    ],
)
def test_what_only_looks_like_a_question_for_it(text: str, not_wanted: Want) -> None:
    assert not_wanted not in understand(text).wants


def test_a_name_is_not_what_is_counted() -> None:
    assert understand("How many Upper Arden homes did it insulate?").counted == ("homes",)


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("At what rate per hectare is lost rice compensated?", False),
        ("What is the rate of unemployment per cent?", True),
        ("Nợ công/GDP là bao nhiêu?", True),
        ("What is the debt-to-GDP ratio?", True),
    ],
)
def test_a_rate_per_something_is_no_share(text: str, share: bool) -> None:
    assert ("percent" in understand(text).wants) == share


@pytest.mark.parametrize(
    "text",
    [
        "Thu về mấy tỷ USD?",
        "Bán ra nước ngoài được mấy tỷ đô?",
        "How many million dollars were attracted?",
        "How many euros were paid to farmers?",
    ],
)
def test_a_number_of_dollars_is_money_and_no_count(text: str) -> None:
    assert understand(text).wants == {"money"}


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("Xuất khẩu tăng bao nhiêu?", True),
        ("How many firms were set up?", False),
        ("Xuat khau giam bao nhieu phan tram?", True),
        ("By how much did exports rise?", True),
        ("How far did prices fall?", True),
        ("Xuất khẩu đạt bao nhiêu?", False),
        ("How much were exports?", False),
        ("Tiền phạt bớt được bao nhiêu?", True),
        ("Thu nội địa nhỉnh hơn cùng kỳ bao nhiêu phần trăm?", True),
        ("Bao nhiêu người có lương cao hơn 5 triệu đồng?", False),
        ("How fast did the economy expand?", True),
        ("How many people contracted the virus?", False),
        ("Người có thu nhập cao hơn 11 triệu đồng phải nộp bao nhiêu thuế?", False),
        ("Số việc làm hụt đi bao nhiêu?", True),
        ("What were drivers paid an hour before the rise?", False),
        ("From what level did the poverty rate come down?", False),
        ("Trước khi tăng, học phí là bao nhiêu?", False),
    ],
)
def test_level_or_change(text: str, change: bool) -> None:
    assert understand(text).change is change


@pytest.mark.parametrize(
    ("text", "language", "wording"),
    [
        ("What was the budget revenue?", "vi", "thu ngân sách"),
        ("What were exports in June?", "vi", "xuất khẩu"),
        ("Chỉ số giá tiêu dùng tăng bao nhiêu?", "en", "consumer price index"),
        ("CPI tăng bao nhiêu?", "vi", "chỉ số giá tiêu dùng"),
        ("Chi so gia tieu dung tang bao nhieu?", "en", "consumer price index"),
    ],
)
def test_the_glossary_gives_its_wordings(text: str, language: Language, wording: str) -> None:
    forms = [form for concept in understand(text).concepts for form in concept.wordings(language)]
    assert any(wording in form.lower() for form in forms), forms


def test_a_concept_knows_where_it_stands() -> None:
    text = "What was the budget revenue in June?"
    stretches = [text[each.start : each.end] for each in understand(text).concepts]
    assert "budget revenue" in stretches


def test_names_but_not_the_first_word() -> None:
    assert understand("How did Hanoi and Sóc Sơn grow?").names == ("hanoi", "sóc", "sơn")
    assert "grdp" in understand("GRDP tăng bao nhiêu?").names


def test_function_words_are_no_content() -> None:
    assert understand("How much was disbursed for support?").content == ("disbursed", "support")
    assert understand("Ngân sách là bao nhiêu?").content == ("ngân", "sách")


def test_words_that_only_say_when() -> None:
    timed = understand("Thu ngân sách quý II năm 2021 là bao nhiêu?").timed
    assert {"quy", "ii", "nam", "2021"} <= timed
    assert "ngan" not in timed
    assert "june" in understand("What were exports in June 2021?").timed


# Questions that cannot be asked


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ("  \n\t ", "is empty"),
        ("\u200b\u200d\ufeff", "is empty"),
        ("\u202e \u2060", "is empty"),
        ("x" * 1001, "1,001 characters"),
        ("what\x00is", "control characters"),
        ("what \x1b[31mis", "control characters"),
        ("\x7f?", "control characters"),
        ("a\ud800b", "broken characters"),
        ("?!… — ()", "no words"),
        ("💰❓", "no words"),
        (None, "not text"),
        (42, "not text"),
        (b"how much", "not text"),
        (["how much"], "not text"),
    ],
)
def test_a_question_that_cannot_be_asked_is_one_clear_line(text: object, told: str) -> None:
    with pytest.raises(QuestionError, match=told) as caught:
        clean(text, longest=1000)
    assert "\n" not in str(caught.value)


def test_the_longest_question_is_taken() -> None:
    assert len(clean("x" * 1000, longest=1000)) == 1000
    assert clean("é" * 10, longest=10) == "é" * 10
    # Typed as letter and mark, it is as long as it looks.
    assert clean(unicodedata.normalize("NFD", "ế" * 10), longest=10) == "ế" * 10


def test_line_ends_and_invisible_characters_go() -> None:
    assert clean(" Bao\u200b nhiêu\n\ttiền? ", longest=1000) == "Bao nhiêu tiền?"


@given(st.text(max_size=300))
def test_any_text_is_understood_or_refused(text: str) -> None:
    try:
        cleaned = clean(text, longest=1000)
    except QuestionError:
        return
    question = understand(cleaned)
    assert question.text == cleaned
    assert question.wants
    assert all(0 <= each.start < each.end <= len(cleaned) for each in question.concepts)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "How much was collected in taxes and how many firms were registered?",
            ("How much was collected in taxes", "how many firms were registered?"),
        ),
        (
            "Đã chi bao nhiêu tiền và hỗ trợ bao nhiêu người?",
            ("Đã chi bao nhiêu tiền", "hỗ trợ bao nhiêu người?"),
        ),
        ("When and where was the meeting held?", ("When and where was the meeting held?",)),
        (
            "How many hotels and restaurants were opened?",
            ("How many hotels and restaurants were opened?",),
        ),
        ("Ai ký văn bản và khi nào?", ("Ai ký văn bản", "khi nào?")),
        (
            "Bao nhieu doanh nghiep giai the va bao nhieu doanh nghiep thanh lap moi?",
            ("Bao nhieu doanh nghiep giai the", "bao nhieu doanh nghiep thanh lap moi?"),
        ),
        (
            "Bao nhieu to chuc ung ho va tong so tien la bao nhieu?",
            ("Bao nhieu to chuc ung ho", "tong so tien la bao nhieu?"),
        ),
        # None of these asks twice: `máy` is no `mấy`, `who` and `which` go on with a noun.
        *(
            (text, (text,))
            for text in (
                "Máy móc và thiết bị vận tải chiếm mấy phần trăm xuất khẩu?",
                "Of those who sat the exam, how many passed?",
                "Who heads the revenue office, which took part in the audits?",
                "Who is the minister of labour and welfare who signed the list?",
                "What will the home for veterans and families in Cầu Mây cost?",
                "At what time and on which day does the school year open?",
                "Which donors gave and how much did each give?",
            )
        ),
    ],
)
def test_a_question_is_parted_where_both_sides_ask(text: str, expected: tuple[str, ...]) -> None:
    assert parts(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("What are the latest exports?", "What are the exports?"),
        ("Số liệu xuất khẩu mới nhất", "Số liệu xuất khẩu"),
        ("Tỉnh nào có nhiều ca mắc mới nhất?", "Tỉnh nào có nhiều ca mắc mới nhất?"),
        ("Which is the newest airport?", "Which is the newest airport?"),
        ("What is the latest date to apply?", "What is the latest date to apply?"),
        ("Xuất khẩu tăng bao nhiêu so với cùng kỳ?", "Xuất khẩu tăng bao nhiêu so với cùng kỳ?"),
        ("Bao nhiêu ca mắc Covid-19?", "Bao nhiêu ca mắc Covid-19?"),
        ("What must be paid at the latest?", "What must be paid at the latest?"),
        ("latest", "latest"),
    ],
)
def test_the_latest_is_asked_without_saying_so(text: str, expected: str) -> None:
    question = understand(text)
    assert question.text == expected
    assert question.undated


@pytest.mark.parametrize(
    "text",
    [
        "What were exports in June?",
        "GRDP so với cùng kỳ năm 2019?",
        "Who signed release 15/TC-UBND?",
        "Thu ngân sách quý I?",
        "Thu ngân sách quý một?",
        "How many firms registered in the opening quarter?",
        "thu ngan sach thang truoc",
    ],
)
def test_a_question_that_names_its_time_or_document_is_not_of_the_latest(text: str) -> None:
    assert not understand(text).undated


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Tổng số tiền là bao nhiêu?", True),
        ("Tăng bao nhiêu phần trăm?", True),
        ("What is their registered capital?", True),
        ("How does that compare with 2019?", True),
        ("And imports?", True),
        ("When?", True),
        ("How much was collected in taxes this year?", False),
        ("Thu ngân sách đạt bao nhiêu?", False),
        ("How many firms registered?", False),
        ("How many firms got their licence back?", False),
        ("Bao nhiêu người tham gia bảo hiểm y tế ở tỉnh này?", False),
        ("Thế giới có bao nhiêu ca mắc?", False),
        ("With how many districts was the meeting connected?", False),
    ],
)
def test_a_question_without_a_subject_goes_on(text: str, expected: bool) -> None:
    assert goes_on(understand(text)) is expected


def test_an_abbreviation_is_known_by_what_it_is_short_for() -> None:
    question = understand("GRDP tăng bao nhiêu?")
    [(concept, full)] = spelled_out(question)
    assert (concept.start, concept.end, full) == (0, 4, "tổng sản phẩm trên địa bàn")
    assert spelled_out(understand("Chi bao nhiêu triệu USD?")) == []


@pytest.mark.parametrize(
    ("asked", "text", "expected"),
    [
        ("GRDP?", "Tổng sản phẩm trên địa bàn đạt 5%", "tổng sản phẩm trên địa bàn?"),
        ("GRDP?", "GRDP, tổng sản phẩm trên địa bàn, đạt 5%", "GRDP?"),
        ("GRDP?", "Thu ngân sách", "GRDP?"),
        ("thu ngân sách?", "Tổng thu NSNN đạt 5 tỷ đồng", "thu NSNN?"),
        ("vat", "Receipts of value added tax rose", "value added tax"),
    ],
)
def test_a_question_is_put_in_the_words_of_a_text(asked: str, text: str, expected: str) -> None:
    assert in_words_of(understand(asked), text) == expected


def test_what_a_part_leaves_out_is_taken_from_those_before() -> None:
    first = understand("How many firms opened in Hòa Lĩnh in June 2021?")
    assert left_out(understand("how many farms were closed?"), [first]) == [
        "Hòa",
        "Lĩnh",
        "June 2021",
    ]
    assert left_out(understand("tổng vốn là bao nhiêu triệu USD?"), [first])[:2] == ["Hòa", "Lĩnh"]
    assert left_out(understand("How many fell ill in Huế in 2020?"), [first]) == []
    # What a part asks about is no place.
    assert left_out(understand("how much was exported?"), [understand("How did GRDP grow")]) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("How much was disbursed for COVID support?", "Disbursed for COVID support"),
        ("What was GRDP growth in the first half of 2021?", "GRDP growth"),
        ("How many doses of vaccine had the city received?", "Vaccine"),
        ("How much did retail sales come to in Hanoi in June?", "Retail sales"),
        ("Which plan covers the replanting of 4,200 hectares of coffee?", ""),
    ],
)
def test_the_topic_has_neither_figures_nor_question_words(text: str, expected: str) -> None:
    assert topic(understand(text)) == expected


@pytest.mark.parametrize(
    ("text", "money"),
    [
        ("Giá vé vào bảo tàng là bao nhiêu?", True),
        ("Giá điện bình quân là bao nhiêu?", True),
        ("Giá trị sản xuất tăng mấy phần trăm?", False),
        ("Chỉ số giá tiêu dùng là bao nhiêu?", False),
        ("Có bao nhiêu người già?", False),
        ("What was the 30 per cent cut in rent worth?", True),
        ("VAT goes from 13.5% to what?", False),
    ],
)
def test_a_price_is_money(text: str, money: bool) -> None:
    assert ("money" in understand(text).wants) == money


@pytest.mark.parametrize(
    ("text", "superlative"),
    [
        ("Which district has the lowest rate?", -1),
        ("Huyện nào có tỷ lệ cao nhất?", 1),
        ("Trong sáu khu lớn nhất, khu nào có giá thuê rẻ nhất?", -1),
        ("Which of the six largest parks is open?", 0),
        ("What is the rate?", 0),
        ("Most of the money was spent on what?", 0),
        ("What is the most recent figure?", 0),
        ("Which district has the second highest rate?", 0),
        ("Có ít nhất bao nhiêu người chết?", 0),
        ("Tỉnh nào có thu ngân sách năm 2023 cao nhất?", 1),
    ],
)
def test_which_end_of_several_it_asks_for(text: str, superlative: int) -> None:
    assert understand(text).superlative == superlative


@pytest.mark.parametrize(
    ("text", "explains"),
    [
        ("Why did robbery rise?", True),
        ("Vì sao giải ngân chậm?", True),
        ("What is the scheme for?", True),
        ("What drove prices up?", True),
        ("What is behind the fall in sales?", True),
        ("Sản lượng giảm chủ yếu do đâu?", True),
        ("Sao tuyến đường này chậm?", True),
        ("Hàng dệt may giảm vì lẽ gì?", True),
        ("What made up most of exports?", False),
        ("Đơn vị đầu tư dự án là công ty nào?", False),
        ("Khu công nghiệp Thái Nguyên do công ty nào đầu tư?", False),
        ("Sao la được thả ở đâu?", False),
        ("What is driver pay?", False),
        ("Số vốn do đầu tư nước ngoài mang lại là bao nhiêu?", False),
        ("How do firms apply?", True),
        ("robberies in the city", False),
        ("How full is the park?", False),
        ("Mức phạt là gì?", False),
    ],
)
def test_whether_it_asks_to_explain(text: str, explains: bool) -> None:
    assert understand(text).explains == explains


@pytest.mark.parametrize(
    ("text", "several"),
    [
        ("Bốn quận nào đã có quy hoạch?", True),
        ("Hai thành phố nào ở Kerrigan bỏ quy hoạch?", True),
        ("Quận nào đã có quy hoạch?", False),
        ("Thông cáo của An Hải mang số nào?", False),
        ("Hai tháng nào có mưa?", False),
    ],
)
def test_several_of_something_are_a_list(text: str, several: bool) -> None:
    assert ("list" in understand(text).wants) == several
