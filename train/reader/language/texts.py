"""Texts that a skill takes as they are said: what to say, names, times, titles."""

from __future__ import annotations

__all__ = ['FREE', 'text']

# Arguments whose text may stand in quotes.
FREE = frozenset(('text', 'message', 'words', 'sentence', 'content', 'note', 'title'))

_EN = {
    'text': """hello|good morning|dinner is ready|welcome home|the meeting starts at nine|goodbye|happy birthday|thank you|please wait
watch out|box one|the door is open|lunch is served|hello world|I'll be back|all done|visitors wait here|abc|fragile|do not touch
out of order|back in five minutes|take your pills|good night|room 12|to be returned|stand clear|the train leaves at ten|keep left
A7|spare parts|time for your medicine|nice to meet you|welcome|mind the step|call the bank|water the plants|buy some milk
drink some water|checked|sold|reserved|wet floor|do not enter|heavy|this side up|4711|batch 12|closed on monday|staff only
the soup is hot|we are closing soon|see you at eight|how are you|where the toilets are|what they want to drink|the printer is broken
lunch at noon|open the window|pasta|eggs|the patient slept well|screen is cracked|the lift is out of service|ready for pickup""",
    'name': "anna|peter|the blue corner|home|maria lopez|station two|my desk|mr chen|priya|the widget|tom|charging spot|grandma's chair|kim",
    'colour': 'red|blue|light green|white|black|dark grey|yellow|orange|pink|sky blue|brown|turquoise',
    'time': """five o'clock|seven|half past eight|noon|tomorrow morning|three in the afternoon|6:30|ten to nine|tomorrow|monday at nine
tonight|18:00|this evening|7 am|quarter past two|next friday|midnight|in the morning|wednesday|four thirty""",
    'title': "happy birthday|jingle bells|some jazz|yesterday|the beatles|some music|bohemian rhapsody|a lullaby|my favourite song|the news|mozart",
    'topic': """dragons|dinner|the meeting|space|a rainy day|pirates|the budget|animals|capital cities|my birthday|the project|a brave mouse
history|the weekend|gardening|the new website""",
    'room': 'the big meeting room|room 12|the conference room|room b|the small office|meeting room three|the lab',
    'ratio': 'one to ten|1:5|1 to 100|one to two|1:10|ten to one', 'occasion': 'her birthday|the promotion|the new job|their wedding|his exam',
    'subject': 'the invoice|the delivery|the holidays|next week|the meeting|a broken lamp|the offer',
}
_ZH = {
    'text': """你好|欢迎光临|早上好|晚安|谢谢|开饭了|会议九点开始|请勿触摸|小心烫|生日快乐|请稍等|再见|该吃药了|门没关|一号箱|易碎|五分钟后回来|欢迎回家|注意安全
辛苦了|下班了|请排队|故障|我马上回来|已检查|合格|给银行打电话|浇花|买牛奶|多喝水|已售|预留|地面湿滑|禁止入内|此面向上|4711|周一休息|员工专用|汤很烫|八点见
要喝什么|打印机坏了|十二点吃饭|备件|待退货|不合格|病人睡得很好|屏幕裂了|电梯停用|A7|批次12|洗手间在哪""",
    'name': '小明|王芳|家|二号站|我的工位|陈先生|李老师|充电点|奶奶的椅子|小美|门口', 'colour': '红色|蓝色|浅绿色|白色|黑色|深灰色|黄色|橙色|粉色|天蓝色|棕色',
    'time': '五点|七点半|中午|明天早上|下午三点|六点半|明天|周一九点|今晚|晚上八点|早上七点|下周五|半夜|周三|十点一刻|十二点|后天上午',
    'title': '生日快乐歌|小星星|茉莉花|爵士乐|周杰伦的歌|音乐|摇篮曲|我最喜欢的歌|新闻|轻音乐|月亮代表我的心', 'topic': '恐龙|晚饭|会议|太空|下雨天|海盗|预算|动物|首都|生日|项目|小老鼠|历史|周末|园艺',
    'room': '大会议室|十二号会议室|小会议室|三楼会议室|B房间|实验室', 'ratio': '一比十|1:5|一比一百|1:10|十倍|五倍', 'occasion': '生日|升职|新婚|乔迁|毕业',
    'subject': '发票|发货|放假|下周安排|会议|报价|台灯坏了',
}
_TOLD = {lang: {name: tuple(t.replace('\n', '|').split('|')) for name, t in told.items()}
         for lang, told in (('en', _EN), ('zh', _ZH))}


def text(rng, lang: str, argument: str) -> str:
    """Return a text that fits the argument of this name."""
    options = _TOLD[lang].get(argument) or _TOLD[lang]['text']
    return options[int(rng.random() * len(options))]
