"""Chat as it might come, made up: the same numbers give the same messages.

Nearly all of it is small talk in Chinese, English or both. About one message in a hundred holds a term of a lexicon,
as written or disguised; one in a hundred is a line of a swindler's conversation; one in a thousand is no message.
"""

import random
from collections.abc import Iterator, Sequence
from typing import Any

import orjson

Keyed = tuple[bytes, bytes]  # key and value of a record

CONVERSATIONS = 20_000
STARTS_AT = 1_780_000_000_000  # ms since the epoch
STEP_MS = 5


def traffic(count: int, terms: Sequence[str], *, seed: int = 1) -> Iterator[Keyed]:
    """`count` messages; `terms` are what a lexicon holds."""
    draw = random.Random(seed)
    scams = [[draw.randrange(CONVERSATIONS), n, 0] for n in range(len(SCAMS))]
    for number in range(count):
        luck = draw.random()
        conversation = draw.randrange(CONVERSATIONS)
        if luck < 0.001:
            yield f"c{conversation}".encode(), draw.choice(MALFORMED)
        elif luck < 0.011:
            yield _message(number, conversation, _with_term(draw, draw.choice(terms)), draw)
        elif luck < 0.021:
            scam = draw.choice(scams)
            yield _message(number, scam[0], _next_line(scam, draw), draw, says=scam[2] % 2)
        else:
            yield _message(number, conversation, _small_talk(draw), draw)


def _message(number: int, conversation: int, content: str, draw: random.Random, *, says: int | None = None) -> Keyed:
    """The record of a message; every fifth conversation is a group."""
    group = conversation % 5 == 0
    people = [f"u{conversation * 7 + place:06d}" for place in range(5 if group else 2)]
    sender = people[draw.randrange(len(people)) if says is None else says]
    message: dict[str, Any] = {
        "message_id": f"m{number:012d}",
        "tenant_id": f"t{conversation % 40}",
        "conversation_id": f"c{conversation}",
        "conversation_type": "group" if group else "direct",
        "sender_id": sender,
        "receiver_ids": [person for person in people if person != sender],
        "type": "text",
        "content": content,
        "sent_at": STARTS_AT + number * STEP_MS,
    }
    return f"c{conversation}".encode(), orjson.dumps(message)


def _small_talk(draw: random.Random) -> str:
    text = draw.choice(PHRASES)
    if len(text) < 8 or draw.random() < 0.5:
        text += draw.choice(JOINTS) + draw.choice(PHRASES)
    if "{" in text:
        text = text.format(
            when=draw.choice(TIMES), who=draw.choice(PEOPLE), where=draw.choice(PLACES), n=draw.randint(2, 60)
        )
    return text + draw.choice(ENDS)


def _with_term(draw: random.Random, term: str) -> str:
    if draw.random() < 0.3:
        term = draw.choice(" -*·").join(term) if len(term) < 8 else term.upper()
    return draw.choice(("{}有要的吗", "低价出{}，私聊", "谁有 {} 啊", "anyone got {} here?", "听说过 {} 没有")).format(
        term
    )


def _next_line(scam: list[int], draw: random.Random) -> str:
    """The next line of a swindle; when it is over it begins again somewhere else."""
    lines = SCAMS[scam[1]]
    line = lines[scam[2]]
    scam[2] += 1
    if scam[2] == len(lines):
        scam[:] = [draw.randrange(CONVERSATIONS), draw.randrange(len(SCAMS)), 0]
    return line


TIMES = ("今晚", "明天", "周末", "下午", "早上", "下周", "中午", "月底", "刚才", "昨天")
PEOPLE = ("小王", "李姐", "老张", "妈妈", "Tom", "Lisa", "阿强", "表弟", "班主任", "师傅")
PLACES = ("公司楼下", "地铁口", "学校门口", "超市", "机场", "健身房", "图书馆", "老家", "火锅店", "the office")
JOINTS = ("，", "。", " ", "，然后", "，对了", "… ", "！")
ENDS = ("", "", "", "", "", "。", "～", "😂", "👍", "？", "哈哈", "吧")
PHRASES = (
    "{when}一起吃饭吗",
    "好的，收到",
    "我在{where}等你",
    "{who}说{when}不来了",
    "开会记得带资料",
    "孩子放学了没",
    "路上有点堵，晚到{n}分钟",
    "外面下雨了，记得带伞",
    "这部电影真的好看，推荐你看看",
    "嗯嗯知道了",
    "{when}的球赛看了没，太精彩了",
    "帮我带杯咖啡，少糖",
    "快递放门卫那里了",
    "我先去接{who}",
    "作业写到第{n}页",
    "冰箱里还有牛奶和鸡蛋",
    "这个颜色你觉得怎么样",
    "排队的人好多，前面还有{n}个",
    "周报写完发你邮箱了",
    "昨晚没睡好，今天好困",
    "你到{where}了吗",
    "空调开低一点，太热了",
    "猫又把杯子打翻了",
    "{who}生日快乐，万事如意",
    "医生说多喝水多休息",
    "这家店的牛肉面不错，下次一起去",
    "票买好了，{when}的高铁",
    "我跑了{n}公里，累死了",
    "哈哈哈哈笑死我了",
    "下周要考试，还没复习完",
    "天气预报说{when}降温，多穿点",
    "钥匙忘带了，你几点回来",
    "照片我晚点传给你",
    "没事，慢慢来",
    "我觉得第{n}版方案更好",
    "会议改到{when}了，在{where}",
    "谢谢啦，改天请你吃饭",
    "我妈包了饺子，给你留了一份",
    "电脑又死机了，重启试试",
    "这首歌循环了一天",
    "好久不见，最近怎么样",
    "周末去爬山，{who}也去",
    "宝宝会叫妈妈了",
    "我在忙，等会儿回你",
    "阳台的花开了，真漂亮",
    "see you {when}",
    "lunch at {where}?",
    "ok, got it, thanks",
    "running late, be there in {n} min",
    "did you watch the match last night",
    "haha that's so funny",
    "can you send me the slides please",
    "happy birthday {who}",
    "meeting moved to {when}, please check your calendar",
    "I'll call you back later",
    "这个 bug 我修好了，帮忙 review 一下",
    "deploy 完了，看下 dashboard",
    "PPT 第{n}页的图要换一下",
    "OK，我 call 你",
    "今天 WFH，有事微信我",
    "{n}块钱的奶茶也太贵了",
    "房租{n}号之前转你",
    "菜单看这个 www.example.com/menu",
)
SCAMS: tuple[tuple[str, ...], ...] = (
    (
        "你好，请问找兼职吗，在家就能做",
        "什么兼职啊",
        "给商家点赞关注，一单5元，当天结算",
        "真的假的",
        "先垫付本金，做任务返佣，每单立返，加微信：wxdd8812",
        "那我先试一单",
        "这是连单任务，要做完三单才能提现",
        "好吧，我转",
    ),
    (
        "我是市公安局的，你名下的银行卡涉嫌洗钱",
        "啊？我没有啊",
        "现在要配合调查，不要告诉任何人，包括家人",
        "那我该怎么办",
        "把资金转到安全账户 6222020200112230006 核查，核查完会退还",
        "好的，我马上去办",
    ),
    (
        "您好，我是平台客服，您购买的商品有质量问题，给您理赔",
        "怎么理赔",
        "下载会议软件打开屏幕共享，我来指导您操作",
        "会议号多少",
        "会议号 482 915 773，进来后把短信验证码告诉我",
        "收到了，等一下",
    ),
    (
        "无抵押贷款，当天放款，额度二十万",
        "利息多少",
        "您的卡号填错了，资金被冻结，要先交 3000 元解冻费",
        "不会是骗人的吧",
        "交完解冻费马上到账，逾期影响征信",
        "行，怎么转",
    ),
)
MALFORMED = (b"", b"{", b"\xff\xfe", b'{"message_id":7}', b"null", b'{"content":"no ids at all"}', b'{"message_id":"m')
