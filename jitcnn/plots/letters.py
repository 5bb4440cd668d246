"""Letters that the typeface of the pictures lacks, such as Chinese ones: taken from other fonts on this machine, or said to be missing."""

import functools
import unicodedata
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TYPEFACE = "DejaVu Sans"  # comes with matplotlib
NO_LETTERS = "Last Resort"  # draws boxes, for any letter

_told: set[str] = set()


def find_letters(figure: "Figure") -> None:
    """Let a figure's texts take from other fonts what the typeface lacks; of words with letters that no font has, warn once."""
    from matplotlib.text import Text

    texts = [text for text in figure.findobj(Text) if not text.get_text().isascii()]
    lacking = [text for text in texts if set(text.get_text()) - letters_of(typeface()) - {"\n"}]
    if not lacking:
        return
    written = " ".join(text.get_text() for text in lacking)
    missing = frozenset(written) - letters_of(typeface()) - {"\n"}
    families = other_families(missing)
    for text in lacking:
        text.set_fontfamily([TYPEFACE, *families])
    left = missing.difference(*families.values())
    words = [word for word in dict.fromkeys(word.strip(",.:…") for word in written.split()) if left & set(word) and word not in _told]
    if words:
        _told.update(words)
        named = ", ".join([*words[:3], "…"] if words[3:] else words)
        warnings.warn(
            f"no font on this machine has the letters of {named}, which are boxes in the picture: "
            "install one that has them (Debian, Ubuntu: apt install fonts-noto fonts-noto-cjk)",
            stacklevel=4,
        )


def width_of(text: str) -> int:
    """How many Latin letters are as wide; a Chinese, Japanese or Korean one counts as two."""
    return sum(2 if unicodedata.east_asian_width(letter) in "FW" else 1 for letter in text)


def typeface() -> str:
    """The file of the typeface."""
    from matplotlib.font_manager import findfont

    return str(findfont(TYPEFACE))


@functools.cache
def letters_of(path: str) -> frozenset[str]:
    """The letters that a font's file has outlines of; none if it cannot be read."""
    from matplotlib.ft2font import FT2Font

    with suppress(RuntimeError, OSError):
        font = FT2Font(path)
        if font.scalable:  # others have bitmaps, of one size
            return frozenset(map(chr, font.get_charmap()))
    return frozenset()


@functools.cache
def other_families(letters: frozenset[str]) -> dict[str, frozenset[str]]:
    """Installed fonts that have some of these letters: family -> those that it adds; the one that has most comes first."""
    from matplotlib.font_manager import findSystemFonts, fontManager

    known = {font.fname for font in fontManager.ttflist}
    for path in map(str, findSystemFonts()):  # matplotlib keeps a list, which may be older than a font
        if path not in known:
            with suppress(RuntimeError, OSError):
                fontManager.addfont(path)
    regular = [font for font in fontManager.ttflist if font.style == "normal" and not font.name.startswith(NO_LETTERS)]
    having = {font.name: letters & letters_of(font.fname) for font in sorted(regular, key=lambda font: font.fname)}
    families: dict[str, frozenset[str]] = {}
    while letters and (best := max(having, key=lambda name: len(having[name] & letters))) and having[best] & letters:
        families[best] = having[best] & letters
        letters -= having[best]
    return families
