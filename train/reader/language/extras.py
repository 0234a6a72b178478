"""What people add that no skill takes: how, when, for whom; and reasons, which may be left unheard."""

from __future__ import annotations

from kimi_train.reader.language import spoken

__all__ = ['LEFT_OUT_AFTER', 'LEFT_OUT_BEFORE', 'PLACELESS', 'REASONS_AFTER', 'REASONS_BEFORE']


def _more(lang):
    return tuple(r for r in spoken.reasons(lang) if len(r) > 2)


def _split(text):
    return tuple(text.strip().replace('\n', '|').split('|'))


# Content that a plan cannot hold: it is told back.
LEFT_OUT_AFTER = {
    'en': _split("""quickly|carefully|slowly|gently|very carefully|as gently as you can|with your left hand|with your right hand|with both hands
upside down|in one go|as quietly as possible|without making a noise|by the handle|with two fingers|really slowly|very gently|softly
at five o'clock|every morning|tomorrow|in ten minutes|after lunch|before noon|on monday|tonight|once a day|for two hours|at noon
until I come back|twice|three times|every hour|when the bell rings|at six|tomorrow morning|next week|later today|in an hour
for my sister|for grandma|for the guests|for my neighbour|for the children|for dr brown|for the new patient|on behalf of my boss
at full speed|with a smile|like yesterday|in alphabetical order|diagonally|with the vacuum gripper|using the tongs|with a cloth
without spilling anything|while singing|during the break|before the guests arrive|every ten minutes|halfway|face down|backwards"""),
    'zh': _split("""，要轻一点|，慢慢地|，动作要快|，用左手|，用右手|，用双手|，五点的时候|，每天早上都要|，明天|，十分钟以后|，午饭以后|，给我妹妹|，给奶奶|，给客人用
，倒着放|，每小时一次|，等我回来|，两次|，三遍|，不要出声|，用两根手指|，按字母顺序|，像昨天那样|，正面朝下|，别洒出来"""),
}
LEFT_OUT_BEFORE = {
    'en': _split("""carefully|gently|slowly|quickly|very slowly|tomorrow|at five o'clock,|every morning,|in ten minutes,|after lunch,|on monday
with your left hand,|with both hands,|with your right hand|tonight|at noon,|when the bell rings,|once an hour|for my sister,|quietly"""),
    'zh': _split("""轻轻地|慢慢地|小心地|快速地|悄悄地|用左手|用右手|用双手|明天早上|五点|每天早上|十分钟后|下午三点|午饭后|今晚|周一|每隔一小时|用两根手指|慢慢|轻轻|晚上八点|中午
替我妹妹|替奶奶|下周|用夹子|小心翼翼地|明天|后天"""),
}
# Why: nothing is lost when it is not planned.
REASONS_AFTER = {
    'en': _split("""because my mother is coming|because I can't reach it|my hands are full|so that nobody trips|since it's getting late|I'm in a hurry
because the guests are coming|my back hurts|I can't get up|so I can start cooking|because I need to leave soon|it's bothering me
otherwise I'll forget|before I forget|as I asked before|I've been waiting all day|it's been lying around for days|or we'll be late
because I said so|so we can go home|it is getting on my nerves|because it's cold in here|so that I can see better|I'm busy right now
because my leg is broken|as it is in the way|you know I can't|since you are there anyway|if it's not too much trouble|that's what I want"""),
    'zh': _split("""我妈要来了|我够不着|我手上有东西|不然会绊倒人|快来不及了|我赶时间|客人要来了|我腰疼|我起不来|我好做饭|我马上要走了|它挡着我了|免得忘了|我等了一天了
都放了好几天了|不然要迟到了|好回家|这里太冷了|这样看得清楚|我现在忙着|我腿断了|因为太乱了|因为碍事|反正你在那边|因为我不方便|我要用了|省得麻烦"""),
}
REASONS_BEFORE = {
    'en': _split("""my mother is coming|my hands are full|I'm in a hurry|the guests are coming|my back hurts|I can't get up|I'm cooking|it's so messy here
I'm busy|it's getting late|I have a meeting soon|the kids are asleep|I just got home|I broke my arm|it's a mess|we're closing soon
I've got visitors coming|as I can't reach it|since you're there|while you're at it|since I can't do it myself|I'm about to leave
the boss is coming|it's my birthday|I don't feel well|I'm so tired|we need some room here|let's tidy up|it's time to tidy up"""),
    'zh': _split("""我妈要来了|我手上有东西|我赶时间|客人要来了|我腰疼|我起不来|我在做饭|这里太乱了|我在忙|时间不早了|我马上要开会|孩子睡着了|我刚到家|我手断了|快打烊了
有客人来|既然你在那边|老板要来了|今天我生日|我不舒服|我好累|要腾点地方|该收拾一下了|我走不开|反正你没事"""),
}
for _lang in ('en', 'zh'):
    REASONS_AFTER[_lang] += _more(_lang)
    REASONS_BEFORE[_lang] += tuple(r for r in _more(_lang) if not r.startswith(('if ', 'because', '不然', '免得', '方便')))
# A place that names nothing; the second list holds content that is told back.
PLACELESS = {
    'en': (('back', 'over there', 'away', 'there', 'down', 'aside', 'here', 'somewhere', 'over here'),
           ('where it belongs', 'on your left', 'where I showed you', 'somewhere safe', 'in its usual place', 'out of the way',
            'on your right', 'outside', 'upstairs', 'where I can see it', 'within my reach')),
    'zh': (('那边', '一边', '那里', '旁边', '这儿'), ('原来的地方', '安全的地方', '你左边', '我看得见的地方', '老地方', '外面', '楼上', '我够得着的地方')),
}
