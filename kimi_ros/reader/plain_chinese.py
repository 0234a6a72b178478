"""Chinese requests in plain words: wishes and rarer verbs as requests with 把.

我够不到杯子 is 把杯子拿给我, 把箱子攥住 is 把箱子拿起来, 钥匙哪去了 is 钥匙在哪里.
"""

from __future__ import annotations

from collections.abc import Callable

from kimi_ros.reader.rewriting import Form, Rewriting, rewritten

_TAKE = '拣捡拾攥握抓捏夹钳拎提取端托举捞揪拽抬擒抱叼'
_PUT = '搁摆卸塞丢扔投摞搭挪移送传搬安码插倒扣架'
_GIVE = '传递送捧拿带弄推挪移端取'
# A noun phrase: it begins with no word of asking or forbidding.
_X = r'(?P<x>(?![别不勿请你您帮给快能可先再就我他她让]|麻烦|劳驾)[^，,。！？!?；;把将]+?)'
_Y = r'(?P<y>[^，,。！？!?；;]+)'
_END = r'(?=$|[，,。！？!?；;]|吧|好吗|好不好|行吗|可以吗|然后|接着|再|谢谢)'
_HAND = r'(?:你的|你那)?(?:爪子|夹爪|手爪|双手|手|机械手|机械臂|夹子|手指|手掌|胳膊)'
_TO_ME = r'(?:我(?:这边|这里|这儿|跟前|面前|手里|手上|手边|身边|旁边)?|这边|这里|这儿)(?:来|这来)?'
_PLACE = '桌面|桌子|地面|台面|桌'

_SURE: tuple[Form, ...] = (
    (rf'(?:^|(?<=[，,。！!；; ]))我(?:想要|要|需要)(?=[这那一两某]){_X}{_END}', '{give}'),
    (rf'(?P<verb>对准|瞄准|指向|聚焦到?)了?{_X}{_END}', '{verb=指出}{x}'),
    (r'(?:跑|走|去|过来|辛苦)一[趟下][，,、]?', ''),
    (r'别(?:拿|动|碰)[，,]先', ''),
    (
        r'我?(?<!不)(?:想|要|得|需要|待会儿要|等会儿要|一会儿要|准备|打算)'
        r'(?:用|摸摸?|看看?|检查|试试?|闻闻?|借用?|使|瞧瞧?)(?:一下|用)?'
        rf'{_X}[，,](?:先|快)?(?:帮我|给我|替我|麻烦|请)*[{_GIVE}](?:过来|来|给我|到{_TO_ME}){_END}',
        '{give}',
    ),
    (rf'(?:[把将])?{_X}[{_GIVE}](?:到|给|来|过来|向)+{_TO_ME}{_END}', '{give}'),
    (rf'[把将]{_X}[{_GIVE}]回来{_END}', '{give}'),
    (rf'(?:[^，,。]{{0,6}}[，,])?我?(?:够不[到着]|拿不[到着]|摸不[到着]){_X}{_END}', '{give}'),
    (rf'让{_X}离开(?:{_PLACE})(?:[，,]悬在(?:半空|空中))?', '把{x}拿起来'),
    (
        r'(?:有谁|谁|有没有人|你)?(?:知不知道|知道|(?:请)?(?:协助)?(?:查明|打听(?:一下)?|找出))'
        rf'{_X}的(?:下落|去向|方位|踪迹|行踪)',
        '{x}在哪里',
    ),
    (
        rf'{_X}(?:怎么|咋)?(?:没影|不见|没|丢|失踪|消失)了{_END}'
        rf'(?:[，,](?:它|你)?[^，,。]{{0,6}}(?:哪|找)[^，,。]*)?',
        '{x}在哪里',
    ),
    (
        rf'{_X}(?:上哪|跑哪|去哪|跑到哪|到哪)(?:儿|里)?(?:去)?了?{_END}'
        rf'|{_X.replace("<x>", "<y>")}在哪(?:嘎达|疙瘩|旮旯)',
        '{x}{y}在哪里',
    ),
)
_FORMS: tuple[Form, ...] = (
    (rf'我(?:需要|想|要|得|急需|急着)用(?:一下|一用)?{_X}{_END}', '{give}'),
    (
        rf'(?:[把将])?{_X}(?P<verb>[拿移抬提搬举升](?:离|开|高|起))(?:一?点儿?|一?些)?'
        rf'(?:[，,]?(?:离开)?(?:{_PLACE}))?{_END}',
        '把{x}{verb=拿起来}',
    ),
    (rf'(?:用{_HAND})(?=[把将])', ''),
    (rf'用{_HAND}(?P<verb>[{_TAKE}])[住起紧牢稳来上]*{_Y}', '把{y}{verb=拿起来}'),
    (
        rf'(?:在画面[上里中])?[把将]{_X}(?P<verb>(?:圈|框|标记|标|指|点)(?:一下|出来|出|起来|给我看'
        r'|给我)+)',
        '{verb=指出}{x}',
    ),
    (rf'用手(?P<verb>[指点])(?:一下|出|着|向)+{_Y}', '{verb=指出}{y}'),
    (rf'我?(?:老|总|怎么也|怎么都)*(?:找|看|瞧)不[着到见]了?{_X}{_END}', '找{x}'),
    (rf'(?:看看?|瞧瞧?|瞅瞅?)(?:一下|一眼)?{_X}(?:在|搁)哪边', '{x}在哪里'),
    (
        rf'(?:带上|拿上|拿着|带着|捡起|取来){_X}[，,]?(?P<verb>[放{_PUT}])(?P<in>[到在进上]){_Y}',
        '把{x}{verb=放}{in}{y}',
    ),
    (rf'让{_X}换个地方[，,]?(?:去|到|进到?){_Y}', '把{x}放到{y}'),
)  # fmt: skip
_VERBS: tuple[Form, ...] = (
    (
        rf'[把将]{_X}(?P<verb>[{_TAKE}])(?:住|起来|起|紧|牢|稳|上来|在(?:你的)?手[里中上心])+',
        '把{x}{verb=拿起来}',
    ),
    (rf'[把将]{_X}(?P<verb>[{_PUT}])(?P<in>[到在进上]){_Y}', '把{x}{verb=放}{in}{y}'),
)


def plain_chinese(
    text: Rewriting, is_named: Callable[[str], bool], give: str
) -> tuple[Rewriting, Rewriting]:
    """Return a request in words that surely mean the same, and in the plainest ones.

    :param is_named: tells whether a skill is named or described by a verb, which then stays.
    :param give: what asks for {x}, as a template.
    """
    sure = rewritten(text, _SURE, {'{give}': give})
    plain = rewritten(sure, _FORMS, {'{give}': give})
    return sure, rewritten(plain, _VERBS, {}, is_named)
