"""Compiled modules: what of a training costs most, as one loop instead of many."""

from __future__ import annotations

import shutil
from collections.abc import Iterable

import torch
import torch._dynamo.config as dynamo_config
import torch.fx.experimental._config as shape_config
from torch import nn

from kimi_train.precision import has_bf16

_COMPILERS = ('c++', 'g++', 'clang++')


def can_compile(device: torch.device) -> bool:
    """Tell whether compiling is worth it: on a processor with bfloat16 and with a C++ compiler."""
    if device.type != 'cpu' or not has_bf16(device):
        return False
    return any(map(shutil.which, _COMPILERS))


def compile_forward(parts: Iterable[nn.Module | type[nn.Module]]) -> None:
    """Compile the forward pass of modules, or of all modules of a class in this process.

    The first steps take minutes more, all others about half of the time.
    """
    # Sizes that happen to be equal are no reason to compile again; beyond its limit of
    # recompilations, torch would run the modules uncompiled from then on.
    shape_config.use_duck_shape = False
    dynamo_config.recompile_limit = 64
    for part in parts:
        part.forward = torch.compile(part.forward, dynamic=True)
