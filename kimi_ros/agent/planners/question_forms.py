"""Questions in their common forms, recognised without a reader: a model that plans writes plans."""

from __future__ import annotations

import re

from kimi_ros.agent.draft import DraftQuestion
from kimi_ros.agent.noun_matching import is_chinese
from kimi_ros.agent.references import Reference, parse_reference
from kimi_ros.agent.vocabulary import singular

_RELATION = (
    r'(?P<relation>(?:to the |on the )?(?:left|right) (?:side )?of|in front of|next to|on top of|'
    r'in|on|behind|beside|inside|near|under|above|between)'
)
_ARTICLE = r'(?:the |a |an |any |my |your )?'
_COLOR = (
    r'red|orange|yellow|green|blue|purple|black|white|pink|brown|gr[ae]y|large|big|small|little|'
    r'medium'
)
_EN = [
    ('count', r'how many (?P<thing>.+?)(?: are there| do you see| can you see| are visible)?'
              r'(?: here| on the table| in view| in the picture)?'),
    ('attribute', rf'what colou?r (?:is|are) {_ARTICLE}(?P<thing>.+)'),
    ('what', rf'(?:what|which thing|what thing|what object)(?: is|\'s| are| stands| lies) '
             rf'{_RELATION} {_ARTICLE}(?P<mark>.+)'),
    ('count', r'count (?:all )?(?:the |my )?(?P<thing>.+)'),
    ('presence', r'(?:is|are) there (?:a |an |any |some )(?P<thing>.+?)(?: here| anywhere)?'),
    ('presence', r'(?:can|do|could) you see (?:a |an |any )(?P<thing>.+?)(?: here| anywhere)?'),
    ('relation', rf'(?:is|are) {_ARTICLE}(?P<thing>[^,]+?) {_RELATION} {_ARTICLE}(?P<mark>.+)'),
    ('attribute', rf'(?:is|are) {_ARTICLE}(?P<thing>[^,]+?) (?P<value>{_COLOR})'),
    ('text', r'what (?:does|do) (?:the |that |this |it )?(?P<thing>.*?) ?say|'
             r'(?:can you |please )?read (?:me )?the (?P<read>label|text|sign|writing)(?: .+)?'),
]  # fmt: skip
_ZH_RELATION = '(?P<relation>左边|左面|右边|右面|前面|后面|旁边|里面|上面|下面|里|上|中间|之间)'
_ZH_COLOR = '红|橙|黄|绿|蓝|紫|黑|白|粉|棕|灰|大|小|中等'
_ZH = [
    (
        'count',
        '(?:桌子上|桌上|这里|画面里)?(?:一共)?有(?:几|多少)'
        '(?:个|只|本|把|块|支|根|瓶|张|辆|部)?(?P<thing>[^，]+?)',
    ),
    ('count', '(?:数一下|数一数|数数)(?:有几个)?(?P<thing>[^，]+?)'),
    ('count', '(?P<thing>[^，]+?)(?:一共)?有(?:几|多少)(?:个|只|本|把|块|支|根|瓶|张|辆|部)?'),
    ('attribute', '(?P<thing>.+?)(?:是什么颜色|什么颜色|是啥颜色)的?'),
    ('what', f'(?:在)?(?P<mark>.+?)的?{_ZH_RELATION}(?:是|有|放着|摆着)(?:什么|啥)(?:东西)?'),
    ('relation', f'(?P<thing>[^，]+?)(?:是不是|是)?在(?P<mark>.+?)的?{_ZH_RELATION}'),
    ('attribute', f'(?P<thing>[^，]+?)(?:是不是|是)(?P<value>(?:{_ZH_COLOR})色?)的?'),
    ('presence', '(?:桌子上|桌上|这里|那里)有(?P<thing>[^，？?]+?)'),
    ('presence', '(?:桌子上|桌上|这里)?有没有(?P<thing>[^，？?]+?)'),
    ('text', '(?P<thing>.+?)上?写(?:着|的是|了)什么'),
]  # fmt: skip
# A form with these asks for the whole view, or for something to be done or found.
_NO_THING = {
    'en': re.compile(
        r'^(?:it|this|that|they|there|you|we|things|objects)$|\b(?:there|any|anything|something|'
        r'and|what|chance|possible|able|to|hidden|anyone|anybody)\b'
    ),
    'zh': re.compile(
        '^(?:这|那|它|东西|什么东西)?$|看|见|人|办法|可能|瞧|哪|什么|啥|放|让|指|知道|发现|能|可以|怎么|告诉|有'
    ),
}
_NO_MARK = {
    'en': re.compile(
        r'^(?:me|you|us|it|this|that|there|front.*|your .*|something|.*\bor\b.*|'
        r'(?:the )?(?:table|desk|view|field|picture|image|scene|photo|room|world|side))\b'
    ),
    'zh': re.compile(
        '^(?:.*桌子?面?|.*台|画面|图|图像|图片|.*镜头|.*视野|.*摄像头|场景|.*我|.*你|前|.*这|.*那|.*哪|面前|咱们?|您)$|'
        '[，,]|说|看|数|什么|啥'
    ),
}
_EVERYTHING = ('things', 'objects', '东西', '物体')  # what may be counted all the same
_FORMS = {
    'en': [(kind, re.compile(pattern, re.IGNORECASE)) for kind, pattern in _EN],
    'zh': [(kind, re.compile(pattern)) for kind, pattern in _ZH],
}
_ZH_ASKS = re.compile('[吗呢么]|什么|啥|几|多少|有没有|是不是')
# What people say before a question; and where everything stands, which tells nothing apart.
_BEFORE = re.compile(
    r"^(?:please )?(?:(?:tell me|i can't see it|i cannot see it)[,:]? )?", re.IGNORECASE
)
_SURFACE = re.compile(r' on the (?:table|desk)\b')

_SEEING = re.compile(
    r'\b(?:can|do|did|could) you (?:see|spot|make out)\b|'
    '(?:看得到|看得见|能看到|能看见|看到了?|看见了?).*(?:吗|没有?)[？?]?$',
    re.IGNORECASE,
)


def parse_question(instruction: str) -> DraftQuestion | None:
    """Return the question that an instruction is, None for a request or a form not known."""
    text = instruction.strip()
    if is_chinese(text):
        if not _ZH_ASKS.search(text):
            return None
        return _matched('zh', re.sub('^(?:请问|告诉我|那个?|这个?)|[吗呢啊呀？?。！!]+$', '', text))
    text = re.sub(r'[?.! ]+$', '', _BEFORE.sub('', text, count=1))
    return _matched('en', _SURFACE.sub('', text))


def asks_to_see(instruction: str) -> bool:
    """Tell whether a request to find something is put as a question: "can you see the cup?"."""
    return _SEEING.search(instruction) is not None


def _matched(language: str, text: str) -> DraftQuestion | None:
    for kind, pattern in _FORMS[language]:
        if match := pattern.fullmatch(text):
            parts = {k: v.strip() for k, v in match.groupdict().items() if v}
            thing = parts.get('thing', 'x').lower()
            bare = kind == 'count' and thing in _EVERYTHING
            if re.search('[?？]', thing) or (_NO_THING[language].search(thing) and not bare):
                return None
            if _NO_MARK[language].search(parts.get('mark', 'x').lower()):
                return None
            return DraftQuestion(kind, _references(parts, language), parts.get('value', ''))
    return None


def _references(parts: dict[str, str], language: str) -> tuple[Reference, ...]:
    thing = parts.get('thing') or parts.get('read') or ('东西' if language == 'zh' else 'thing')
    if 'mark' not in parts:
        return (parse_reference(singular(thing)),)
    relation, mark = parts['relation'], parts['mark']
    if language == 'zh':
        return (parse_reference(f'{mark}{relation}的{thing}'),)
    return (parse_reference(f'{thing} {relation} the {mark}'),)
