"""Frauds as they unfold over several messages, invented after what police and consumer bodies describe.

A line begins with who writes it: S who deceives, V who is to pay; `S!` asks for the payment. Links lie under reserved
names, card numbers have no bank behind them.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from processor.demo.grammar import Language, Pools, words


class Scheme(NamedTuple):
    """One way to deceive."""

    type: str  # the fraud type that the rules should name
    lines: tuple[str, ...]


def with_check_digit(number: str) -> str:
    """`number` with the digit at its end that makes it a possible card number (ISO/IEC 7812)."""
    doubled = (int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(number)))
    return number + str(-sum(value // 10 + value % 10 for value in doubled) % 10)


_CHINESE: Final = (
    Scheme("SD", (
        "S 你好呀，看到你在{place}宝妈群，现在招手机兼职，在家就能做",
        "V 什么兼职",
        "S 很简单的，给商家点赞关注，截图发给接待员，一单{small}元，日结",
        "V 真的能拿到钱？",
        "S 刚才的{small}元到账了吧，绝对正规，不影响上班",
        "V 到了到了",
        "S 现在有福利单，佣金30%，需要先垫付本金，做完本金和佣金一起返",
        "V 要垫多少",
        "S! 第一单充值{big}到平台，联系派单员，转到这个账户 {card}",
        "V 好，我马上转",
    )),
    Scheme("SD", (
        "S 亲，{platform}任务群今天还有名额，做任务返佣，一单一结",
        "V 怎么做",
        "S 先关注店铺，点赞截图发群里，每单佣金{small}",
        "V 做完了，我想提现",
        "S 您这个是三连单，任务没完成不能提现，账户冻结了",
        "V 那怎么办，我已经充了{big}了",
        "S! 需要补单才能提现，再充{big}，连本带利一起返",
        "V 我去凑一下",
    )),
    Scheme("TZ", (
        "S 不好意思加错人了，你是{who}吗",
        "V 不是",
        "S 那也是缘分，交个朋友吧，我在{city}做金融",
        "V 你好",
        "S 最近跟着老师操作，内部消息，天天盈利，昨天又赚了{big}",
        "V 这么厉害",
        "S 有个数字货币平台，稳赚不赔，带你赚钱，先小额试",
        "V 怎么弄",
        "S! 先注册平台账户，入金{big}，充值到平台，链接 {link}",
        "V 好的，我现在就转",
    )),
    Scheme("TZ", (
        "S 股票交流群开放{n}个名额，老师带着大家做",
        "V 我看看",
        "S 老师推荐的都是涨停牛股，主力资金拉升之前通知，胜率95",
        "V 要钱吗",
        "S 机构账户才能买，投资平台注册，保本高收益，最低投{big}",
        "V 上次的收益想提现",
        "S! 提现要先缴纳20%个人所得税，转到指定账户 {card}，缴完马上到账",
    )),
    Scheme("KF", (
        "S 您好，我是{platform}客服，工号{n}82",
        "V 有什么事",
        "S 系统显示您开通了百万保障，今天到期，不取消每月自动扣费{big}",
        "V 我没有开过啊，怎么关",
        "S 我协助您办理，请下载会议软件，打开屏幕共享",
        "V 下好了",
        "S 现在登录手机银行，看一下余额，手机收到验证码告诉我一下",
        "V 验证码是 {code}",
        "S! 做资金验证，先转到安全账户 {card}，原路退回",
    )),
    Scheme("KF", (
        "S 您好，{platform}快递理赔专员，您的{goods}在路上丢失了",
        "V 啊，那怎么办",
        "S 给您办理三倍理赔，不用退货",
        "V 好的",
        "S 请加入视频会议办理，开启屏幕共享，把收到的验证码发我",
        "V 收到验证码了",
        "S! 理赔款多打了，请把多的钱转过来 {card}",
    )),
    Scheme("GJ", (
        "S 你好，这里是{city}公安局，我是警官{who}，警号{n}1073",
        "V 怎么了",
        "S 你名下的银行卡涉嫌洗钱，已经下了通缉令，案件必须保密",
        "V 不可能吧，我没做过",
        "S 现在配合调查还来得及，不要告诉家人，找个没人的房间",
        "V 好，我在房间了",
        "S 为了证明清白，需要资金清查，共享屏幕给我看",
        "V 我该怎么做",
        "S! 把钱转到安全账户 {card}，核查完原路退回",
        "V 我这就转",
    )),
    Scheme("DK", (
        "S 您好，急用钱吗，无抵押贷款，凭身份证当天放款",
        "V 能贷多少",
        "S 您的贷款额度{n}万已经批下来了，填一下收款卡号",
        "V 填好了，怎么没到账",
        "S 银行卡号填错，放款失败，账户被系统自动冻结",
        "V 那要怎么解冻",
        "S! 需要交解冻费{big}，转账到对公账户 {card}，随贷款一起退",
    )),
    Scheme("ZX", (
        "S 您好，我是京东金融客服，请问您大学期间注册过校园贷吗",
        "V 好像有",
        "S 国家政策调整，利率过高的学生账户要注销，不然影响征信",
        "V 影响买房吗",
        "S 会的，您把借呗额度清空，我协助您注销账户",
        "V 怎么清空",
        "S! 把额度全部借出来，转到监管账户 {card}，清完自动归还",
    )),
    Scheme("LD", (
        "S {kin}我手机掉水里了，这是我同学的微信",
        "V 人没事吧",
        "S 没事，学校有清华教授的培训班，名额有限，今天必须交报名费",
        "V 多少钱",
        "S {big}，我在上课不方便接电话，打字说",
        "V 转给谁",
        "S! 先帮我转给教务处{who}主任，卡号 {card}",
        "V 好，我马上给你转",
    )),
    Scheme("LD", (
        "S 小{who}，我是你们领导，这是我私人微信，以后有事加这个",
        "V 好的领导",
        "S 我在开会不方便接电话，有个客户的钱急着要付",
        "V 您说",
        "S 我先转给你，已经转到你账上了，大额到账有延迟，你查收一下",
        "V 还没到",
        "S! 你先帮我垫一下，打给客户，{big}，账户 {card}，下午还你",
    )),
    Scheme("JP", (
        "S 【{airline}】您预订的航班因机械故障取消，可办理改签并领取延误补偿{small}00元，退改签专线{phone}",
        "V 我的票怎么办",
        "S 我是航空公司客服，为您办理航班取消的理赔，请下载会议软件",
        "V 好",
        "S 打开屏幕共享，登录手机银行，把验证码告诉我",
        "S! 补偿金发放前需要验证，转账到 {card}，原路退回",
    )),
    Scheme("YX", (
        "S 兄弟，{game}账号卖吗，我出{big}",
        "V 卖的",
        "S 走这个交易平台，安全，{link}",
        "V 提现显示失败",
        "S 银行卡号填错，交易平台冻结了你的资金，问下客服",
        "V 客服说要交钱",
        "S! 交激活保证金{big}，充值解冻，提现时一起退给你",
    )),
    Scheme("GW", (
        "S {goods}内部价，比专柜便宜一半，全新未拆",
        "V 能走平台吗",
        "S 平台要抽成，别走平台，微信直接转我",
        "V 靠谱吗",
        "S! 放心不是骗子，先付定金{small}0，付了就发",
        "V 转了，单号呢",
        "S! 货被海关扣押了，要先交关税{big}，补税放行，全额退还",
    )),
    Scheme("HL", (
        "S 亲爱的，今天又想你了，等我这边任务结束就回{city}见你",
        "V 我也想你",
        "S 我在部队维和，不方便视频",
        "V 那你注意安全",
        "S 我给你寄了礼物，里面还有现金，以后我们买房用",
        "V 真的吗",
        "S! 包裹被海关扣了，需要交清关费{big}，你先转账到 {card}，见面还你",
    )),
)  # fmt: skip

_ENGLISH: Final = (
    Scheme("SD", (
        "S Hi, I'm a recruiter, got your number from a job board. Part-time job, work from home, ${small}0 a day",
        "V what is it?",
        "S You optimize apps and boost ratings, 40 simple tasks, paid daily",
        "V ok, did the first set",
        "S Great, now there is a combination order and your balance is negative",
        "V can I withdraw?",
        "S! Top up to unlock your commission, send USDT to the work platform first: {link}",
        "V paid it, now what",
    )),
    Scheme("TZ", (
        "S Sorry, wrong number? I thought you were {who}",
        "V no worries, wrong person",
        "S You seem nice. I trade crypto, my uncle is an analyst and gives me trading signals",
        "V sounds risky",
        "S No risk, guaranteed returns, daily profits. I can teach you on the trading platform",
        "V how do I start",
        "S! Minimum deposit {big}, buy USDT and deposit into your trading account here {link}",
    )),
    Scheme("KF", (
        "S This is the bank's fraud department, there was an unauthorized transaction of ${big}",
        "V I did not do that",
        "S I can refund you, please download AnyDesk and share your screen",
        "V ok it is open",
        "S Log in to your bank account and read me the code we sent you",
        "V the code is {code}",
        "S! To protect your money, transfer your funds to the safe account now",
    )),
    Scheme("LD", (
        "S Hi mum, I dropped my phone in the toilet, this is my new number",
        "V oh no love, are you ok?",
        "S Yes but I can't talk, mic is broken. I have an urgent bill to pay",
        "V how much is it",
        "S! ${big}, can you pay it for me? I'll pay you back tomorrow. Account details: {card}",
        "V going to the bank",
    )),
    Scheme("GJ", (
        "S This is Officer {who} of the federal police, there is a warrant for your arrest",
        "V for what??",
        "S Your social security number is suspended for money laundering. Keep this confidential and stay on the line",
        "V what do I have to do",
        "S! Buy gift cards for ${big}, scratch the back and send me the codes to clear the warrant",
    )),
    Scheme("DK", (
        "S Need a loan? Bad credit ok, instant approval",
        "V yes, {big} would help",
        "S Your loan has been approved, funds will be disbursed today",
        "V when do I get it",
        "S! Pay the processing fee of ${small} first, by gift card or Cash App, before we release the funds",
    )),
    Scheme("LD", (
        "S Hi, it's {who}, the CEO. I'm in a meeting and can't talk, need a quick favour",
        "V sure",
        "S! Buy some gift cards for clients, ${big}, scratch and send me the codes, I'll reimburse you",
        "V at the store now",
    )),
)  # fmt: skip

_WORDS: Final[Pools] = {
    "who": words("王 李 张 刘 陈 杨 赵 黄 周 吴"),
    "kin": ("妈，", "爸，", "妈妈，", "爸爸，"),
    "place": ("小区", "幼儿园", "团购", "拼团", "辣妈", "遛娃"),
    "city": words("北京 上海 广州 深圳 武汉 成都 杭州 重庆 西安 南京"),
    "platform": words("抖音 淘宝 京东 微信 支付宝 小红书 拼多多"),
    "goods": words("手机 名表 包包 茶具 平板 相机 球鞋 护肤品"),
    "game": words("王者 原神 吃鸡 梦幻西游"),
    "airline": ("云程航空", "东湖航空", "北岭航空"),
    "small": words("5 10 15 20 30 50 80"),
    "big": words("500 800 1000 2000 3000 5000 6800 8000 12000"),
    "n": [str(n) for n in range(3, 50)],
    "code": [str(100_003 + n * 7919 % 899_999) for n in range(200)],
    "phone": [f"400-000-{n:04}" for n in range(1000, 1200, 7)],
    "link": [f"https://app{n}.example.net/i/{n * 37 % 9000}" for n in range(11, 90)],
    "card": [with_check_digit(f"62220200000{n:07}") for n in range(1, 90)],
}

SCHEMES: Final[Mapping[Language, tuple[Scheme, ...]]] = {"zh": _CHINESE, "en": _ENGLISH}
WORDS: Final[Mapping[Language, Pools]] = {
    "zh": _WORDS,
    "en": {**_WORDS, "who": words("Daniel Grace Miller Wong Cooper Hughes")},
}
"""What may stand in their slots; one fraud keeps to its choice."""
