import re
import time
import unicodedata
from decimal import Decimal
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag import figures, units
from rag.figures import find, kind, parse, same
from rag.schema import Figure, Language

RELEASE = Path(__file__).parents[1] / "data" / "releases" / "04-TC-UBND-2021-06-24.md"
LANGUAGES: tuple[Language, ...] = ("vi", "en")


def shown(figure: Figure) -> str:
    """`printed = value unit`, or `printed = low..high unit`."""
    if figure.value is not None:
        amount = f"{figure.value:f}"
    else:
        amount = f"{figure.low:f}..{figure.high:f}"
    return f"{figure.text} = {amount} {figure.unit or '-'}"


# Text | what is read, in order, separated by " ; ". Nothing after the bar: nothing is read.
CASES = """
# scores
thắng 20-18 trong trận cuối |
they won 23-16 at home |
# money, Vietnamese
chi 608,5 tỷ đồng hỗ trợ | 608,5 tỷ đồng = 608500000000 VND
đạt 46,4 nghìn tỷ đồng | 46,4 nghìn tỷ đồng = 46400000000000 VND
trên 1.730 tỷ đồng | 1.730 tỷ đồng = 1730000000000 VND
ước đạt 124.854 tỷ đồng | 124.854 tỷ đồng = 124854000000000 VND
đạt 694,26 triệu USD | 694,26 triệu USD = 694260000 USD
1.234,56 tỷ đồng | 1.234,56 tỷ đồng = 1234560000000 VND
3 tỷ 200 triệu đồng | 3 tỷ 200 triệu đồng = 3200000000 VND
1 tỷ rưỡi | 1 tỷ rưỡi = 1500000000 -
500 tr đồng | 500 tr đồng = 500000000 VND
mức 12.000.000đ | 12.000.000đ = 12000000 VND
mức 12.000.000 đ | 12.000.000 đ = 12000000 VND
50.000 VNĐ | 50.000 VNĐ = 50000 VND
20.000₫ | 20.000₫ = 20000 VND
5 triệu đô la Mỹ | 5 triệu đô la Mỹ = 5000000 USD
5 triệu đô-la | 5 triệu đô-la = 5000000 USD
2 tỉ đồng | 2 tỉ đồng = 2000000000 VND
3 trăm nghìn tỷ đồng | 3 trăm nghìn tỷ đồng = 300000000000000 VND
10 triệu nhân dân tệ | 10 triệu nhân dân tệ = 10000000 CNY
500 triệu yên Nhật | 500 triệu yên Nhật = 500000000 JPY
2 triệu bảng Anh | 2 triệu bảng Anh = 2000000 GBP
1,5 tỷ đồng, tương đương 65 triệu USD | 1,5 tỷ đồng = 1500000000 VND ; 65 triệu USD = 65000000 USD
tong thu dat 124.854 ty dong | 124.854 ty dong = 124854000000000 VND
# money, English
spent VND 608.5 billion | VND 608.5 billion = 608500000000 VND
spent VND608.5bn | VND608.5bn = 608500000000 VND
worth US$1.37 bn | US$1.37 bn = 1370000000 USD
a grant of $5m | $5m = 5000000 USD
a grant of $ 5 million | $ 5 million = 5000000 USD
€3 million and £2.5bn | €3 million = 3000000 EUR ; £2.5bn = 2500000000 GBP
Rs 3.2 lakh crore | Rs 3.2 lakh crore = 3200000000000 INR
Rs. 500 crore | Rs. 500 crore = 5000000000 INR
₹5 crore | ₹5 crore = 50000000 INR
12 lakh rupees | 12 lakh rupees = 1200000 INR
¥100 million | ¥100 million = 100000000 JPY
¥100 million yuan | ¥100 million yuan = 100000000 CNY
RMB 20 million | RMB 20 million = 20000000 CNY
A$3.5 million | A$3.5 million = 3500000 AUD
NZ$9,420 million | NZ$9,420 million = 9420000000 NZD
4,5 triệu đô la New Zealand | 4,5 triệu đô la New Zealand = 4500000 NZD
RM5.2 million | RM5.2 million = 5200000 MYR
Rp2 trillion | Rp2 trillion = 2000000000000 IDR
NT$30 million | NT$30 million = 30000000 TWD
R$7 million | R$7 million = 7000000 BRL
₱3.2 billion | ₱3.2 billion = 3200000000 PHP
12 triệu kíp | 12 triệu kíp = 12000000 LAK
AED 40 million | AED 40 million = 40000000 AED
114 nhà thuốc, 492 nhà hàng | 114 nhà thuốc = 114 pharmacy ; 492 nhà hàng = 492 restaurant
S$40,000 | S$40,000 = 40000 SGD
₩2 trillion | ₩2 trillion = 2000000000000 KRW
300 million baht | 300 million baht = 300000000 THB
608.5 billion đồng | 608.5 billion đồng = 608500000000 VND
20 million dong | 20 million dong = 20000000 VND
VND 3,000 billion | VND 3,000 billion = 3000000000000 VND
3,000 billion VND | 3,000 billion VND = 3000000000000 VND
USD 2.25 million | USD 2.25 million = 2250000 USD
paid 100$ | 100$ = 100 USD
50k USD | 50k USD = 50000 USD
a loss of -$5 million | -$5 million = -5000000 USD
1.5 trillion pounds | 1.5 trillion pounds = 1500000000000 GBP
electricity at 33.8p per kilowatt hour this winter | 33.8p per kilowatt hour = 0.338 GBP/kWh
It costs 50 pence a day | 50 pence a day = 0.5 GBP/day
pay rose 3.1%, from $25.60 to $26.40 | 3.1% = 3.1 % ; $25.60 = 25.6 USD ; $26.40 = 26.4 USD
# percentages and points
tăng 5,91% | 5,91% = 5.91 %
rose 5.91 per cent | 5.91 per cent = 5.91 %
rose 5.91 percent | 5.91 percent = 5.91 %
tăng 5.91 phần trăm | 5.91 phần trăm = 5.91 %
giảm 0,5 điểm phần trăm | 0,5 điểm phần trăm = 0.5 pp
up 0.5 percentage points | 0.5 percentage points = 0.5 pp
tăng 2 điểm % | 2 điểm % = 2 pp
tăng 100 % | 100 % = 100 %
tăng -2,5% | -2,5% = -2.5 %
tăng âm 2,5% | âm 2,5% = -2.5 %
growth of minus 3.5 percent | minus 3.5 percent = -3.5 %
giảm 2,5% | 2,5% = 2.5 %
lãi suất 8%/năm | 8%/năm = 8 %/year
6.5% per annum | 6.5% per annum = 6.5 %/year
3 phần nghìn | 3 phần nghìn = 3 ‰
a share of .5% | .5% = 0.5 %
# ranges
tăng 1,02-1,07% | 1,02-1,07% = 1.02..1.07 %
đạt 5% - 7% | 5% - 7% = 5..7 %
đạt 5%-7% | 5%-7% = 5..7 %
từ 3 đến 5 tỷ đồng | từ 3 đến 5 tỷ đồng = 3000000000..5000000000 VND
từ 500 nghìn đến 1 triệu đồng | từ 500 nghìn đến 1 triệu đồng = 500000..1000000 VND
between 3 and 5 billion | between 3 and 5 billion = 3000000000..5000000000 -
a road of 10–12 km | 10–12 km = 10..12 km
5 to 7 percent | 5 to 7 percent = 5..7 %
cost R11.84 billion | R11.84 billion = 11840000000 ZAR
R12.50 per litre | R12.50 per litre = 12.5 ZAR/litre
road R12, ratio R1.5 |
$3-5 billion | $3-5 billion = 3000000000..5000000000 USD
$3 billion to $5 billion | $3 billion to $5 billion = 3000000000..5000000000 USD
VND 3-5 billion | VND 3-5 billion = 3000000000..5000000000 VND
1.200-1.500 tỷ đồng | 1.200-1.500 tỷ đồng = 1200000000000..1500000000000 VND
gấp 2-3 lần | gấp 2-3 lần = 2..3 times
cao gấp 1,5 đến 2 lần | gấp 1,5 đến 2 lần = 1.5..2 times
từ 12 đến 17 tuổi | từ 12 đến 17 tuổi = 12..17 year old
two to three million doses | two to three million doses = 2000000..3000000 dose
lãi suất 4,8%-6,5%/năm | 4,8%-6,5%/năm = 4.8..6.5 %/year
VND 15-20 trillion per year | VND 15-20 trillion per year = 15000000000000..20000000000000 VND/year
rose from 3% to 5% | 3% = 3 % ; 5% = 5 %
went from £4 to £5, and those from £6 to £7 | £4 = 4 GBP ; £5 = 5 GBP ; £6 = 6 GBP ; £7 = 7 GBP
15 nghìn suất học bổng | 15 nghìn suất học bổng = 15000 scholarship
revised from 1,200 to 1,300 people | 1,200 = 1200 - ; 1,300 people = 1300 person
was extended from 30 to 45 days | 30 = 30 - ; 45 days = 45 day
rose by 180 MW to 2,455 MW | 180 MW = 180 MW ; 2,455 MW = 2455 MW
lifts capacity from 3,910 to 5,840 beds | 3,910 = 3910 - ; 5,840 beds = 5840 bed
grew by 5% to 10% | 5% to 10% = 5..10 %
cut fees by $3 to $5 million | $3 to $5 million = 3000000..5000000 USD
takes from 3 to 5 working days | from 3 to 5 working days = 3..5 working day
tăng từ 3% lên 5% | 3% = 3 % ; 5% = 5 %
từ 10 xuống 5 vụ | 10 = 10 - ; 5 vụ = 5 incident
# counts
hơn 515 nghìn người | 515 nghìn người = 515000 person
gần 97 nghìn lao động | 97 nghìn lao động = 97000 worker
là 13.125 đơn vị | 13.125 đơn vị = 13125 unit
2.500.000 liều vắc xin | 2.500.000 liều = 2500000 dose
171 dự án mới | 171 dự án = 171 project
1.561 tổ chức | 1.561 tổ chức = 1561 organisation
trên 200 tổ chức | 200 tổ chức = 200 organisation
02 nghị quyết | 02 nghị quyết = 2 resolution
3 Chỉ thị, 10 công điện | 3 Chỉ thị = 3 directive ; 10 công điện = 10 dispatch
16 chùm ca bệnh | 16 chùm ca bệnh = 16 cluster
43 cụm công nghiệp | 43 cụm công nghiệp = 43 industrial cluster
04 quận nội đô | 04 quận = 4 district
579 xã, phường, thị trấn | 579 xã, phường, thị trấn = 579 commune
63 tỉnh, thành phố | 63 tỉnh, thành phố = 63 province
2 vạn người | 2 vạn người = 20000 person
2 vạn 5 nghìn người | 2 vạn 5 nghìn người = 25000 person
12 ca tử vong | 12 ca tử vong = 12 death
45 ca mắc | 45 ca mắc = 45 case
5 vụ cháy, 2 vụ việc | 5 vụ cháy = 5 fire ; 2 vụ việc = 2 incident
101.000 thí sinh | 101.000 thí sinh = 101000 candidate
30.000 lượt khách | 30.000 lượt khách = 30000 visitor
18 bác sĩ và 40 điều dưỡng | 18 bác sĩ = 18 doctor ; 40 điều dưỡng = 40 nurse
200 giường bệnh | 200 giường bệnh = 200 bed
3 nhà máy, 2 nhà văn hóa | 3 nhà máy = 3 factory ; 2 nhà văn hóa = 2 cultural house
6 tổ dân phố | 6 tổ dân phố = 6 neighbourhood
3 bộ trưởng | 3 bộ trưởng = 3 minister
5 đồng chí | 5 đồng chí = 5 person
0 ca | 0 ca = 0 case
4 lần sóng dịch | 4 lần = 4 occurrence
8 xưởng | 8 = 8 -
515,000 people | 515,000 people = 515000 person
13,125 enterprises | 13,125 enterprises = 13125 enterprise
2.5 million doses | 2.5 million doses = 2500000 dose
171 new projects | 171 new projects = 171 project
1,234 foreign firms | 1,234 foreign firms = 1234 enterprise
16 clusters | 16 clusters = 16 cluster
50 hospital beds | 50 hospital beds = 50 bed
3 fire engines | 3 = 3 -
a 100-bed hospital | 100-bed = 100 bed
1 project | 1 project = 1 project
8 widgets | 8 = 8 -
13.125 doanh nghiep | 13.125 doanh nghiep = 13125 enterprise
1.234.567 người | 1.234.567 người = 1234567 person
1,234,567 people | 1,234,567 people = 1234567 person
1,23,456 people | 1,23,456 people = 123456 person
１２３ người | １２３ người = 123 person
12 500 people | 12 500 people = 12500 person
1\u00a0234\u00a0567 người | 1\u00a0234\u00a0567 người = 1234567 person
1\u202f234\u202f567 | 1\u202f234\u202f567 = 1234567 -
12 500 | 12 = 12 - ; 500 = 500 -
# measures and rates
35 ha | 35 ha = 35 ha
1,5 triệu m2 | 1,5 triệu m2 = 1500000 m²
12 km² | 12 km² = 12 km²
500 m3 nước | 500 m3 = 500 m³
100 MW | 100 MW = 100 MW
3,5 tỷ kWh | 3,5 tỷ kWh = 3500000000 kWh
38°C | 38°C = 38 °C
20 tấn gạo, 300 kg | 20 tấn = 20 tonne ; 300 kg = 300 kg
1,500 tonnes of rice | 1,500 tonnes = 1500 tonne
a 10-km road | 10-km = 10 km
trong 24 giờ | 24 giờ = 24 hour
24h qua | 24h = 24 hour
11 ngày liên tục | 11 ngày = 11 day
6 tháng qua | 6 tháng = 6 month
kế hoạch 5 năm | 5 năm = 5 year
a 5-year plan | 5-year = 5 year
18 tuổi | 18 tuổi = 18 year old
18 years old | 18 years old = 18 year old
6 tháng tuổi | 6 tháng tuổi = 6 month old
4000 tấn/ngày | 4000 tấn/ngày = 4000 tonne/day
1500 tons per day | 1500 tons per day = 1500 tonne/day
5 tấn mỗi năm | 5 tấn mỗi năm = 5 tonne/year
5 cases a day | 5 cases a day = 5 case/day
60 km/h | 60 km/h = 60 km/hour
5 triệu đồng/người/tháng | 5 triệu đồng/người/tháng = 5000000 VND/person/month
VND 5 million per person per month | VND 5 million per person per month = 5000000 VND/person/month
USD 3,700 per capita | USD 3,700 per capita = 3700 USD/person
15 triệu đồng/m2 | 15 triệu đồng/m2 = 15000000 VND/m²
2.000 đồng/kWh | 2.000 đồng/kWh = 2000 VND/kWh
12 xã/phường | 12 xã = 12 commune
# multiples and ratios
gấp 2,65 lần so với cùng kỳ | gấp 2,65 lần = 2.65 times
cao 2.65 times the figure | 2.65 times = 2.65 times
gấp đôi năm trước | gấp đôi = 2 times
tăng gấp ba lần | gấp ba lần = 3 times
a threefold rise | threefold = 3 times
a 2.5-fold rise | 2.5-fold = 2.5 times
twice the figure | twice = 2 times
double the figure | double = 2 times
giảm 2 lần so với năm trước | 2 lần = 2 times
3 times a day | 3 times a day = 3 occurrence/day
ban hành 8/10 Chương trình | 8/10 = 0.8 ratio
30/30 quận, huyện | 30/30 = 1 ratio
8 out of 10 households | 8 out of 10 = 0.8 ratio
nearly two-thirds of them | two-thirds = 0.6666666666666666666666666667 ratio
ba phần tư số hộ | ba phần tư = 0.75 ratio
nhiều gấp 3 | gấp 3 = 3 times
vượt 1,5 lần kế hoạch | 1,5 lần = 1.5 times
tập huấn 1.200 lần | 1.200 lần = 1200 occurrence
# spelled out
ba tỷ đồng | ba tỷ đồng = 3000000000 VND
hai triệu | hai triệu = 2000000 -
five million dollars | five million dollars = 5000000 USD
twenty-three | twenty-three = 23 -
một trăm linh năm | một trăm linh năm = 105 -
hai nghìn năm trăm tỷ đồng | hai nghìn năm trăm tỷ đồng = 2500000000000 VND
hai mươi lăm nghìn người | hai mươi lăm nghìn người = 25000 person
mười lăm tấn | mười lăm tấn = 15 tonne
mười năm | mười năm = 10 year
hai mươi năm | hai mươi năm = 20 year
năm mươi phần trăm | năm mươi phần trăm = 50 %
một trăm phần trăm | một trăm phần trăm = 100 %
một tỷ hai trăm triệu đồng | một tỷ hai trăm triệu đồng = 1200000000 VND
nửa triệu đồng | nửa triệu đồng = 500000 VND
một ngàn đồng | một ngàn đồng = 1000 VND
hai dự án và ba bệnh viện | hai dự án = 2 project ; ba bệnh viện = 3 hospital
có năm người | năm người = 5 person
one hundred and five people | one hundred and five people = 105 person
two hundred thousand | two hundred thousand = 200000 -
two and a half million dollars | two and a half million dollars = 2500000 USD
half a million | half a million = 500000 -
a hundred workers | a hundred workers = 100 worker
three dozen | three dozen = 36 -
seven schools | seven schools = 7 school
một, hai và ba |
one or two |
một doanh nghiệp nhà nước |
một số doanh nghiệp |
hàng nghìn người, vài trăm tỷ, hàng chục hộ |
dozens of people, millions of dollars |
trong năm dự án được triển khai |
# dates
chi cho đê điều 84,2 tỷ đồng | 84,2 tỷ đồng = 84200000000 VND
xuất khẩu hạt điều 1,2 tỷ USD | 1,2 tỷ USD = 1200000000 USD
theo Điều 12 Luật Đất đai |
applications close on 31 August. | 31 August = 831 date
sent on 5 Sept. 2021. | 5 Sept. 2021 = 20210905 date
ngày 24/6/2021 | 24/6/2021 = 20210624 date
24-6-2021 và 24.6.2021 | 24-6-2021 = 20210624 date ; 24.6.2021 = 20210624 date
ngày 24 tháng 6 năm 2021 | ngày 24 tháng 6 năm 2021 = 20210624 date
on 24 June 2021 | 24 June 2021 = 20210624 date
June 24, 2021 | June 24, 2021 = 20210624 date
on the 24th of June 2021 | 24th of June 2021 = 20210624 date
2021-06-24 | 2021-06-24 = 20210624 date
12/25/2021 | 12/25/2021 = 20211225 date
ngày 5/6 | 5/6 = 605 date
hôm nay (5/6) | 5/6 = 605 date
họp 24/6 | 24/6 = 624 date
July 5 | July 5 = 705 date
ngày 6-8/7/2021 | 6-8/7/2021 = 20210706..20210708 date
từ ngày 1/6 đến 15/6/2021 | từ ngày 1/6 đến 15/6/2021 = 20210601..20210615 date
từ 1/6 đến 30/6 | từ 1/6 đến 30/6 = 601..630 date
15/6 - 20/7/2021 | 15/6 - 20/7/2021 = 20210615..20210720 date
6–8 July 2021 | 6–8 July 2021 = 20210706..20210708 date
July 6-8, 2021 | July 6-8, 2021 = 20210706..20210708 date
between 6 and 8 July 2021 | between 6 and 8 July 2021 = 20210706..20210708 date
28 December 2020 – 3 January 2021 | 28 December 2020 – 3 January 2021 = 20201228..20210103 date
15/6 và 30/6/2021 | 15/6 = 615 date ; 30/6/2021 = 20210630 date
31/2/2021 |
# periods
8/2021 | 8/2021 = 20210801..20210831 period
tháng 6/2021 | tháng 6/2021 = 20210601..20210630 period
tháng 6 năm 2021 | tháng 6 năm 2021 = 20210601..20210630 period
tháng 6 tăng | tháng 6 = 601..630 period
tháng tư năm 2021 | tháng tư năm 2021 = 20210401..20210430 period
June 2021 | June 2021 = 20210601..20210630 period
in June | June = 601..630 period
năm 2017-18 | năm 2017-18 = 20170101..20181231 period
từ tháng 1 đến tháng 5/2021 | từ tháng 1 đến tháng 5/2021 = 20210101..20210531 period
January to June 2021 | January to June 2021 = 20210101..20210630 period
during January-September | January-September = 101..930 period
from January through June | from January through June = 101..630 period
June exports rose over May | June = 601..630 period ; May = 501..531 period
March's rate may rise | March = 301..331 period
Theresa May's government built 300 homes | 300 homes = 300 house
tháng 1-9 tăng | tháng 1-9 = 101..930 period
9M2021 | 9M2021 = 20210101..20210930 period
quý II và quý III/2021 | quý II = 401..630 period ; quý III/2021 = 20210701..20210930 period
quý 1 năm 2021 | quý 1 năm 2021 = 20210101..20210331 period
Q2 2021 | Q2 2021 = 20210401..20210630 period
2Q2021 | 2Q2021 = 20210401..20210630 period
second quarter of 2021 | second quarter of 2021 = 20210401..20210630 period
6 tháng đầu năm 2021 | 6 tháng đầu năm 2021 = 20210101..20210630 period
sáu tháng đầu năm | sáu tháng đầu năm = 101..630 period
6 tháng cuối năm | 6 tháng cuối năm = 701..1231 period
9 tháng năm 2021 | 9 tháng năm 2021 = 20210101..20210930 period
first six months of 2021 | first six months of 2021 = 20210101..20210630 period
H1 2021 | H1 2021 = 20210101..20210630 period
the second half of 2021 | second half of 2021 = 20210701..20211231 period
nửa đầu năm 2021 | nửa đầu năm 2021 = 20210101..20210630 period
in the last six months | six months = 6 month
năm 2021 | năm 2021 = 20210101..20211231 period
in 2021 | 2021 = 20210101..20211231 period
02 năm 2019 | 02 năm = 2 year ; 2019 = 20190101..20191231 period
2020, tăng | 2020 = 20200101..20201231 period
kế hoạch 5 năm 2021-2025 | 5 năm = 5 year ; 2021-2025 = 20210101..20251231 period
năm học 2021-2022 | năm học 2021-2022 = 20210101..20221231 period
nhiệm kỳ 2021-2026 | nhiệm kỳ 2021-2026 = 20210101..20261231 period
giai đoạn 2021 - 2025 | giai đoạn 2021 - 2025 = 20210101..20251231 period
từ năm 2021 đến năm 2025 | từ năm 2021 đến năm 2025 = 20210101..20251231 period
2020/21 | 2020/21 = 20200101..20211231 period
FY2021 | FY2021 = 20210101..20211231 period
2021 người | 2021 người = 2021 person
mỗi tháng 5 triệu đồng | 5 triệu đồng = 5000000 VND
you may 20 times |  20 times = 20 times
a 2021 decree | 2021 = 20210101..20211231 period
2021 pupils | 2021 pupils = 2021 student
# labels
Nghị quyết số 97 của Quốc hội |
số 50/NQ-CP ngày 20/5/2021 | 20/5/2021 = 20210520 date
Số: 04 /TC-UBND, 04/TC-UBND, 15/2020/NĐ-CP |
Nghị quyết 68/NQ-CP, Chỉ thị 16, Thông tư 01/2021/TT-BTC |
Quyết định số 97 ngày 20/5/2021 | 20/5/2021 = 20210520 date
Đại hội XIII, khóa XV, Kỳ họp thứ Hai, lần thứ XIII, lần thứ 13 |
thi vào lớp 10, thứ 5, thứ ba tháng này |
Covid-19, 5K, F0, SARS-CoV-2, B.1.1.7, H5N1, A320, 4G |
Resolution No. 97, 13th Congress, 21st century, Article 5, Section 2.1 |
Điều 5, khoản 2, điểm 3, Phụ lục 1, Quốc lộ 1A, quốc lộ 5 |
Quận 1 và quận 10 |
giai đoạn 2 của dự án, đợt 3, nhóm 5 |
Liên hệ 024.3825.6789, 0912345678, (024) 3825 3536, hotline 1900 1234 |
tin2021@hanoi.gov.vn, https://hanoi.gov.vn/2021/05, www.24h.com.vn/5, hanoi24.vn/12 |
lúc 8h30, từ 18h ngày mai, 8:30 am, 17 giờ ngày kia, 8 giờ 30 phút |
Fax: (84-24) 38253536, Release ID: 1781723 |
đợt 2 năm 2021 | năm 2021 = 20210101..20211231 period
phục vụ 24/7 |
mở cửa 24/24 |
theo [1] và [2, 3] |
in the 2020s |
đường ra 1.2.3.4 |
1- Quyết tâm\\n2. Tăng tốc\\n3) Giữ vững\\n1.1. Mục tiêu\\n(4) Khác |
1. 5 dự án\\n- 7 dự án\\n-9 dự án | 5 dự án = 5 project ; 7 dự án = 7 project ; 9 dự án = 9 project
tổng số 40 sở | 40 sở = 40 department
con số 5 triệu | 5 triệu = 5000000 -
cấp 200 giấy phép cho nhóm 5 nước | 200 giấy phép = 200 licence ; 5 nước = 5 country
khoản 2,5 tỷ đồng | 2,5 tỷ đồng = 2500000000 VND
giải quyết 5 vụ việc, đầu tư 6 dự án | 5 vụ việc = 5 incident ; 6 dự án = 6 project
đạt điểm 8,5 | 8,5 = 8.5 -
quận Hai Bà Trưng, Ba Đình |
tỷ lệ 5 tỷ trọng | 5 = 5 -
"""


def cases() -> list[tuple[str, list[str]]]:
    rows = []
    for line in CASES.strip().splitlines():
        if not line.startswith("#"):
            text, _, expected = line.partition("|")
            text = text.removesuffix(" ").replace("\\n", "\n")
            rows.append((text, [part.strip() for part in expected.split(" ; ") if part.strip()]))
    return rows


@pytest.mark.parametrize(("text", "expected"), cases())
def test_reads_what_is_printed(text: str, expected: list[str]) -> None:
    assert [shown(figure) for figure in find(text)] == expected


def test_the_table_is_large_enough() -> None:
    assert len(cases()) >= 200


@pytest.mark.parametrize(
    ("text", "language", "value"),
    [
        ("1.561", "vi", "1561"),
        ("1.561", "en", "1.561"),
        ("1,561", "vi", "1.561"),
        ("1,561", "en", "1561"),
        ("1.561", None, "1561"),
        ("608,5", "vi", "608.5"),
        ("608,5", "en", "608.5"),
        ("608.5", "vi", "608.5"),
        ("0,125", "en", "0.125"),
        ("1234,567", "en", "1234.567"),
        ("97.000", "en", "97000"),
        ("1.234.567", "en", "1234567"),
        ("1.234,5", "en", "1234.5"),
        ("1,234.5", "vi", "1234.5"),
        ("1.561 tỷ", "en", "1561000000000"),
        ("1.561 billion", "vi", "1561000000"),
        ("13,125 doanh nghiệp", "vi", "13125"),
        ("13.125 enterprises", "en", "13125"),
        ("50.000 VND", "en", "50000"),
    ],
)
def test_language_decides_only_what_is_ambiguous(
    text: str, language: Language | None, value: str
) -> None:
    (figure,) = find(text, language=language)
    assert figure.value == Decimal(value)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("The index rose to 1.561 in the first days of the month, up 0.4% on the year", "1.561"),
        ("Chỉ số đạt 1.561 vào đầu tháng, tăng 0,4% so với cùng kỳ", "1561"),
        ("The index rose to 1,561 in the first days of the month", "1561"),
        ("Hệ số của các đơn vị được giữ ở mức 1,561 so với trước", "1.561"),
    ],
)
def test_guesses_the_separators_from_the_text_around(text: str, value: str) -> None:
    assert find(text)[0].value == Decimal(value)


@pytest.mark.parametrize(
    ("text", "hedged"),
    [
        ("hơn 515 nghìn người", True),
        ("gần 97 nghìn lao động", True),
        ("khoảng 5 tỷ đồng", True),
        ("ước đạt 5,91%", True),
        ("ước tăng 1,02-1,07%", True),
        ("trên 200 tổ chức", True),
        ("(trên 7,5%)", True),
        ("dưới 5%", True),
        ("xấp xỉ 3 tỷ USD", True),
        ("gấp hơn 2 lần", True),
        ("5 tỷ đồng trở lên", True),
        ("about 5,000 people", True),
        ("more than 3 million", True),
        ("nearly $2bn", True),
        ("almost VND 3 billion", True),
        ("some 400 firms", True),
        ("approximately 20 km", True),
        ("around 40%", True),
        ("over 40%", True),
        ("trên địa bàn 5 xã", False),
        ("cao hơn 2 điểm phần trăm", False),
        ("nhiều hơn 20 dự án", False),
        ("tăng 5%", False),
        ("awesome 400 firms", False),
        ("over three years", False),
    ],
)
def test_hedges(text: str, hedged: bool) -> None:
    (figure,) = find(text)
    assert figure.approximate is hedged
    assert not figure.text.startswith(("hơn", "about", "trên", "ước"))


# --- the real release, read by eye -----------------------------------------------------------

_6M = "20210101..20210630 period"
_6M_BARE = "101..630 period"
_2019 = "năm 2019 = 20190101..20191231 period"
_2020 = "năm 2020 = 20200101..20201231 period"
_2021 = "năm 2021 = 20210101..20211231 period"
_JUNE = "tháng 6 = 601..630 period"
_MAY = "tháng 5 = 501..531 period"
_TERM = "nhiệm kỳ 2021-2026 = 20210101..20261231 period"
_SCHOOL = "năm học 2021-2022 = 20210101..20221231 period"
_FIRST = f"6 tháng đầu năm = {_6M_BARE}"
_FIRST_2021 = f"6 tháng đầu năm 2021 = {_6M}"
_LAST_2021 = "6 tháng cuối năm 2021 = 20210701..20211231 period"
_SIX = "6 tháng = 6 month"


def _percent(*printed: str) -> list[str]:
    return [f"{text} = {text.rstrip('%').replace(',', '.')} %" for text in printed]


SECTIONS: dict[str, list[str]] = {
    "opening": [
        "ngày 24 tháng 6 năm 2021 = 20210624 date",
        "quý II = 401..630 period",
        _FIRST_2021,
        "24/6/2021 = 20210624 date",
        "quý II = 401..630 period",
        _FIRST,
        _LAST_2021,
        "40 sở = 40 department",
        "30 UBND = 30 people's committee",
        "4 nội dung = 4 item",
    ],
    "I- Kết quả": [
        _FIRST_2021,
        "8/10 = 0.8 ratio",
        _TERM,
        "02 nghị quyết = 2 resolution",
        _2021,
        "tháng 8/2021 = 20210801..20210831 period",
        _TERM,
        _SCHOOL,
        "3 Chỉ thị = 3 directive",
        "10 công điện = 10 dispatch",
        "16 chùm ca bệnh = 16 cluster",
        "3 = 3 -",
        "3 = 3 -",
        "4 = 4 -",
        "11 ngày = 11 day",
        "19/6/2021 = 20210619 date",
        "1.561 tổ chức = 1561 organisation",
        "200 tổ chức = 200 organisation",
        "290 tỷ đồng = 290000000000 VND",
        "1.730 tỷ đồng = 1730000000000 VND",
        "2.500.000 liều = 2500000 dose",
        _FIRST_2021,
        _2020,
        _2020,
        "2019 = 20190101..20191231 period",
        _SIX,
        "02 năm = 2 year",
        "2019 = 20190101..20191231 period",
        "2020 = 20200101..20201231 period",
        _2019,
        _JUNE,
        _FIRST,
        # Tổng sản phẩm
        _SIX,
        *_percent("5,91%"),
        _2020,
        *_percent("2,92%"),
        _2019,
        *_percent("7,12%", "5,74%"),
        "gấp 2,65 lần = 2.65 times",
        *_percent("7,74%"),
        "gấp 1,4 lần = 1.4 times",
        *_percent("5,46%", "3,09%"),
        "gấp 1,25 lần = 1.25 times",
        *_percent("2,47%"),
        # Chỉ số sản xuất công nghiệp
        _JUNE,
        *_percent("1,9%"),
        _MAY,
        *_percent("5,5%"),
        _2020,
        _FIRST,
        *_percent("8,7%"),
        _2020,
        *_percent("3,3%"),
        _2019,
        *_percent("7,29%"),
        # Kim ngạch xuất khẩu
        _JUNE,
        "1,37 tỷ USD = 1370000000 USD",
        *_percent("19,1%"),
        _MAY,
        *_percent("2,5%"),
        _2020,
        _FIRST,
        "7,16 tỷ USD = 7160000000 USD",
        *_percent("4,5%"),
        _2020,
        *_percent("5,3%"),
        # Kim ngạch nhập khẩu
        _JUNE,
        "3 tỷ USD = 3000000000 USD",
        *_percent("2,2%"),
        _MAY,
        *_percent("21,2%"),
        _FIRST,
        "16,67 tỷ USD = 16670000000 USD",
        *_percent("21,1%"),
        "2020 = 20200101..20201231 period",
        *_percent("8,9%"),
        _2019,
        *_percent("4,6%"),
        # Tổng mức bán lẻ
        _JUNE,
        "46,4 nghìn tỷ đồng = 46400000000000 VND",
        _MAY,
        *_percent("9%"),
        _FIRST,
        "289,6 nghìn tỷ đồng = 289600000000000 VND",
        *_percent("7,2%"),
        _2020,
        *_percent("0,6%"),
        _2019,
        *_percent("10,9%"),
        _SIX,
        "1,02-1,07% = 1.02..1.07 %",
        _2020,
        *_percent("3,68%"),
        _2019,
        *_percent("4,07%"),
        # Tổng thu NSNN
        "124.854 tỷ đồng = 124854000000000 VND",
        *_percent("53%", "49,7%", "107,1%"),
        "11.390 tỷ đồng = 11390000000000 VND",
        _FIRST,
        "136.244 tỷ đồng = 136244000000000 VND",
        *_percent("57,8%", "54,2%", "106,4%"),
        "31.619 tỷ đồng = 31619000000000 VND",
        *_percent("29,1%", "99,2%"),
        # Nông nghiệp, doanh nghiệp, an sinh, quy hoạch
        *_percent("3,09%"),
        _2020,
        *_percent("1,61%"),
        _2019,
        *_percent("1,15%"),
        _FIRST,
        "13.125 đơn vị = 13125 unit",
        *_percent("4%", "74%", "15%", "33%"),
        "694,26 triệu USD = 694260000 USD",
        "171 dự án = 171 project",
        "78 dự án = 78 project",
        "7.105 tỷ đồng = 7105000000000 VND",
        "10 dự án = 10 project",
        "38 dự án = 38 project",
        _FIRST,
        "97 nghìn lao động = 97000 worker",
        *_percent("60,5%", "20,1%"),
        _2020,
        "608,5 tỷ đồng = 608500000000 VND",
        "515 nghìn người = 515000 person",
        "04 quận = 4 district",
        _TERM,
        _SCHOOL,
    ],
    "II- Nhiệm vụ": [
        "quý III = 701..930 period",
        _LAST_2021,
        "6 tháng cuối năm = 701..1231 period",
        _2021,
        _2021,
        "4 lần = 4 occurrence",
    ],
    "1- Quyết tâm": [
        "6-8/7/2021 = 20210706..20210708 date",
        "3 = 3 -",
        "4 = 4 -",
        "24 giờ = 24 hour",
        _2021,
        "6-8/7/2021 = 20210706..20210708 date",
        "101.000 = 101000 -",
    ],
    "2- Tăng tốc": [
        _2021,
        *_percent("7,5%"),
        _SIX,
        _SIX,
        "quý I = 101..331 period",
        *_percent("7,97%"),
        "quý II = 401..630 period",
        *_percent("8,15%"),
        _2021,
        *_percent("100%"),
        "quý III = 701..930 period",
        *_percent("60%"),
        _2021,
        _2021,
        "43 cụm công nghiệp = 43 industrial cluster",
        _2021,
    ],
    "3- Một số nhiệm vụ": [
        "20/5/2021 = 20210520 date",
        "10 Chương trình = 10 programme",
        _2021,
        "4 cấp = 4 level",
        _2021,
        _2021,
        "4000 tấn/ngày = 4000 tonne/day",
        "1500 tấn/ngày = 1500 tonne/day",
        _2021,
        _SCHOOL,
        _2021,
        _2021,
    ],
}
HEDGED = {
    "200 tổ chức",
    "1.730 tỷ đồng",
    "5,91%",
    "1,37 tỷ USD",
    "3 tỷ USD",
    "46,4 nghìn tỷ đồng",
    "1,02-1,07%",
    "124.854 tỷ đồng",
    "31.619 tỷ đồng",
    "3,09%",
    "97 nghìn lao động",
    "515 nghìn người",
    "101.000",
    "7,5%",
}


def release_text() -> str:
    """The release without its Markdown marks and with the broken line joined."""
    return RELEASE.read_text(encoding="utf-8").replace("*", "").replace("quý\n\nII", "quý II")


@pytest.mark.parametrize("section", SECTIONS)
def test_reads_every_figure_of_a_release(section: str) -> None:
    text = release_text()
    starts = [0, *(text.index("\n" + name) for name in list(SECTIONS)[1:]), len(text)]
    at = list(SECTIONS).index(section)
    part = text[starts[at] : starts[at + 1]]
    assert [shown(figure) for figure in find(part)] == SECTIONS[section]


def test_reads_a_release_as_a_whole_as_by_section() -> None:
    figures = find(release_text(), language="vi")
    expected = [line for lines in SECTIONS.values() for line in lines]
    assert [shown(figure) for figure in figures] == expected
    assert {figure.text for figure in figures if figure.approximate} == HEDGED


# --- writing ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("printed", "vi", "en"),
    [
        ("608,5 tỷ đồng", "608,5 tỷ đồng", "VND 608.5 billion"),
        ("694,26 triệu USD", "694,26 triệu USD", "USD 694.26 million"),
        ("124.854 tỷ đồng", "124.854 tỷ đồng", "VND 124.854 trillion"),
        ("46,4 nghìn tỷ đồng", "46.400 tỷ đồng", "VND 46.4 trillion"),
        ("1.234.567 đồng", "1.234.567 đồng", "VND 1,234,567"),
        ("500 nghìn đồng", "500 nghìn đồng", "VND 500,000"),
        ("-$5 million", "-5 triệu USD", "-USD 5 million"),
        ("515 nghìn người", "515 nghìn người", "515,000 people"),
        ("13.125 doanh nghiệp", "13.125 doanh nghiệp", "13,125 enterprises"),
        ("2.500.000 liều", "2,5 triệu liều", "2.5 million doses"),
        ("1 project", "1 dự án", "1 project"),
        ("16 clusters", "16 chùm ca bệnh", "16 clusters"),
        ("5,91%", "5,91%", "5.91%"),
        ("-2,5%", "-2,5%", "-2.5%"),
        ("0,5 điểm phần trăm", "0,5 điểm phần trăm", "0.5 percentage points"),
        ("4000 tấn/ngày", "4.000 tấn/ngày", "4,000 tonnes/day"),
        ("5 triệu đồng/người/tháng", "5 triệu đồng/người/tháng", "VND 5 million/person/month"),
        ("gấp 2,65 lần", "gấp 2,65 lần", "2.65 times"),
        ("gấp đôi", "gấp 2 lần", "2 times"),
        ("4 lần", "4 lần", "4 occurrences"),
        ("1,02-1,07%", "1,02-1,07%", "1.02–1.07%"),
        ("từ 3 đến 5 tỷ đồng", "3-5 tỷ đồng", "VND 3–5 billion"),
        ("-5 đến -3%", "từ -5 đến -3%", "from -5 to -3%"),
        ("8/10", "8/10", "8/10"),
        ("18 tuổi", "18 tuổi", "18 years old"),
        ("24/6/2021", "24/6/2021", "24 June 2021"),
        ("ngày 5/10", "ngày 5/10", "5 October"),
        ("6-8/7/2021", "6-8/7/2021", "6–8 July 2021"),
        (
            "từ ngày 28/6 đến ngày 3/7/2021",
            "từ ngày 28/6 đến ngày 3/7/2021",
            "28 June – 3 July 2021",
        ),
        ("quý II/2021", "quý II/2021", "second quarter of 2021"),
        ("quý II", "quý II", "second quarter"),
        ("6 tháng đầu năm 2021", "6 tháng đầu năm 2021", "first six months of 2021"),
        ("6 tháng cuối năm", "6 tháng cuối năm", "last six months of the year"),
        ("tháng 6/2021", "tháng 6/2021", "June 2021"),
        ("tháng 6", "tháng 6", "June"),
        ("tháng 2 đến tháng 5/2021", "từ tháng 2 đến tháng 5/2021", "from February to May 2021"),
        ("năm 2021", "năm 2021", "2021"),
        ("nhiệm kỳ 2021-2026", "2021-2026", "2021–2026"),
        ("101.000", "101.000", "101,000"),
        ("2.021", "2.021", "2,021"),
    ],
)
def test_writes_as_a_native_writer_would(printed: str, vi: str, en: str) -> None:
    figure = parse(printed)
    assert figures.format(figure, "vi") == vi
    assert figures.format(figure, "en") == en


@pytest.mark.parametrize(
    "figure",
    [
        Figure("", None, "VND", 0, 0),
        Figure("", None, "VND", 0, 0, Decimal(5), Decimal(3)),
        Figure("", Decimal(5), "parsec", 0, 0),
        Figure("", Decimal(5), "VND/parsec", 0, 0),
        Figure("", Decimal(20210231), "date", 0, 0),
        Figure("", None, "period", 0, 0, Decimal(20210103), Decimal(20210131)),
        Figure("", Decimal(20210101), "period", 0, 0),
        Figure("", Decimal(-1), "ratio", 0, 0),
    ],
)
@pytest.mark.parametrize("language", LANGUAGES)
def test_does_not_write_what_no_reading_gives(figure: Figure, language: Language) -> None:
    with pytest.raises(ValueError):
        figures.format(figure, language)


# --- parsing and comparing -------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["hơn 515 nghìn người", "  about 515,000 people ", "khoảng 515.000 người", "515 nghìn người"],
)
def test_parse_takes_a_hedge_and_blanks(text: str) -> None:
    figure = parse(text)
    assert (figure.value, figure.unit) == (Decimal(515000), "person")
    assert text[figure.start : figure.end] == figure.text


@pytest.mark.parametrize(
    "text",
    ["", " ", "không có", "5 tỷ đồng và 3 tỷ đồng", "chi 5 tỷ đồng", "5 tỷ đồng.", "Covid-19"],
)
def test_parse_refuses_what_is_not_one_figure(text: str) -> None:
    with pytest.raises(ValueError, match="not one figure"):
        parse(text)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ("608,5 tỷ đồng", "VND 608.5 billion", True),
        ("608,5 triệu đồng", "608,5 tỷ đồng", False),
        ("608,5 tỷ đồng", "608.5 billion", False),
        ("608,5 tỷ đồng", "USD 608.5 billion", False),
        ("16 clusters", "16 chùm ca bệnh", True),
        ("16", "16 chùm ca bệnh", True),
        ("13.125 đơn vị", "13,125 enterprises", True),
        ("97 nghìn lao động", "97,000 people", True),
        ("97 nghìn lao động", "97,000 schools", False),
        ("101.000", "101,000 candidates", True),
        ("15 ca tử vong", "15 people", True),
        ("15 ca tử vong", "15 doctors", False),
        ("28 vụ", "28 cases", True),
        ("28 vụ", "28 doctors", False),
        ("1,2 triệu lượt", "1.2 million visitors", True),
        ("12 km", "12", True),
        ("12 km", "12 ha", False),
        ("5%", "5", False),
        ("5%", "5 percentage points", False),
        ("5 lần", "gấp 5 lần", False),
        ("4.000 tấn/ngày", "4,000 tonnes per day", True),
        ("4.000 tấn/ngày", "4,000 tonnes", False),
        ("8/10", "4/5", True),
        ("8/10", "0,8", False),
        ("24/6/2021", "24 June 2021", True),
        ("quý II/2021", "Q2 2021", True),
        ("6 tháng đầu năm 2021", "H1 2021", True),
        ("6 tháng đầu năm 2021", "6 tháng", False),
        ("năm 2021", "2,021 people", False),
        ("1,02-1,07%", "1.02 to 1.07 percent", True),
        ("1,02-1,07%", "1,07%", False),
        ("hơn 515 nghìn người", "515,000 people", True),
    ],
)
def test_same(a: str, b: str, expected: bool) -> None:
    first, second = parse(a), parse(b)
    assert same(first, second) is expected
    assert same(second, first) is expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5 tỷ đồng", "money"),
        ("5%", "percent"),
        ("2 điểm phần trăm", "percent"),
        ("5 người", "count"),
        ("5 km", "measure"),
        ("5 ngày", "measure"),
        ("5 tấn/ngày", "rate"),
        ("5 triệu đồng/người", "rate"),
        ("gấp 5 lần", "multiple"),
        ("8/10", "ratio"),
        ("24/6/2021", "date"),
        ("6-8/7/2021", "date"),
        ("quý II", "period"),
        ("5", "number"),
    ],
)
def test_kind(text: str, expected: str) -> None:
    assert kind(parse(text)) == expected
    assert expected in get_args(figures.Kind)


def test_kind_of_an_unknown_noun_is_count() -> None:
    assert kind(Figure("5 xưởng", Decimal(5), "workshop", 0, 7)) == "count"


# --- what must always hold -------------------------------------------------------------------

_PIECES = st.sampled_from(
    "0 1 5 12 2021 31 1.561 608,5 1,234,567 3/4 24/6 8/2021 - – . , ; / % % $ € VND USD đồng tỷ "
    "triệu nghìn million billion người people tấn/ngày per day ngày tháng năm quý II từ đến "
    "between and to from June July hơn about gấp lần times một hai mươi trăm twenty-three "
    "half a số Điều lớp Covid-19 [1] ( ) 6-8/7/2021 nửa âm x first six months of the "
    "K ſ İ １ \u00a0 \n e\u0301 @ www.a.vn".split(" ")
)
TEXTS = st.one_of(
    st.text(max_size=60),
    st.lists(_PIECES, max_size=14).map(" ".join),
    st.lists(_PIECES, max_size=10).map("".join),
)


@given(TEXTS, st.sampled_from([None, "vi", "en"]), st.integers(0, 1000))
def test_spans_are_exact_and_in_order(text: str, language: Language | None, offset: int) -> None:
    end = offset
    for figure in find(text, language=language, offset=offset):
        assert text[figure.start - offset : figure.end - offset] == figure.text
        assert end <= figure.start < figure.end
        end = figure.end
        if figure.value is None:
            assert figure.low is not None
            assert figure.high is not None
            assert figure.low < figure.high
        else:
            assert figure.low is figure.high is None


@given(TEXTS)
def test_what_is_found_can_be_written_and_read_back(text: str) -> None:
    for figure in find(text):
        for language in LANGUAGES:
            written = figures.format(figure, language)
            assert parse(written, language=language) == figure


_UNIT_NAMES = sorted({unit.name for unit in units.UNITS.values()} | {"times"})
_NUMBERS = st.decimals(
    min_value=0, max_value=10**15, places=3, allow_nan=False, allow_infinity=False
) | st.integers(0, 10**15).map(Decimal)


@given(_NUMBERS, st.sampled_from([None, *_UNIT_NAMES]), st.sampled_from(LANGUAGES))
def test_parse_inverts_format(value: Decimal, unit: str | None, language: Language) -> None:
    if unit == "occurrence":  # a part of an occurrence is a multiple
        value = value.to_integral_value()
    figure = Figure("", value, unit, 0, 0)
    assert parse(figures.format(figure, language), language=language) == figure


@given(
    st.lists(_NUMBERS, min_size=2, max_size=2, unique=True).map(sorted),
    st.sampled_from([None, *_UNIT_NAMES]),
    st.sampled_from(LANGUAGES),
)
@example(bounds=[Decimal(84), Decimal(1_000_000)], unit=None, language="vi")
def test_parse_inverts_format_of_ranges(
    bounds: list[Decimal], unit: str | None, language: Language
) -> None:
    if unit == "occurrence":
        bounds = [bounds[0].to_integral_value(), bounds[1].to_integral_value() + 1]
    figure = Figure("", None, unit, 0, 0, bounds[0], bounds[1])
    assert parse(figures.format(figure, language), language=language) == figure


@given(st.dates(), st.sampled_from(LANGUAGES))
def test_parse_inverts_format_of_dates(day: object, language: Language) -> None:
    value = Decimal(f"{day:%Y%m%d}")
    if value >= 15000101:
        figure = Figure("", value % 10000, "date", 0, 0)
        assert parse(figures.format(figure, language), language=language) == figure
        if value < 22000101:
            figure = Figure("", value, "date", 0, 0)
            assert parse(figures.format(figure, language), language=language) == figure


def test_decomposed_text_is_read_with_its_own_offsets() -> None:
    composed = "hơn 515 nghìn người, chi 608,5 tỷ đồng trong quý II/2021"
    text = unicodedata.normalize("NFD", composed)
    found = find(text)
    assert found == find(composed)
    assert [text[figure.start : figure.end] for figure in found] == [
        unicodedata.normalize("NFD", part)
        for part in ("515 nghìn người", "608,5 tỷ đồng", "quý II/2021")
    ]


def test_a_count_noun_of_each_language_is_read_back() -> None:
    counts = [name for name, group in units.GROUPS.items() if group == "count"]
    assert len(counts) >= 80
    for name in counts:
        names = units.NAMES[name]
        assert find(f"5 {names.vi}")[0].unit == name
        assert find(f"5 {names.plural}")[0].unit == name
        assert find(f"1 {name}")[0].unit == name


@pytest.mark.parametrize(
    "text",
    ["1 " * 2000, "1." * 2000, "một " * 1000, "từ 1 đến " * 450, "a." * 2000 + "@", " " * 4000],
    ids=["numbers", "points", "words", "ranges", "names", "blanks"],
)
def test_time_grows_with_the_length_of_the_text(text: str) -> None:
    def seconds(part: str) -> float:
        times = []
        for _ in range(3):
            before = time.perf_counter()
            find(part)
            times.append(time.perf_counter() - before)
        return min(times)

    assert seconds(text) < 40 * seconds(text[: len(text) // 4]) + 0.05
    assert seconds(text) < 3


def test_no_figure_in_nothing() -> None:
    assert find("") == []
    assert find("Không có con số nào ở đây.") == []
    assert not re.search(r"\d", "".join(f.text for f in find("Hai Bà Trưng")))


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("chín", 9),
        ("Mười một", 11),
        ("eleven", 11),
        ("tháng", None),
        ("chín tháng", None),
        ("", None),
    ],
)
def test_numbers_in_words_alone(text: str, number: int | None) -> None:
    assert figures.spelled(text) == number


def test_no_figure_goes_on_over_the_end_of_a_tables_row() -> None:
    text = "Vĩnh Kha | 214 | 99,83\nThị xã Hải Triều | 126 | 99,61\nHộ nghèo | 5"
    assert [(one.text, one.unit) for one in figures.find(text, language="vi")] == [
        ("214", None), ("99,83", None), ("126", None), ("99,61", None), ("5", None),
    ]  # fmt: skip
    assert figures.find("515 nghìn\nngười", language="vi")[0].unit == "person"
