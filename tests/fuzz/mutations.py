"""Bytes of a file changed a little, as hypothesis draws it: what a bad disk, a cut connection or somebody hostile makes of it."""

import re
from collections.abc import Sequence

from hypothesis import strategies as st

WHOLE = (0, 1, -1, 2, 4, 127, 128, 255, 256, 1032, 2**15, 2**16, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**62, 2**63 - 1, -(2**63))
SPELLED = [*b'0 -1 1e999 NaN -Infinity 2147483648 9223372036854775808 0.5 true "" []'.split(), b"1" + b"0" * 40]
NUMBER = re.compile(rb"-?\d+")


@st.composite
def changed(draw, samples: Sequence[bytes], words: Sequence[bytes]):
    """One of the samples after up to four changes."""
    content = bytearray(draw(st.sampled_from(samples)))
    for _ in range(draw(st.integers(1, 4))):
        draw(st.sampled_from(CHANGES))(draw, content, samples, words)
    return bytes(content)


def place(draw, content: bytearray) -> int:
    """Somewhere in it; more often near the start, where headers are."""
    most = max(0, len(content) - 1)
    return draw(st.integers(0, min(most, 64)) | st.integers(0, most))


def flip(draw, content, samples, words):
    if content:
        content[place(draw, content)] ^= 1 << draw(st.integers(0, 7))


def overwrite(draw, content, samples, words):
    start = place(draw, content)
    content[start : start + 8] = draw(st.binary(max_size=8))


def number(draw, content, samples, words):
    """A whole number of 1 to 8 bytes, in either byte order."""
    size, start = draw(st.sampled_from((1, 2, 4, 8))), place(draw, content)
    value = draw(st.sampled_from(WHOLE)) % 2 ** (8 * size)
    content[start : start + size] = value.to_bytes(size, draw(st.sampled_from(("little", "big"))))


def spelled(draw, content, samples, words):
    """Another number where one is written in digits."""
    found = list(NUMBER.finditer(bytes(content[: 2**16])))
    if found:
        match = draw(st.sampled_from(found))
        content[match.start() : match.end()] = draw(st.sampled_from(SPELLED))


def cut(draw, content, samples, words):
    del content[place(draw, content) :]


def remove(draw, content, samples, words):
    start = place(draw, content)
    del content[start : start + draw(st.integers(1, 40))]


def repeat(draw, content, samples, words):
    start = place(draw, content)
    content[start:start] = content[start : start + draw(st.integers(1, 40))] * draw(st.sampled_from((1, 2, 9, 300)))


def insert(draw, content, samples, words):
    start = place(draw, content)
    content[start:start] = draw(st.sampled_from(words) if words else st.binary(max_size=8))


def join(draw, content, samples, words):
    """The end of another sample."""
    other = draw(st.sampled_from(samples))
    content[place(draw, content) :] = other[draw(st.integers(0, max(0, len(other) - 1))) :]


CHANGES = (flip, overwrite, number, spelled, cut, remove, repeat, insert, join)
