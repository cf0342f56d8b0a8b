"""Makes pictures of screens a third as heavy: 256 colours, of which a screen has few others, and no filters."""

import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_RGB, _RGBA, _PALETTE = 2, 6, 3
_COLOURS = 256

Colour = tuple[int, int, int]


def shrink(path: Path) -> None:
    """Writes the picture anew. path: a PNG with 8 bits for each of red, green and blue, not interlaced."""
    content = path.read_bytes()
    assert content.startswith(_SIGNATURE)
    chunks = list(_chunks(content))
    [header] = [data for kind, data in chunks if kind == b"IHDR"]
    width, height, depth, kind, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    assert (depth, interlaced) == (8, 0)
    assert kind in (_RGB, _RGBA)
    raw = zlib.decompress(b"".join(data for kind, data in chunks if kind == b"IDAT"))
    step = 3 if kind == _RGB else 4
    plain = _unfiltered(raw, width * step, height, step)
    pixels = list(zip(plain[0::step], plain[1::step], plain[2::step], strict=True))
    counted = Counter(pixels)
    palette = _palette(counted)
    place = {colour: at for at, colour in enumerate(palette)}
    for colour in counted:
        if colour not in place:
            place[colour] = _nearest(palette, *colour)
    indices = bytes(place[pixel] for pixel in pixels)
    rows = (b"\0" + indices[start : start + width] for start in range(0, len(indices), width))
    path.write_bytes(
        _SIGNATURE
        + _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, _PALETTE, 0, 0, 0))
        + _chunk(b"PLTE", b"".join(map(bytes, palette)))
        + _chunk(b"IDAT", zlib.compress(b"".join(rows), 9))
        + _chunk(b"IEND", b"")
    )


def _palette(counted: Counter[Colour]) -> list[Colour]:
    """The commonest of each kind of colour first, so that few pixels of red do not give way to many kinds of grey."""
    common = [colour for colour, _ in counted.most_common()]
    kinds: dict[Colour, Colour] = {}
    for red, green, blue in common:
        kinds.setdefault((red >> 5, green >> 5, blue >> 5), (red, green, blue))
    return list(dict.fromkeys([*list(kinds.values())[: _COLOURS // 2], *common]))[:_COLOURS]


def _nearest(palette: list[Colour], red: int, green: int, blue: int) -> int:
    distances = [(r - red) ** 2 + (g - green) ** 2 + (b - blue) ** 2 for r, g, b in palette]
    return distances.index(min(distances))


def _chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while at < len(content):
        (length,) = struct.unpack_from(">I", content, at)
        yield content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        at += length + 12


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def _unfiltered(raw: bytes, stride: int, height: int, step: int) -> bytearray:
    """The bytes of all rows, without the filters: each row's first byte says which it has."""
    found = bytearray()
    above = bytearray(stride)
    for start in range(0, height * (stride + 1), stride + 1):
        row = bytearray(raw[start + 1 : start + 1 + stride])
        match raw[start]:
            case 1:
                for at in range(step, stride):
                    row[at] = (row[at] + row[at - step]) & 255
            case 2:
                for at in range(stride):
                    row[at] = (row[at] + above[at]) & 255
            case 3:
                for at in range(stride):
                    row[at] = (row[at] + ((row[at - step] if at >= step else 0) + above[at]) // 2) & 255
            case 4:
                for at in range(stride):
                    left, corner = (row[at - step], above[at - step]) if at >= step else (0, 0)
                    row[at] = (row[at] + _paeth(left, above[at], corner)) & 255
        found += row
        above = row
    return found


def _paeth(left: int, up: int, corner: int) -> int:
    value = left + up - corner
    return min((left, up, corner), key=lambda one: abs(value - one))
