"""The page: its head, its sections in order, and the file."""

import os
from html import escape
from importlib import resources
from typing import TYPE_CHECKING

from jitcnn.report.facts import Facts, collect
from jitcnn.report.pictures import can_draw, draw_all
from jitcnn.report.sections import head, sections
from jitcnn.runs.folder import Run
from jitcnn.storage.atomic import replace_file

if TYPE_CHECKING:
    from jitcnn.data import Dataset

NAME = "report.html"
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"  # nothing from outside, whatever a class may be called


def write(path: str | os.PathLike | Run, dataset: "Dataset | None" = None, source: str | None = None, threads: int | None = None) -> Facts:
    """Write `report.html` into a run's folder.

    Parameters
    ----------
    path : path or Run
        The folder.
    dataset : Dataset, optional
        The data, if they are in memory; otherwise those that the run's settings name are read.
    source : str, optional
        Where the data are instead of where the settings say.
    threads : int, optional
        How many threads compute; all if missing.

    Returns
    -------
    Facts
        What the page says; `missing` tells why there is nothing about the data, where there is not.

    Raises
    ------
    ValueError
        If it is no run's folder, there is no model in it yet, or `source` cannot be read.
    """
    run = path if isinstance(path, Run) else Run(path)
    facts = collect(run, dataset, source, threads)
    text = page(facts)
    replace_file(run.path / NAME, lambda stream: stream.write(text.encode()))
    return facts


def page(facts: Facts) -> str:
    """The page of a run as HTML, the same for the same folder and data."""
    parts = sections(facts, draw_all(facts) if can_draw() else {})
    links = "".join(f'<a href="#{part.name}">{escape(part.title)}</a>' for part in parts)
    body = "\n".join(f'<section id="{part.name}"><h2>{escape(part.title)}</h2>{part.html}</section>' for part in parts)
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(facts.run.name)}</title>'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>\n{style_sheet()}</style></head>\n'
        f'<body><header>{head(facts)}</header><nav aria-label="Sections">{links}</nav><main>\n{body}\n</main></body></html>\n'
    )


def style_sheet() -> str:
    """The page's colours and sizes."""
    return resources.files(__package__).joinpath("page.css").read_text()
