"""What stands on the page: results, how they came about, and how to get them again."""

import shlex
from collections.abc import Mapping
from html import escape
from typing import Any, NamedTuple

from jitcnn.metrics import is_metric, largest
from jitcnn.plots.confusion import most_confused
from jitcnn.plots.style import plural
from jitcnn.report.facts import Facts, Measured
from jitcnn.report.markup import commands, definitions, figure, paragraph, table, tiles
from jitcnn.report.pictures import Picture
from jitcnn.runs.folder import CONFIG
from jitcnn.scores import per_class

MOST_CLASSES = 25  # whose confusion matrix is a table too
NO_PICTURES = "There are no pictures on this page: they need matplotlib, pip install 'jitcnn[plots]'. Then make it again: jitcnn report {}"


class Section(NamedTuple):
    """A part of the page that can be linked to."""

    name: str
    title: str
    html: str


def head(facts: Facts) -> str:
    """The run's name, what it is, and the numbers that one looks for first."""
    config, model = facts.run.config, facts.model
    data = config.get("data", {})
    trained = "layers of one's own" if "layers" in config else config.get("train", {}).get("preset", "a network")
    about = f"{trained} on {data.get('name', 'unknown data')}, {plural(model.epochs, 'epoch')}; the {facts.which} model, {model.digest()}"
    numbers = {"parameters": f"{sum(array.size for array in model.parameters.values()):,}"}
    if facts.measured is not None:
        right = {f"accuracy on {plural(len(facts.measured.labels), 'image')}": percent(facts.measured.accuracy)}
        numbers = {**right, "loss on them": f"{facts.measured.loss:.4f}", **numbers}
    seconds = config.get("result", {}).get("seconds")
    if isinstance(seconds, int | float):
        numbers["time, with compiling"] = f"{seconds:.1f} s"
    return f"<h1>{escape(facts.run.name)}</h1>{paragraph(about, 'about')}{tiles(numbers)}"


def sections(facts: Facts, pictures: Mapping[str, Picture]) -> list[Section]:
    """All sections that there is something to say in."""
    found = [Section("result", "Result", _result(facts, bool(pictures)))]
    found += [Section("history", "Curves", _drawn(pictures, "history") + _history(facts))] if facts.run.history["loss"] else []
    if facts.measured is not None:
        found.append(Section("confusion", "Confusion", _drawn(pictures, "confusion") + _confusion(facts.measured, facts.names)))
    titles = {
        "mistakes": "Mistakes",
        "filters": "Filters",
        "weights": "Weights",
        "outputs": "An image's way",
    }
    found += [Section(kind, title, figure(pictures[kind])) for kind, title in titles.items() if kind in pictures]
    found.append(Section("architecture", "Architecture", _drawn(pictures, "graph") + _architecture(facts)))
    found.append(Section("settings", "Settings", _settings(facts.run.config)))
    found.append(Section("repeat", "How to repeat it", _repeat(facts)))
    return found


def _drawn(pictures: Mapping[str, Picture], kind: str) -> str:
    return figure(pictures[kind]) if kind in pictures else ""


def percent(share: float | None) -> str:
    """0.9912 as "99.12 %", "-" for what there is not."""
    return "-" if share is None else f"{100 * share:.2f} %"


def decimals(number: float | None) -> str:
    """A loss, or "-" for what there is not."""
    return "-" if number is None else f"{number:.4f}"


def _result(facts: Facts, drawn: bool) -> str:
    """Loss and accuracy on each part of the data, and the classes one by one."""
    tops = [name for name in facts.run.history if largest(name)]
    rows = [["", "images", "loss", "accuracy", *tops]]
    for name, prefix in (("training, while learning", ""), ("validation", "val_")):
        loss, *shares = (facts.logged(f"{prefix}{metric}") for metric in ("loss", "accuracy", *tops))
        if loss is not None:
            rows.append([name, "", decimals(loss), *map(percent, shares)])
    notes = [] if drawn else [paragraph(NO_PICTURES.format(shlex.quote(str(facts.run.path))), "note")]
    measured = facts.measured
    if measured is None:
        notes.append(paragraph(f"Nothing is said here about single images, since the data cannot be read: {facts.missing}", "note"))
    else:
        shares = [measured.accuracy, *map(measured.top, tops)]
        rows.append([measured.part, f"{len(measured.labels):,}", decimals(measured.loss), *map(percent, shares)])
        if len(measured.labels) < measured.total:
            notes.append(paragraph(f"Measured are the first {len(measured.labels):,} of {measured.total:,} {measured.part}.", "note"))
    html = [table(rows, f"The {facts.which} model" + ("" if facts.epoch is None else f", of epoch {facts.epoch + 1}"))]
    if measured is not None:
        html.append(_classes(measured, facts.names))
    return "".join(notes) + f'<div class="beside">{"".join(html)}</div>'


def _classes(measured: Measured, names: list[str]) -> str:
    rows = [["class", "images", "precision", "recall"]]
    for one in per_class(measured.matrix, names):
        rows.append([one["class"], f"{one['images']:,}", percent(one["precision"]), percent(one["recall"])])
    listed = table(rows, "Precision: of the images taken for the class, those of it. Recall: of the class's images, those recognised.")
    return listed if len(names) <= MOST_CLASSES else folded(f"The {len(names)} classes one by one", listed)


def folded(title: str, html: str) -> str:
    """What only some want to see."""
    return f"<details><summary>{escape(title)}</summary>{html}</details>"


def _history(facts: Facts) -> str:
    columns = {name: column for name, column in facts.run.history.items() if any(value is not None for value in column)}
    rows = [["epoch", *(name.replace("val_", "validation ") for name in columns)]]
    for epoch, values in enumerate(zip(*columns.values(), strict=True), 1):
        shares = [is_metric(name) and not name.endswith("loss") for name in columns]
        cells = [percent(value) if share else "-" if value is None else f"{value:.4g}" for value, share in zip(values, shares, strict=True)]
        rows.append([str(epoch), *cells])
    return folded("The numbers", table(rows, "After each epoch; seconds of training"))


def _confusion(measured: Measured, names: list[str]) -> str:
    pairs = most_confused(measured.matrix)
    worst = "; ".join(f"{names[p.true]} taken for {names[p.taken_for]} ({p.mistaken:,} of {p.images:,} images)" for p in pairs[:3])
    html = paragraph(f"Most confused: {worst}." if pairs else "No image is taken for another class.")
    if len(names) > MOST_CLASSES:
        return html
    rows = [["", *names], *([name, *(f"{n:,}" for n in row)] for name, row in zip(names, measured.matrix, strict=True))]
    return html + folded("The numbers", table(rows, "True class (row) and what it was taken for (column)"))


def _architecture(facts: Facts) -> str:
    from jitcnn.summary import COLUMNS

    return folded("The numbers", table([list(COLUMNS), *map(list, facts.model.summary().rows)], "Layers"))


def _settings(config: Mapping[str, Any]) -> str:
    """All tables of the run's settings."""
    html = []
    for name, content in config.items():
        tables = content if isinstance(content, list) else [content]
        html += [f"<h3>{escape(name)}</h3>", *(definitions(one) for one in tables)]
    return "".join(html)


def _repeat(facts: Facts) -> str:
    """Commands, and what has to be the same for the same bits."""
    path, config = shlex.quote(str(facts.run.path)), facts.run.config
    model = shlex.quote(str(facts.run.model_path(facts.which)))
    lines = [f"jitcnn train --config {shlex.quote(str(facts.run.path / CONFIG))}", f"jitcnn eval {model}", f"jitcnn report {path}"]
    data, machine = config.get("data", {}), config.get("machine", {})
    needed = (
        f"The same settings, data (digest {data.get('digest', 'unknown')}), versions and processor give the same model to the last bit, "
        f"digest {facts.model.digest()}, on any number of threads. "
    )
    where = (
        f"It was trained with jitcnn {machine['jitcnn']} on {machine.get('processor', 'an unknown processor')}."
        if "jitcnn" in machine
        else ""
    )
    return commands(*lines) + paragraph(needed + where)
