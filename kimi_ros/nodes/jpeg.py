"""Finding JPEG data that was damaged on the way: decoders fill it up without an error."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from kimi_ros.nodes.errors import ImageFormatError

_SOI, _EOI = b'\xff\xd8', b'\xff\xd9'
_DHT, _SOS = 0xC4, 0xDA
_FRAMES = {0xC0, 0xC1, 0xC2}  # SOF markers of Huffman-coded images: baseline, extended, progressive
_STANDALONE = {0x01, *range(0xD0, 0xD9)}  # markers without a segment
_MIN_RUN = 64  # zero bytes


@dataclass
class _Header:
    """What precedes the pixels.

    :ivar data: where the first scan's data begin.
    :ivar blocks: blocks of 8x8 samples, of all components.
    :ivar zero_ends_block: all-zero bits can mean blocks without detail, the most frequent symbol
        of a Huffman table made for a plain image.
    """

    data: int = 0
    blocks: int = 0
    zero_ends_block: bool = False
    tables: dict[int, int] = field(default_factory=dict)  # first symbol of each AC table


def check_jpeg(content: bytes) -> None:
    """Raise ImageFormatError for a JPEG that is truncated or partly overwritten with zeros.

    Anything that does not begin like a JPEG is left to the decoder.
    """
    if content[:2] != _SOI:
        return
    end = content.rfind(_EOI, len(content) // 2)
    if end < 0:
        raise _damaged(content, 'is truncated')
    try:
        header = _read_header(content)
    except (IndexError, ValueError, ZeroDivisionError, struct.error):
        return  # the decoder says more
    if not header.data:
        return
    start = content.find(bytes(_MIN_RUN), header.data, end)
    if start < 0:
        return
    run = len(content[start:end]) - len(content[start:end].lstrip(b'\0'))
    # Where all-zero bits mean detail, such a run says -1 for all frequencies of block after block,
    # which no camera sees. Where they mean none, a run of all blocks has about two bits for each.
    if not header.zero_ends_block or run * 8 > 2 * header.blocks + 8 * _MIN_RUN:
        raise _damaged(content, f'has {run} zero bytes in place of pixels')


def _read_header(content: bytes) -> _Header:
    """Read the segments up to the first scan."""
    header, at = _Header(), 2
    while True:
        if content[at] != 0xFF:
            return header
        marker = content[at + 1]
        if marker == 0xFF or marker in _STANDALONE:
            at += 1 if marker == 0xFF else 2
            continue
        (length,) = struct.unpack_from('>H', content, at + 2)
        segment = content[at + 4 : at + 2 + length]
        if marker in _FRAMES:
            height, width, components = struct.unpack_from('>HHB', segment, 1)
            factors = [segment[7 + 3 * i] for i in range(components)]
            widest, highest = max(f >> 4 for f in factors), max(f & 15 for f in factors)
            units = -(-width // (8 * widest)) * -(-height // (8 * highest))
            header.blocks = units * sum((f >> 4) * (f & 15) for f in factors)
        elif marker == _DHT:
            _read_tables(segment, header)
        at += 2 + length
        if marker == _SOS:
            header.data = at
            header.zero_ends_block = 0 in header.tables.values() or not header.tables
            return header


def _read_tables(segment: bytes, header: _Header) -> None:
    """Note the symbol of the all-zero code of each AC table; symbol 0 is the end of a block."""
    at = 0
    while at < len(segment):
        kind, counts = segment[at], segment[at + 1 : at + 17]
        if kind >> 4 == 1:
            header.tables[kind & 15] = segment[at + 17]
        at += 17 + sum(counts)


def _damaged(content: bytes, how: str) -> ImageFormatError:
    return ImageFormatError(
        f'the JPEG of {len(content)} bytes {how}: check the connection to the camera'
    )
