"""A suite's results as a JSON file for programs and a Markdown page for people, both under bench/results/."""

import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Markdown, with the columns aligned so that the source reads as a table too."""
    lines = [list(header), *(list(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(header))]
    padded = [" | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
    padded.insert(1, " | ".join("-" * width for width in widths))
    return "\n".join(f"| {line} |" for line in padded)


def number(value: float) -> str:
    """Three digits that matter, thousands apart: 23,400, 7.62."""
    if value >= 1000:
        digits = len(str(int(value)))
        return f"{round(value, 3 - digits):,.0f}"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def write(suite: str, title: str, how: str, body: str, machine: dict[str, str], results: Any, folder: Path = RESULTS) -> None:
    """Write `folder`/`suite`.json and .md, and print the page."""
    folder.mkdir(parents=True, exist_ok=True)
    description = "\n".join(f"- {name}: {value}" for name, value in machine.items())
    page = f"# {title}\n\n{how}\n\n{body}\n\n{description}\n"
    (folder / f"{suite}.json").write_text(json.dumps({"machine": machine, "results": results}, indent=1) + "\n")
    (folder / f"{suite}.md").write_text(page)
    print(page)
