"""HTML: everything that comes from outside is escaped here."""

import base64
from collections.abc import Mapping, Sequence
from html import escape

from jitcnn.report.pictures import Picture

LONG = 60  # characters of a setting that takes a line of its own


def paragraph(text: str, kind: str = "") -> str:
    """A paragraph; `kind` is a class of the style sheet."""
    return f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


def tiles(numbers: Mapping[str, str]) -> str:
    """A few numbers that are seen first, by name."""
    return (
        f'<dl class="tiles">{"".join(f"<div><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>" for name, text in numbers.items())}</dl>'
    )


def table(rows: Sequence[Sequence[str]], caption: str) -> str:
    """A table whose first row and first column are headings; on a narrow screen it scrolls by itself."""
    head, *body = rows
    first = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in head)
    lines = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>{"".join(f"<td>{escape(cell)}</td>" for cell in row[1:])}</tr>' for row in body
    )
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{escape(caption)}"><table><caption>{escape(caption)}</caption>'
        f"<thead><tr>{first}</tr></thead><tbody>{lines}</tbody></table></div>"
    )


def definitions(entries: Mapping[str, object]) -> str:
    """Names and what they are."""
    lines = []
    for name, value in entries.items():
        text = text_of(value)
        kind = ' class="long"' if len(text) > LONG else ""
        lines.append(f"<div{kind}><dt>{escape(name)}</dt><dd>{escape(text)}</dd></div>")
    return f"<dl>{''.join(lines)}</dl>"


def text_of(value: object) -> str:
    """A setting as people write it."""
    if isinstance(value, list | tuple):
        return ", ".join(map(text_of, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.6g}" if isinstance(value, float) else str(value)


def commands(*lines: str) -> str:
    """Lines to copy to a shell."""
    return f"<pre><code>{escape(chr(10).join(lines))}</code></pre>"


def figure(picture: Picture) -> str:
    """A picture in the page itself, on paper as dark as the page is."""
    light, dark = (f"data:image/png;base64,{base64.b64encode(data).decode()}" for data in (picture.light, picture.dark))
    about = escape(picture.about)
    return (
        f'<figure class="wide" tabindex="0"><picture><source srcset="{dark}" media="(prefers-color-scheme: dark)">'
        f'<img src="{light}" alt="{about}"></picture></figure>'
    )
