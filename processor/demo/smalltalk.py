"""What people write all day, in Chinese and English: patterns and what fills their slots. Made up for this project."""

from typing import Final

from processor.demo.grammar import Pools, lines, words

CHINESE_WORDS: Final[Pools] = {
    "who": words("""
        小雨 阿杰 婷婷 老王 小陈 晓雯 大刘 子轩 佳怡 阿梅 小周 志强 小林 慧姐 阿凯 小唐 思思 老李 小赵 表哥 室友
        同桌 班长 我妈 我爸 我姐 奶奶 外婆 小姨 二叔 隔壁阿姨
    """),
    "kin": words("妈 爸 姐 哥 老公 老婆 奶奶 外公 姑姑 小姨 宝贝 亲爱的 闺女 儿子"),
    "child": words("孩子 宝宝 大宝 二宝 女儿 儿子 小侄子 小外甥"),
    "day": words("今天 明天 后天 周一 周二 周三 周四 周五 周六 周日 这周末 下周 月底 国庆"),
    "part": ("", "", "早上", "上午", "中午", "下午", "傍晚", "晚上"),
    "when": ("{day}{part}",),
    "clock": words("六点半 七点 七点半 八点 九点 十点一刻 十一点 十二点 一点半 两点 三点 四点半 五点 六点 九点四十"),
    "city": words("""
        北京 上海 杭州 成都 重庆 西安 武汉 长沙 南京 苏州 厦门 青岛 昆明 大理 广州 深圳 哈尔滨 天津 合肥 贵阳
    """),
    "place": words("""
        公司楼下 地铁口 万达 食堂 图书馆 体育馆 南门 三号楼 会议室 咖啡店 公园 小区门口 火车站 机场 医院 超市
        菜市场 健身房 学校 停车场 幼儿园 步行街 湖边 电影院
    """),
    "food": words("""
        火锅 烧烤 牛肉面 螺蛳粉 酸菜鱼 麻辣烫 饺子 寿司 炸鸡 小龙虾 黄焖鸡 煎饼 包子 豆浆油条 烤鱼 沙县 兰州拉面
        披萨 糖醋排骨 番茄炒蛋 红烧肉 皮蛋粥 热干面 生煎 肠粉 羊肉串 冒菜 椰子鸡
    """),
    "drink": words("奶茶 咖啡 柠檬茶 豆浆 酸梅汤 可乐 热牛奶 橙汁 茉莉花茶 冰美式"),
    "taste": words("好吃 太咸了 有点辣 一般般 绝了 太油了 还行 分量很足 比上次好 凉了 挺香的 甜得发腻"),
    "doc": words("""
        周报 合同 方案 报价单 排期表 设计稿 会议纪要 接口文档 测试报告 简历 海报 发票 预算表 用户反馈 需求清单
        培训材料
    """),
    "task": words("""
        改版上线 服务器扩容 客户拜访 年终总结 招聘面试 数据核对 展会布置 合同续签 新人培训 库存盘点 版本发布
        页面适配 日志清理 周会分享 仓库搬迁
    """),
    "boss": words("王总 李经理 张主任 陈老师 刘工 赵姐 周总监 产品那边 运营同事 甲方 财务 前台 行政"),
    "subject": words("数学 语文 英语 物理 化学 生物 历史 地理 高数 线代 概率论 数据结构 有机化学 马原 体育 大学英语"),
    "school": words("作业 论文 期中考试 月考 实验报告 小组作业 家长会 选课 四级 考研 毕业设计 开题 运动会 社团招新"),
    "game": words("王者 原神 吃鸡 英雄联盟 蛋仔 我的世界 斗地主 狼人杀 象棋 消消乐 羽毛球 篮球 乒乓球"),
    "hero": words("辅助 打野 中路 射手 上单 法师 奶妈 坦克"),
    "thing": words("""
        卫衣 羽绒服 跑鞋 行李箱 空气炸锅 洗发水 猫粮 纸尿裤 书架 台灯 保温杯 充电宝 雨伞 床单 电饭煲 吹风机
        儿童座椅 键盘 耳机 手机壳 瑜伽垫 窗帘 登山包 面膜
    """),
    "show": words("那个综艺 新出的悬疑剧 上周的电影 纪录片 动画片 演唱会 脱口秀 音乐节 话剧 球赛 那本小说 播客"),
    "pet": words("猫 狗 仓鼠 乌龟 金毛 橘猫 布偶 柯基"),
    "ill": words("感冒 发烧 咳嗽 头疼 牙疼 嗓子疼 过敏 落枕 胃不舒服 腰疼 失眠"),
    "sky": words("下雨 下雪 刮大风 降温 大太阳 起雾 打雷 闷热 阴天 回暖"),
    "car": words("地铁 公交 高铁 飞机 出租车 共享单车 大巴"),
    "mood": words("开心 累 困 无聊 烦 紧张 激动 懵 饿 感动 郁闷 佩服"),
    "laugh": words("哈哈 哈哈哈哈 嘿嘿 笑死 hhh 233 [捂脸] [呲牙] 😂 🤣 [偷笑]"),
    "end": ("", "", "", "", "", "", "呀", "哈", "~", "！", "。", "😄", "[玫瑰]", "哦"),
    "n": [str(n) for n in range(2, 60)],
    "yuan": words("5 8 9.9 12 15 18 20 25 29 35 39 48 59 66 79 88 99 128 159 199 268 329"),
    "room": [f"{floor}0{door}" for floor in range(1, 24) for door in range(1, 7)],
    "pin": [f"{n % 9 + 1}-{n % 7 + 1}-{1000 + n * 37 % 9000}" for n in range(400)],
}

CHINESE: Final = lines("""
# short answers: a third of all chat
好的{end} | 嗯嗯{end} | 收到{end} | {laugh} | 可以{end} | 在吗 | 谢谢{end} | 没事{end} | 马上到 | 晚安{end}
早{end} | 行，{clock}见 | 好，{when}说 | 知道了{end} | 等我{n}分钟 | 我也是{laugh} | 真的假的 | 不用了{end}
辛苦了{end} | 太{mood}了{end} | 好{mood}啊{end} | {who}说的 | 问问{who}吧 | 我{clock}到 | {clock}可以吗 | 随便，都行
你定{end} | 我没空{end} | 改天吧{end} | +1 | 1 | OK | {laugh}{laugh} | 怎么啦 | 啥时候 | 真不错{end} | 看到了{end}
忘了{laugh} | 对对对 | 哪里{end}
# food
{when}吃{food}吗 | {food}{taste}{end} | 中午想吃{food} | {place}那家{food}{taste} | 点了{food}和{drink}
给我带杯{drink} | {drink}少糖去冰 | 晚上做{food}，早点回来 | {who}做的{food}{taste} | {food}和{food}选哪个
{when}去{place}吃{food}，叫上{who} | 又吃{food}，我都胖{n}斤了 | {food}外卖要等{n}分钟 | 今天食堂有{food}
楼下新开的{food}，第二份半价 | 冰箱里还有{food}，热一下就行 | 不吃{food}，换{food}吧 | {kin}，我想吃你做的{food}
人均{yuan}，还可以 | 排队排了{n}桌
# meeting up
{when}有空吗 | {when}{clock}{place}见 | 我在{place}等你 | 到{place}了，你在哪 | {when}{who}过生日
约{who}{when}打{game}吧 | {who}{when}来{city} | 几点出发去{city} | 路上堵车，晚{n}分钟 | 坐{car}去{place}要{n}分钟
{car}停运了，我打车过去 | {when}{sky}，还去吗 | 你先去{place}，我{clock}过去 | {when}聚一下？{who}也来
{place}人太多了，换个地方 | 你带伞了吗，要{sky}了
# work
{doc}发我一下 | {doc}我{clock}前给你 | {boss}问{doc}好了没 | {when}{clock}开会 | {when}的会改到{clock}
{doc}第{n}页有个错别字 | {task}{when}能完吗 | {task}先放一放，{boss}要{doc} | {boss}{when}不在
会议室订好了，{clock}到{clock} | {doc}已更新，请查收{end} | 打印机又坏了 | {task}卡在{boss}那边了
帮我看下{doc}的第{n}条 | {when}加班吗 | 请个假，{child}{ill}了 | {doc}版本号写错了 | 这个月报销到{when}截止
{boss}说{task}下周开始 | 测试环境挂了，谁在看 | 已经合到主干了 | 代码评审{clock}开始 | 线上有{n}个告警，先看一下
客户把时间改到{when}{clock}了 | 方案里的数字再核一遍 | 门禁卡忘带了，下来接我 | 今天站会我说一下{task}的进度
# school
{subject}{school}写完了吗 | {subject}老师点名了 | {school}{when}交 | {subject}考了{n}分，裸考的
{subject}第{n}题怎么做 | 帮我占个座，{place}三楼 | {who}借我{subject}笔记 | {subject}课改到{when}了
{school}延期了{end} | 图书馆{clock}关门 | {child}{subject}又没考好 | {child}{when}有{school}，你去吗
老师说{child}上课爱说话 | 家长群说{when}{clock}家长会 | {subject}太难了，学不会 | 选课系统又崩了 | 保研名单{when}出
快递放宿管那了
# games
{game}来吗，三缺一 | {game}五排，缺{hero} | 我玩{hero}，你{hero} | {game}更新了没 | 刚才那把{hero}太坑了
上分上分，{clock}开黑 | 再来一把就睡 | {game}新赛季什么时候开 | {who}{game}打得真好 | {game}服务器又卡了
这个皮肤{yuan}块，值吗 | 今晚{game}，输的请{drink}
# shopping and parcels
{thing}到了，取件码{pin} | 这个{thing}{yuan}块，买吗 | {thing}降价了，{yuan} | 帮我取个快递，{pin}
{thing}买大了，换一码 | 哪家{thing}好用 | {thing}什么颜色好看 | 双十一囤了{n}包{drink} | {thing}用着怎么样
{place}的{thing}打折 | 下单了{thing}，{when}到 | {thing}质量一般，别买 | {thing}多少钱买的 | 满{yuan}减五块
{yuan}包邮，划算 | 快递停在{city}两天了 | 客服说{when}发货 | {thing}有没有{n}码的
# family and home
{kin}，我到家了 | {kin}，{when}回家吃饭吗 | {kin}，降温了多穿点 | {child}睡了吗 | {child}{ill}，在{place}
{kin}钥匙在门口鞋柜里 | 水电费交了，一共{yuan} | 洗衣机坏了，{when}来修 | {kin}你血压药吃了没 | {child}会走路了{end}
垃圾我带下去了 | {room}的邻居装修太吵 | {pet}又把杯子打翻了 | 给{pet}约了{when}打疫苗 | {pet}今天特别粘人
阳台的花开了 | {room}停水到{clock} | 周末大扫除，谁洗碗 | {kin}帮我收一下衣服，{sky}了 | 过年{day}的票抢到了吗
{child}想学{game}，报个班吧
# health, weather, travel
{ill}好点没 | {ill}了，{when}请假 | 多喝热水{laugh} | {city}{when}{sky} | {city}现在{n}度 | 这天气忽冷忽热的
医生说没事，休息{n}天 | 挂了{when}{clock}的号 | 疫苗打完胳膊疼 | 去{city}玩几天 | {city}有什么好玩的
酒店订好了，离{place}不远 | 航班晚点{n}分钟 | {car}票{yuan}一张 | {city}到{city}的高铁{clock}发车 | 身份证带了吗
在{city}呢，{when}回 | 民宿{yuan}一晚，能住四个人 | 爬山累得腿疼 | 日出真好看，发你照片
# talk about things
{show}看了吗 | {show}太好看了{end} | {show}我看到第{n}集 | 结局我没看懂 | {show}票抢到没 | {who}推荐的{show}
那个主角演得真好 | 笑得我肚子疼 | 昨晚做梦梦到{who}了 | {who}要结婚了你知道吗 | {who}生了，母女平安 | 恭喜恭喜{end}
生日快乐{end} | 红包收到了，谢谢{kin} | AA吧，每人{yuan} | {food}钱转你了，{yuan} | 健身{n}天了，一斤没瘦
减肥从{day}开始 | 又熬夜了，{clock}才睡 | 昨天跑了{n}公里 | 新发型怎么样 | 你说得对，就这么办
我觉得{who}那个办法更好 | 说来话长，见面聊 | 别急，慢慢来 | 帮我投{who}一票 | WiFi密码多少 | 手机只剩{n}%电了
我换号了？没有啊，还是这个 | 群里谁会修电脑 | 有没有人一起拼车去{place} | {place}附近有停车的地方吗
小区{clock}停电
# long ones
{when}我们几个打算去{city}，{car}过去{n}分钟，{who}和{who}都去，你要不要一起，回来给你带{food}
{boss}刚才在群里说{task}提前到{when}，大家把{doc}先发出来，{clock}碰一下，有问题直接说
{child}昨天晚上有点{ill}，半夜量了{n}次体温，现在退了，{when}先不去幼儿园，你跟老师说一声{end}
刚看完{show}，前面有点慢，后面特别感人，最后十分钟我都哭了，你有空一定要看
上次买的{thing}用了{n}天就坏了，客服让我寄回去，说{when}能修好，以后还是去{place}买吧
{subject}这次的{school}分三部分，第一部分是选择题，后面两道大题，{when}{clock}之前传到系统里，别忘了写学号
""")

ENGLISH_WORDS: Final[Pools] = {
    "who": words("""
        Sam Priya Leo Hannah Diego Mei Tom Aisha Jack Nora Ben Sofia Kofi Lena Omar Ruth mum dad grandma Coach
    """),
    "day": words("today tomorrow Monday Tuesday Wednesday Thursday Friday Saturday Sunday tonight"),
    "clock": words("7am 8:15 9ish 10:30 noon 12:45 2pm 3:20 4pm 5:30 6ish 7:45 8pm"),
    "city": words("London Leeds Dublin Lisbon Berlin Osaka Toronto Austin Nairobi Sydney Lyon Oslo"),
    "place": lines("""
        the office | the gym | the library | school | the park | the station | campus | the cafe | home
        the dentist | the market | the airport | the pool
    """),
    "food": words("pizza sushi ramen tacos curry pasta dumplings pancakes burgers falafel noodles soup lasagne"),
    "doc": lines("""
        the slides | the report | the invoice | the draft | the spec | the minutes | the budget | the roadmap
    """),
    "thing": words("""
        jacket backpack kettle bike charger desk lamp blender tent headphones stroller raincoat keyboard
    """),
    "class": words("chemistry maths history physics econ biology stats Spanish drama"),
    "game": words("chess Minecraft FIFA Mario Zelda Catan football tennis badminton"),
    "show": lines("the finale | that documentary | the new season | the match | the podcast | the book | that film"),
    "mood": words("tired hungry happy bored nervous proud sleepy cold"),
    "sky": words("rain snow fog sunshine wind hail"),
    "end": ("", "", "", "", "!", " :)", " lol", " haha", "...", " 😂", " x"),
    "n": [str(n) for n in range(2, 50)],
}

ENGLISH: Final = lines("""
ok{end} | sure{end} | lol | thanks{end} | on my way | see you at {clock} | brb | no worries{end} | sounds good{end}
haha true | good morning{end} | night{end} | same here{end} | idk, ask {who} | so {mood} right now | wait what | +1
yep | nope{end} | lunch at {clock}? | {food} or {food}? | {who} made {food}{end} | that {food} was so good
can you grab {food} on the way home | meet at {place} {day}? | at {place} now, where are you
running {n} min late, sorry | {who} is coming {day} | {day} {clock} works for me | can you send me {doc}?
{doc} is in the shared folder | moved the call to {clock} | who has {doc}? | {who} will review {doc} {day}
build is green again | standup in {n} | I'm off {day} | page {n} of {doc} has a typo | customer wants it by {day}
did you do the {class} homework | {class} test on {day}, help | question {n} makes no sense
got {n} out of 50 in {class}{end} | anyone up for {game}? | gg | one more round of {game}
{who} beat me at {game} again{end} | servers are down | is the {thing} still on sale? | my {thing} finally arrived
the {thing} broke after {n} days | which {thing} should I get | parcel is at number {n} | kids are asleep
pick up {who} from {place} at {clock} | the dog ate my {thing} | happy birthday {who}{end} | did you watch {show}?
{show} was amazing{end} | no spoilers for {show} please | ran {n} km today{end} | it's all {sky} in {city}
flight to {city} is delayed {n} minutes | train to {city} at {clock} | booked a place in {city} for {day}
phone at {n} percent | I think {who} had the better idea | long story, tell you {day} | congrats {who}{end}
how is {who} feeling? | call me when you're at {place}
we're thinking of going to {city} on {day}, {who} and {who} are in, want to come? back by {clock}
just finished {show}, slow start but the last half hour is brilliant, let me know what you think
{who} said {doc} has to be out by {day}, so let's meet at {clock} and go through the open points
""")
