"""Which camera an instruction asks for: "with the front camera", 用左边的摄像头."""

from __future__ import annotations

import re
from collections.abc import Iterable

_CHINESE = {
    'left': '左',
    'right': '右',
    'front': '前',
    'back': '后',
    'rear': '后',
    'top': '上|顶|头顶',
    'overhead': '上|顶|头顶',
    'bottom': '下|底',
    'side': '侧',
    'head': '头',
    'chest': '胸前?|胸口',
    'hand': '手|手上|手里',
    'wrist': '手?腕|手?腕上',
    'arm': '手臂|机械臂|胳膊',
    'gripper': '夹爪|夹子|手爪',
    'base': '底盘|底座',
}
_EN = (
    r'(?P<question>\b(?:what|who|which)(?P<kind>\b.*?) '
    r'(?:does|can|could) the {name} cam(?:era)? see)'
    r'|(?:^|\b|, )(?:(?:by )?using|use|with|through|via|from|in|on|'
    r'look(?:ing)? (?:through|with|at)) '
    r'(?:the |your )?{name} cam(?:era)?(?:\'s (?:view|image|picture))?'
    r'(?: (?:and|to))?(?=$|[,.;:!?\s])[,:]?'
)
_ZH_CAMERA = '(?:摄像头|相机|摄像机|镜头)'
_ZH_NAME = '(?:{name})(?:边|侧|面|方|部|上)?(?:的)?(?:那个)?'
_ZH = (
    f'(?P<sees>{_ZH_NAME}{_ZH_CAMERA}(?:能|可以)?(?:看[到见得]+))'
    f'|(?:用|使用|从|通过|拿|在|看看?){_ZH_NAME}{_ZH_CAMERA}(?:里面?|中|上|画面|来|去)*[，,：]?'
    f'|{_ZH_NAME}{_ZH_CAMERA}(?:里面?|中|上|画面)+[，,：]?'
)


class UnknownCameraError(Exception):
    """An instruction names a camera that there is not; `name` as it was said."""

    def __init__(self, name: str):
        super().__init__(name)
        self.name = name


def named_camera(instruction: str, cameras: Iterable[str]) -> tuple[str, str]:
    """Return the camera that an instruction names, and the instruction without its name.

    ('', instruction) where it names none, or where there are not several.

    :param cameras: their names, as the parameter `cameras` lists them: 'left', 'r1/front_camera'.
    :raises UnknownCameraError: it names one of another place: "with the rear camera".
    """
    cameras = [c for c in cameras if c]
    if len(cameras) < 2:
        return '', instruction
    for camera in sorted(cameras, key=len, reverse=True):
        words = _words(camera)
        if words and (rest := _without(instruction, words)) is not None:
            return camera, rest
    known = {word for camera in cameras for word in _words(camera)}
    for word in _CHINESE:
        if word not in known and _without(instruction, [word]) is not None:
            raise UnknownCameraError(word)
    return '', instruction


def _words(camera: str) -> list[str]:
    """Return the words by which people call a camera: 'front' of 'r1/front_camera'."""
    parts = re.split('[_/]', camera.rsplit('/', 1)[-1].lower())
    return [part for part in parts if part and part not in ('cam', 'camera', 'link', 'optical')]


def _without(instruction: str, words: list[str]) -> str | None:
    """Return the instruction without the phrase that names a camera, None without that phrase."""
    english = re.compile(_EN.format(name='[ _-]?'.join(map(re.escape, words))), re.IGNORECASE)
    chinese = re.compile(_ZH.format(name=''.join(f'(?:{_chinese(word)})边?的?' for word in words)))
    if match := english.search(instruction):
        told = f'what{match["kind"]} do you see' if match['question'] else ' '
    elif match := chinese.search(instruction):
        told = '你看到' if match['sees'] else ''
    else:
        return None
    rest = instruction[: match.start()] + told + instruction[match.end() :]
    return re.sub(r'\s+([,.;:!?]|$)', r'\1', re.sub(r'\s{2,}', ' ', rest)).strip(' ,，')


def _chinese(word: str) -> str:
    return '|'.join((_CHINESE.get(word, ''), re.escape(word))).strip('|')
