"""Yes and no, as the agent's questions are answered in training and read in use."""

from __future__ import annotations

YES = {'en': ('Yes', 'No'), 'zh': ('有', '没有')}  # is it there?
IS = {'en': ('Yes', 'No'), 'zh': ('是', '不是')}  # is it this?
