"""Which arithmetic a device has."""

from __future__ import annotations

import torch


def has_bf16(device: torch.device) -> bool:
    """Return whether the device multiplies bfloat16 itself; emulated it is slower than float32."""
    if device.type == 'cuda':
        return torch.cuda.is_bf16_supported(including_emulation=False)
    # Older versions do not tell.
    has = getattr(torch.cpu, 'get_capabilities', dict)()
    return bool(has.get('avx512_bf16') or has.get('amx_bf16'))
