"""What counts as an entity, what only looks like one, and the promises of the hint."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from processor.fraud import entities
from processor.fraud.detectors import codes, handles, links, money, numbers, wallets
from processor.fraud.detectors.spelling import fold, lower
from processor.fraud.entities import HINT, find_entities

TRON = "TR7NHqjeKQxGTCi8q8ZY4pL8otSzgjLj6t"
GENESIS = "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"
SEGWIT = "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq"
TAPROOT = "bc1p5cyxnuxmeuwuvkwfem96lqzszd02n6xdcjrs20cac6yqjjwudpxqkedrcr"
ETHER = "0xdAC17F958D2ee523a2206206994597C13D831ec7"


def found(text: str, kind: str) -> list[str]:
    return [entity.value for entity in find_entities(text) if entity.kind == kind]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("看 https://Shop8.CN/a?b=1，点开", "shop8.cn"),
        ("http://user@login.bank-of.top:8080/x", "login.bank-of.top"),
        ("http://1.2.3.4:8080/app.apk", "1.2.3.4"),
        ("hxxps://evil[.]example[.]com/a", "evil.example.com"),
        ("Shop8。CN", "shop8.cn"),
        ("打开shop8点com下载", "shop8.com"),
        ("ｓｈｏｐ８．ｃｎ", "shop8.cn"),
        ("shop8(dot)com", "shop8.com"),
        ("go to shop8 dot com now", "shop8.com"),
        ("www.abc.live", "www.abc.live"),
        ("t.me/abc123", "t.me"),
        ("bit.ly/3xY", "bit.ly"),
        ("登录abc.work领取", "abc.work"),
        ("888.cc", "888.cc"),
        ("xn--fiqs8s.xn--fiqs8s", "xn--fiqs8s.xn--fiqs8s"),
        ("例子.中国", "例子.中国"),
        ("京东.com", "京东.com"),
        ("看这个...shop8.cn", "shop8.cn"),
        ("visit shop8.cn.", "shop8.cn"),
        ("visit shop8.cn.Then pay", "shop8.cn"),
    ],
)
def test_a_link_is_found_however_it_is_dotted(text: str, value: str) -> None:
    assert [value] == found(text, "url")


@pytest.mark.parametrize(
    "text",
    [
        "3.5 end.Next time",
        "v1.2.3 和 readme.md main.py app.js report.pdf index.html",
        "i like it.me too",
        "so good.Top up",
        "下午3点vip群见",
        "a.b@example.co.uk",
        "@mail.shop.cn",
        "等一下。OK",
        "e.g. this, i.e. that, U.S. time 10.30",
        "logo.ai",
        "index.com.html",
        "com.tencent.mm",
        "好的。公司见",
    ],
)
def test_file_names_versions_sentences_and_mail_domains_are_no_links(text: str) -> None:
    assert found(text, "url") == []


def test_the_span_of_a_link_is_that_of_the_original_with_its_path_and_without_the_sentence_end() -> None:
    (entity,) = find_entities("请点 https://Shop8。CN/pay?id=1. 谢谢")
    assert (entity.text, entity.start, entity.end) == ("https://Shop8。CN/pay?id=1", 3, 28)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("电话13800138000", "13800138000"),
        ("138-0013-8000", "13800138000"),
        ("138 0013 8000", "13800138000"),
        ("1380 013 8000", "13800138000"),
        ("+86 138 0013 8000", "13800138000"),
        ("(+86)13800138000", "13800138000"),
        ("１３８００１３８０００", "13800138000"),
        ("①③⑧⓪⓪①③⑧⓪⓪⓪", "13800138000"),
        ("𝟏𝟑𝟖𝟎𝟎𝟏𝟑𝟖𝟎𝟎𝟎", "13800138000"),
        ("幺三八零零一三八零零零", "13800138000"),
        ("1三8零零1三8零零零", "13800138000"),
        ("1 3 8 0 0 1 3 8 0 0 0", "13800138000"),
        ("138\u200b0013\u200b8000", "13800138000"),
        ("400-812-3123", "4008123123"),
        ("8008123123", "8008123123"),
        ("010-62345678", "01062345678"),
        ("+1 (415) 555-0123", "+14155550123"),
        ("+852 6123 4567", "+85261234567"),
        ("call 09061701461 now", "09061701461"),
        ("020 7946 0123", "02079460123"),
        ("0871-555-0123", "08715550123"),
        ("(888) 555-0142", "8885550142"),
        ("1-833-555-0199", "18335550199"),
        ("9876543210", "9876543210"),
        ("1300 555 123", "1300555123"),
    ],
)
def test_a_phone_is_found_however_its_digits_are_written(text: str, value: str) -> None:
    assert [value] == found(text, "phone")


@pytest.mark.parametrize(
    "text",
    [
        "213800138000",
        "138001380001",
        "订单号13800138000",
        "单号：13800138000",
        "a13800138000b",
        "3.13800138000",
        "1-13800138000",
        "12800138000",
        "4000000000元",
        "余额+12345678",
        "1700000000000",
        "2024-01-15 10:30:00",
        "1 3 5 7 9 11 13",
        "04-03-2024 12:30",
        "ref 412233445566",
        "3456789012",
    ],
)
def test_a_number_inside_a_longer_one_and_an_order_number_are_no_phones(text: str) -> None:
    assert found(text, "phone") == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("卡号6222021234567890128", "6222021234567890128"),
        ("6222 0212 3456 7890 128", "6222021234567890128"),
        ("4111-1111-1111-1111", "4111111111111111"),
        ("5500 0000 0000 0004", "5500000000000004"),
        ("378282246310005", "378282246310005"),
        ("３５３０111333300000", "3530111333300000"),
    ],
)
def test_a_bank_card_passes_its_check_digit_and_begins_like_one(text: str, value: str) -> None:
    assert [("bank_card", value)] == [(entity.kind, entity.value) for entity in find_entities(text)]


@pytest.mark.parametrize(
    "text",
    [
        "4111111111111112",
        "订单号 4111111111111111",
        "order no. 4111 1111 1111 1111",
        "运单4111111111111111",
        "41111111111111110000",
        "9999999999999995",
        "SF4111111111111111",
        "4111111111111111abc",
    ],
)
def test_order_numbers_and_wrong_check_digits_are_no_bank_cards(text: str) -> None:
    assert found(text, "bank_card") == []


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("身份证11010519491231002X", ["11010519491231002X"]),
        ("110105 19491231 002x", ["11010519491231002X"]),
        ("110105194912310021", []),  # check digit
        ("11010519491331002X", []),  # month 13
        ("99010519491231002X", []),  # no such province
    ],
)
def test_an_identity_number_has_a_place_a_date_and_a_check_digit(text: str, values: list[str]) -> None:
    assert values == found(text, "id_card")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (f"打到{TRON}", TRON),
        (GENESIS, GENESIS),
        ("3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"),
        (SEGWIT, SEGWIT),
        (SEGWIT.upper(), SEGWIT),
        (TAPROOT, TAPROOT),
        (ETHER, ETHER.lower()),
    ],
)
def test_a_wallet_is_found_by_its_checksum(text: str, value: str) -> None:
    assert [value] == found(text, "wallet")


@pytest.mark.parametrize(
    "text",
    [
        TRON[:-1] + "u",
        GENESIS.replace("z", "y", 1),
        SEGWIT[:-1] + "p",
        TAPROOT[:-1] + "q",
        ETHER + "0",
        "x" + ETHER,
        "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    ],
)
def test_a_hash_or_a_wrong_checksum_is_no_wallet(text: str) -> None:
    assert found(text, "wallet") == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("加微信abc_123", "wechat:abc_123"),
        ("微信号：zhangsan", "wechat:zhangsan"),
        ("微信号zhangsan", "wechat:zhangsan"),
        ("V信：zhangsan88", "wechat:zhangsan88"),
        ("薇信 zs88888", "wechat:zs88888"),
        ("wx: zs12345", "wechat:zs12345"),
        ("ＶＸ：ａｂｃｄｅｆ", "wechat:abcdef"),
        ("加V abc123", "wechat:abc123"),
        ("+v:abcdef", "wechat:abcdef"),
        ("wechat 13800138000", "wechat:13800138000"),
        ("QQ123456789", "qq:123456789"),
        ("扣扣：12345678", "qq:12345678"),
        ("进Q群 123456789", "qq:123456789"),
        ("tg @abcdef", "telegram:abcdef"),
        ("飞机：@abc_def", "telegram:abc_def"),
        ("Telegram: Abc_Def9", "telegram:abc_def9"),
        ("WhatsApp +60 12 345 6789", "whatsapp:60123456789"),
        ("whatsapp me at +1 415 555 0123", "whatsapp:14155550123"),
        ("LINE ID: abc.123", "line:abc.123"),
    ],
)
def test_an_account_elsewhere_is_the_messenger_and_the_account(text: str, value: str) -> None:
    assert [("im_handle", value)] == [(entity.kind, entity.value) for entity in find_entities(text)]


@pytest.mark.parametrize(
    "text",
    [
        "微信：hello",
        "wechat please add me",
        "你看微信了吗",
        "V:1.2.3",
        "飞机CA1234延误",
        "QQ音乐 QQ 20000元",
        "line up please",
        "the line: abc",
        "there are 12345 of them",
        "5G网速",
    ],
)
def test_the_name_of_a_messenger_alone_is_no_account(text: str) -> None:
    assert found(text, "im_handle") == []


@pytest.mark.parametrize(
    "text",
    [
        "验证码发我",
        "把短信码告诉我",
        "把收到的短信截图给我",
        "麻烦报一下验证码",
        "你收到的6位数字念给我听",
        "验证码告诉客服就行",
        "发我一下验证码",
        "把动态口令报给工作人员",
        "read me the code",
        "Send me the 6-digit code please",
        "can you tell me the OTP",
        "read the code back to me",
        "What's the code you just received?",
    ],
)
def test_who_wants_to_be_told_a_code_asks_for_it(text: str) -> None:
    assert found(text, "otp_request") == ["otp"]


@pytest.mark.parametrize(
    "text",
    [
        "您的验证码是 123456，请勿告诉他人",
        "【某银行】验证码123456，任何人索要都不要告诉我行以外的人",
        "别把验证码发给客服",
        "骗子会让你把验证码发给客服",
        "验证码发我手机上了",
        "验证码收不到",
        "我把验证码发你了",
        "don't share your code",
        "Never send us the code",
        "we will never ask you to tell us the code",
        "send me the source code",
        "give me a discount code",
        "my code does not compile",
    ],
)
def test_a_code_or_a_warning_not_to_tell_it_is_no_request(text: str) -> None:
    assert found(text, "otp_request") == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("腾讯会议：123-456-789", "123456789"),
        ("zoom 987 6543 2101", "98765432101"),
        ("下载银联会议，会议号 123456789", "123456789"),
        ("AnyDesk 123 456 789", "123456789"),
        ("入会码 AB12CD", "ab12cd"),
    ],
)
def test_a_meeting_is_its_number(text: str, value: str) -> None:
    assert [value] == found(text, "meeting")


@pytest.mark.parametrize("text", ["会议 电话13800138000", "会议3点开始", "会议室在12楼", "下周会议材料 2024年"])
def test_a_meeting_without_a_number_of_its_own_is_none(text: str) -> None:
    assert found(text, "meeting") == []


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("¥3000", "3000 CNY"),
        ("￥３０００", "3000 CNY"),
        ("转3万", "30000 CNY"),
        ("2.5w", "25000 CNY"),
        ("五万块钱", "50000 CNY"),
        ("三百五十块", "350 CNY"),
        ("打款三万二", "32000 CNY"),
        ("叁万伍仟元整", "35000 CNY"),
        ("50元", "50 CNY"),
        ("100U", "100 USDT"),
        ("USDT 500", "500 USDT"),
        ("5万美元", "50000 USD"),
        ("$1,234.50", "1234.5 USD"),
        ("€99", "99 EUR"),
        ("RM500", "500 MYR"),
        ("200 dollars", "200 USD"),
        ("Rs 5,000", "5000 INR"),
        ("Rs.500", "500 INR"),
        ("₹2,300.50", "2300.5 INR"),
        ("R4,500.00", "4500 ZAR"),
        ("N500,000", "500000 NGN"),
        ("S$482.50", "482.5 SGD"),
        ("Ksh 3,500", "3500 KES"),
        ("50 quid", "50 GBP"),
    ],
)
def test_an_amount_is_a_number_and_a_currency(text: str, value: str) -> None:
    assert [value] == found(text, "amount")


@pytest.mark.parametrize(
    "text",
    [
        "3万人",
        "两万日元",
        "5块蛋糕",
        "一块去",
        "十万火急",
        "百万保障",
        "千万别去",
        "100W充电器",
        "3点",
        "5pm",
        "R2D2",
        "N95 mask",
        "rn 500",
        "第三百名",
    ],
)
def test_what_is_counted_is_no_money(text: str) -> None:
    assert found(text, "amount") == []


@pytest.mark.parametrize(
    ("numerals", "value"),
    [
        ("三万二", 32_000),
        ("一万零五百", 10_500),
        ("一百零五", 105),
        ("十五", 15),
        ("二十", 20),
        ("壹亿贰仟万", 120_000_000),
    ],
)
def test_chinese_numerals_are_read_as_spoken(numerals: str, value: int) -> None:
    assert value == money.read_number(numerals)


def test_an_e_mail_address_is_one_entity() -> None:
    assert [(e.kind, e.value) for e in find_entities("发到 Abc.D@QQ.com 谢谢")] == [("email", "abc.d@qq.com")]


def test_characters_are_read_in_one_way_only() -> None:
    text = f"卡6222021234567890128 微信13800138000 {TRON} https://a.cn/13800138000 发5000元"
    entities = find_entities(text)
    assert [entity.kind for entity in entities] == ["bank_card", "im_handle", "wallet", "url", "amount"]


def test_an_entity_names_the_field_it_stands_in() -> None:
    assert [entity.field for entity in find_entities("13800138000", "texts[2]")] == ["texts[2]"]


def test_what_is_repeated_without_end_is_told_twenty_times_and_hides_nothing_else() -> None:
    kinds = [entity.kind for entity in find_entities("1元 " * 5000 + "shop8.cn")]
    assert (kinds.count("amount"), kinds.count("url")) == (20, 1)


def _split(pieces: str) -> list[str]:
    return pieces.split()


PIECES = st.sampled_from(
    [
        *"0123456789０９①零一二三两十百千万亿几多壹贰元整块uUwWT+-_.。．点:：@＠/／()（）[] 　\u200b\n¥$€#=~",
        *_split("http:// https:// hxxp www. .com .cn 。CN dot (dot) [.] .me .中国 xn-- shop8 京东 a b8 _c abc_d"),
        *_split(
            "微信 薇 v V信 vx wx wechat weixin 加 加v 号 id 账号 qq 扣扣 q群 tg telegram 飞机 电报 whatsapp wa line"
        ),
        *_split("验证码 校验码 短信 动态密码 动态口令 6位数字 六位 code otp 6-digit passcode 发我 告诉我 报一下"),
        *_split("send me tell read back"),
        *_split("会议 腾讯会议 zoom 入会码 设备代码 anydesk 元 块 万 usdt usd rmb 人民币 rm 美元 dollars 叁万 订单号"),
        *(TRON, GENESIS, SEGWIT, ETHER, "6222021234567890128", "11010519491231002X", "13800138000", "4008123123"),
        "one-time password",
        *_split("09061701461 0871-555 (888) 9876543210 ₹ ₦ rs rs. inr ksh r n s$ quid rupees naira"),
    ]
)
TEXTS = st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=14).map("".join))


@settings(max_examples=1000)
@given(text=TEXTS)
def test_nothing_is_found_where_the_hint_finds_nothing(text: str) -> None:
    assert HINT.search(text) or not entities._detect(text, "content")


@settings(max_examples=300)
@given(text=TEXTS)
def test_a_detector_that_is_not_asked_would_have_found_nothing(text: str) -> None:
    low = numbers.read_digits(lower(fold(text)))
    assert codes.MAY.search(low) or not [*codes.find(low)]
    assert handles.MAY.search(low) or not [*handles.find(low)]
    assert links.MAY.search(low) or "dot" in low or not [*links.find_urls(text, fold(text), low)]
    assert money.MAY.search(low) or not [*money.find(low)]
    assert wallets.MAY.search(text) or not [*wallets.find(text)]
    for find in (numbers.find_ids, numbers.find_cards, numbers.find_meetings, numbers.find_phones):
        assert numbers.MAY.search(low) or not [*find(low)]


@settings(max_examples=300)
@given(text=TEXTS)
def test_spans_lie_in_the_text_and_hold_the_entity_and_only_code_requests_overlap(text: str) -> None:
    taken: set[int] = set()
    for entity in find_entities(text):
        assert entity.text == text[entity.start : entity.end] != ""
        assert "\n" not in entity.text
        if entity.kind != "otp_request":
            span = set(range(entity.start, entity.end))
            assert not span & taken
            taken |= span


@settings(max_examples=300)
@given(texts=st.lists(TEXTS.map(lambda text: text.replace("\n", "")), max_size=5))
def test_the_hint_says_the_same_of_a_batch_of_lines_as_of_each(texts: list[str]) -> None:
    batch = "\n".join(texts)
    hinted = {batch.count("\n", 0, match.start()) for match in HINT.finditer(batch)}
    assert {number for number, text in enumerate(texts) if HINT.search(text)} == hinted


@settings(max_examples=200)
@given(lines=st.lists(TEXTS.map(lambda text: text.replace("\n", "")), max_size=4))
def test_an_entity_is_found_line_by_line(lines: list[str]) -> None:
    """What follows in the next line changes nothing: no pattern reaches over a line's end."""
    alone = [entity.value for line in lines for entity in find_entities(line)]
    assert sorted(alone) == sorted(entity.value for entity in find_entities("\n".join(lines)))


HOSTILE = [
    *(
        "0",
        "1",
        "1 ",
        "1-",
        "a",
        "a.",
        "a@",
        "a.a@",
        "@",
        ".",
        "一",
        "万",
        "三万",
        "壹",
        "1万",
        "1元",
        "¥1",
        "T",
        TRON[:-1] + "u ",
    ),
    *(
        "验证码",
        "验证码发",
        "send me ",
        "send code ",
        "code ",
        "read the ",
        "6 digit",
        "微信",
        "微信:",
        "加v",
        "qq1",
        "whatsapp ",
    ),
    *(
        "会议",
        "会议 1",
        "入会码",
        "http://",
        "http://a",
        "京.",
        "京",
        "京东.c",
        "line id ",
        "6222 ",
        "62220212345678901 ",
        "line:",
    ),
    *(
        ETHER + " ",
        SEGWIT[:-1] + "p ",
        "(",
        "+1",
        "+1(",
        "\u200b",
        "1\u200b",
        "_",
        "a_",
        "a1",
        "tg ",
        "telegram",
        "1,",
        "1.1",
        "中国.",
    ),
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_a_long_hostile_text_is_read_in_time_that_grows_with_its_length_only(piece: str) -> None:
    """64 kB of any of these must not hang: the test's time limit is the bound, a quadratic pattern takes minutes."""
    text = piece * (65_536 // len(piece))
    HINT.search(text)
    assert len(entities._detect(text, "content")) <= 10 * entities._MOST
