"""What must be found, masked or left alone for the words in it: offers in disguise, notices that quote, questions."""

from collections.abc import Callable, Sequence
from typing import Final

from processor.demo.grammar import Draw, Pools, lines


def _pairs(block: str) -> tuple[tuple[str, str], ...]:
    """Terms in simplified and in traditional characters."""
    return tuple(
        (simplified, traditional) for entry in lines(block) for simplified, _, traditional in [entry.partition("=")]
    )


BLOCKED: Final = _pairs("""
线上赌场开户=線上賭場開戶 | 百家乐上分=百家樂上分 | 娱乐城开户=娛樂城開戶 | 微信上下分=微信上下分
跟我下注包赢=跟我下注包贏 | 诚招棋牌代理=誠招棋牌代理 | 高价租银行卡=高價租銀行卡 | 长期收手机卡=長期收手機卡
代刷实名粉=代刷實名粉 | 手机黑卡批发=手機黑卡批發 | 改号软件出售=改號軟件出售 | 收购一类卡=收購一類卡
""")
REVIEWED: Final = _pairs("""
棋牌源码搭建=棋牌源碼搭建 | 上下分代理=上下分代理 | 银行卡四件套=銀行卡四件套 | 代收验证码=代收驗證碼
免实名手机卡=免實名手機卡 | 房卡代理招募=房卡代理招募 | 出售伪基站=出售偽基站 | 博彩推广=博彩推廣
外围代理=外圍代理 | 假证制作=假證製作
""")
MASKED: Final = _pairs("""
办假毕业证=辦假畢業證 | 接码平台=接碼平台 | 短信轰炸软件=短信轟炸軟件 | 买球网站=買球網站 | 社工库=社工庫
办假驾驶证=辦假駕駛證 | 赌球网址=賭球網址 | 呼死你软件=呼死你軟件
""")
BLOCKED_ENGLISH: Final = lines("""
selling cvv | fresh fullz | cloned credit cards | sure fixed matches | casino leads for sale | bank drops for sale
online cricket id | rent my bank account
""")
REVIEWED_ENGLISH: Final = lines("""
buy fake id | buy diploma online | no kyc casino | hire a hacker | ddos for hire | driving licence without test
correct score vip
""")
MASKED_ENGLISH: Final = lines("""
take my exam for me | ip booter | buy google reviews | fake diploma maker | booter service | carding forum
""")

PRODUCT: Final = "云朵跳跳杯"
"""A thing that does not exist; the demo makes it a term while it runs.."""
PRODUCT_TRADITIONAL: Final = "雲朵跳跳杯"
PRODUCT_GLOSS: Final = "Cloud Hopper Cup"

GLOSSES: Final = {
    "线上赌场开户": "opening accounts at an online casino",
    "百家乐上分": "buying chips for baccarat",
    "娱乐城开户": "opening accounts at a casino",
    "微信上下分": "cashing gambling chips in and out over WeChat",
    "跟我下注包赢": "bet with me, sure to win",
    "诚招棋牌代理": "agents wanted for gambling rooms",
    "高价租银行卡": "renting bank cards for a good price",
    "长期收手机卡": "buying SIM cards, any number",
    "代刷实名粉": "selling followers with real names",
    "手机黑卡批发": "SIM cards without a name, wholesale",
    "改号软件出售": "software that fakes the caller's number",
    "收购一类卡": "buying bank cards of the highest class",
    "棋牌源码搭建": "setting up gambling rooms",
    "上下分代理": "agents for gambling chips",
    "银行卡四件套": "a bank card with its SIM, token and identity card",
    "代收验证码": "receiving one-time codes for others",
    "免实名手机卡": "SIM cards without a name",
    "房卡代理招募": "agents wanted for gambling room cards",
    "出售伪基站": "selling fake base stations",
    "博彩推广": "advertising for betting",
    "外围代理": "agents for illegal betting",
    "假证制作": "making false papers",
}
"""In English, for those who do not read Chinese."""

FRAMES: Final = lines("""
{term}，{contact} | 专业{term}，{contact} | {term}，诚信，{contact} | 有需要的看过来，{term} | {term}，价格好说
{term}！名额不多 | 哥们{term}吗，{contact} | 大量{term}，当天安排 | {city}本地{term}，{contact}
""")
FRAMES_ENGLISH: Final = lines("""
{term}, {contact} | anyone want {term}? {contact} | {term} cheap and fast | best {term} in town, {contact}
{term}! today only
""")
MENTIONS: Final = lines("""
听说有人在{term}，别去 | 昨天刷到{term}的广告，离谱 | 同学群里又有人发{term} | {term}是啥意思 | 那个{term}的链接别点
电梯里贴着{term}的小广告
""")
MENTIONS_ENGLISH: Final = lines("""
some spam about {term} again | what does {term} even mean | saw an ad: {term}. seriously?
pls stop posting {term} here
""")
PRODUCT_FRAMES: Final = lines("""
{term}到货了吗 | {who}说{term}很好玩 | {term}多少钱 | 有人要拼{term}吗，还差{n}个 | 给{child}买个{term}
{term}好用不 | {place}有卖{term}的 | {term}缺货了 | Is the {term} any good? | two {term} for the kids please
""")
CAPTIONS: Final = lines("""
{city}的晚霞 | {food}，{n}块钱一份 | {doc}终稿.docx | {task}排期v{n}.xlsx | IMG_20{n}.jpg | {show}海报
会议照片{n}.png | {pet}睡着了 | 扫码点单 | {place}失物招领 | 课程表（{subject}）.pdf | screenshot {n}.png
""")

NOTICES: Final = (
    "【反诈提醒】凡是让你先垫付本金再返佣金的兼职，都是刷单诈骗，请拨打96110",
    "国家反诈中心提醒：公检法没有所谓的安全账户，不会要求转账，更不会要你保密",
    "{city}警方提示：谨防冒充客服，让你下载会议软件、打开屏幕共享的一律是诈骗",
    "【防骗】注销校园贷、清空借呗额度、转到监管账户，三步都是骗局，切勿相信",
    "请各位家长注意，冒充老师收资料费让转账的是骗子，遇到请拨打96110",
    "物业提醒：近期有人冒充快递理赔，索要验证码，大家提高警惕，切勿转账",
    "反诈小课堂：稳赚不赔、内幕消息、老师带单，这些词一出现就要警惕，谨防投资诈骗",
    "网警提醒：说银行卡号填错要交解冻费才能放款的，全部是贷款诈骗，不要相信",
    "社区民警：最近有人收到百万保障到期、要交解冻费的消息，都是诈骗，不要点击，请拨打96110",
    "Police warning: nobody from a bank will ask you to move money to a safe account. It is a scam.",
    "Scam alert: messages that say hi mum, this is my new number and ask to pay a bill are fraud. Do not send money.",
    "Reminder from IT: we never ask you to install AnyDesk or to read out a code. Beware of scams.",
)  # fmt: skip

QUESTIONS: Final = (
    "有人让我先垫付本金做任务返佣，这是不是诈骗",
    "刚才接到电话说要转到安全账户，这是不是骗子啊",
    "他让我打开屏幕共享说退款，会不会是诈骗",
    "说我贷款卡号填错要交解冻费，是不是骗人的",
    "老师带单稳赚不赔的群，这种是诈骗吗",
    "Someone says top up to unlock your commission, is this a scam?",
    "A man from the bank wants me to share your screen style help, is it a scam?",
)  # fmt: skip

_NUMBERS: Final = range(100, 999, 13)
WORDS: Final[Pools] = {
    "contact": [f"{how}demo{n}" for how in ("加微信 ", "加V ", "wx:", "薇信 ", "Q群 ", "电报 ") for n in _NUMBERS],
}
WORDS_ENGLISH: Final[Pools] = {
    "contact": [f"{how}demo{n}" for how in ("telegram @", "dm me on wa ", "whatsapp ", "tg: ") for n in _NUMBERS],
}

Disguise = Callable[[str, Draw], str]

_SEPARATORS = " -*·._|~、"
_INVISIBLE = "\u200b\u200c\u2060\u00ad\ufeff"
_WIDE = {code: code + 0xFEE0 for code in range(0x21, 0x7F)} | {0x20: 0x3000}


def separated(term: str, draw: Draw) -> str:
    """Something between the characters."""
    sign = _SEPARATORS[int(draw() * len(_SEPARATORS))] * (1 + int(draw() * 2))
    return sign.join(term) if draw() < 0.5 else term[: len(term) // 2] + sign + term[len(term) // 2 :]  # noqa: PLR2004


def invisible(term: str, draw: Draw) -> str:
    """Characters between that nobody sees."""
    return "".join(char + _INVISIBLE[int(draw() * len(_INVISIBLE))] for char in term[:-1]) + term[-1]


def wide(term: str, draw: Draw) -> str:  # noqa: ARG001  one of several
    """Full-width letters."""
    return term.translate(_WIDE)


def mixed_case(term: str, draw: Draw) -> str:
    """Capitals here and there."""
    return "".join(char.upper() if draw() < 0.5 else char for char in term)  # noqa: PLR2004


def punctuated(term: str, draw: Draw) -> str:
    """A sign instead of each space, or after each letter of the first word."""
    first, _, rest = term.partition(" ")
    sign = "-*._"[int(draw() * 4)]
    return term.replace(" ", sign) if draw() < 0.5 else f"{sign.join(first)} {rest}".rstrip()  # noqa: PLR2004


CHINESE_DISGUISES: Final[Sequence[Disguise]] = (separated, invisible)
ENGLISH_DISGUISES: Final[Sequence[Disguise]] = (wide, mixed_case, punctuated, invisible)
