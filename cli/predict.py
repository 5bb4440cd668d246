"""`jitcnn predict`: what is on a picture."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from . import options
from .output import note, print_json
from .reading import open_model
from .running import FAILED, Failure, command

if TYPE_CHECKING:
    import numpy as np

    from jitcnn.model import CNN

BLOCK = 256  # pictures in memory at once
SUFFIXES = {".bmp", ".gif", ".jpeg", ".jpg", ".pgm", ".png", ".ppm", ".tif", ".tiff", ".webp"}
NONE = "none of these"
STDIN = "-"


class Answer(NamedTuple):
    """What a model says of a picture: the likeliest classes first; `name` is None if it is rejected."""

    file: str
    name: str | None
    top: list[tuple[str, float]]


@command("predict", example="jitcnn predict digits.json photo.png --top 2\njitcnn predict digits.json photo.png --show-input seen.png")
@click.argument("model")
@click.argument("files", nargs=-1, required=True, metavar="FILE...|DIR|-")
@click.option("--top", type=options.AT_LEAST_ONE, default=1, show_default=True, metavar="N", help="Show the N likeliest classes.")
@click.option("--reject", type=options.Share(), metavar="P", help=f'Say "{NONE}" below this probability; see eval --reject-at.')
@click.option("--csv", "as_csv", is_flag=True, help="Print comma-separated values.")
@click.option("--copy-to", type=options.NewFolder(), metavar="DIR", help="Copy the files into DIR/CLASS/; nothing is overwritten.")
@click.option("--show-input", type=options.NewFile(), metavar="OUT.png", help="Write what the network really saw of the picture.")
@click.option(
    "--invert",
    type=click.Choice(tuple(options.INVERSIONS)),
    help="Whether white becomes black, in place of what the model was trained with; auto finds that out for digits.",
)
@options.threads_option
@options.json_option
def predict(
    model: str,
    files: tuple[str, ...],
    top: int,
    reject: float | None,
    as_csv: bool,
    copy_to: str | None,
    show_input: str | None,
    invert: str | None,
    threads: int | None,
    as_json: bool,
) -> None:
    """Say what is on pictures.

    MODEL is a file that train wrote, or a run's folder. Pictures are of any size, mode and format, folders of them, or - for one on stdin.
    Each becomes what the model was trained on. A file that cannot be read is named and left out, and the exit code is 1 then.
    """
    if as_csv and as_json:
        raise click.UsageError("Give --csv or --json, not both.")
    if copy_to is not None and STDIN in files:
        raise click.UsageError("--copy-to needs files: what comes on stdin has no name.")
    options.allow_threads(threads)
    loaded = open_model(model, threads)
    check_classifier(loaded)
    if invert is not None:
        loaded.preparation = replace(loaded.preparation, invert=options.INVERSIONS[invert])
    paths = pictures_of(files)
    if show_input is not None:
        if len(paths) > 1:
            raise ValueError(f"--show-input takes one picture, and there are {len(paths):,}")
        save_input(loaded, paths[0], show_input)
    skipped: list[dict[str, str]] = []
    answers = []
    if as_csv:
        others = [f"{what}{number}" for number in range(2, top + 1) for what in ("class", "probability")]
        click.echo(csv_line(["file", "class", "probability", *others]))
    folders = folders_of(loaded.classes or [])
    for answer in answers_to(loaded, paths, top, reject, skipped):
        if copy_to is not None:
            name = answer.name or NONE
            copy(answer, Path(copy_to) / folders.get(name, name))
        if as_json:
            answers.append(as_object(answer))
        else:
            click.echo(as_line(answer, as_csv))
    if as_json:
        print_json({"model": model, "pictures": answers, "skipped": skipped})
    if skipped:
        raise Failure(f"{len(skipped):,} of {len(paths):,} pictures could not be read", FAILED)


def check_classifier(model: CNN) -> None:
    """Raise a ValueError unless the model takes pictures and answers with probabilities of classes."""
    last = model.layers[-1].activation if model.layers else None
    if last not in ("softmax", "sigmoid") or model.output_shape is None or len(model.output_shape) != 1:
        raise ValueError(f"the model's outputs are no probabilities of classes: its last layer has {last or 'no'} activation, not softmax")
    if model.input_shape is None or len(model.input_shape) != 3:
        raise ValueError(f"the model takes {model.input_shape}, not pictures")


def pictures_of(files: tuple[str, ...]) -> list[str]:
    """The paths of all pictures, folders searched through in natural order; a ValueError if a folder has none."""
    found = []
    for name in files:
        if name != STDIN and Path(name).is_dir():
            there = [path for path in Path(name).rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file()]
            inside = [str(path) for path in there if not any(part.startswith(".") for part in path.relative_to(name).parts)]
            if not inside:
                raise ValueError(f"{name}: no pictures in this folder ({', '.join(sorted(SUFFIXES))})")
            found += sorted(inside, key=natural)
        else:
            found.append(name)
    if found.count(STDIN) > 1:
        raise ValueError("- is given twice: stdin holds one picture")
    return found


def natural(path: str) -> list[str | int]:
    """A key of sorting that puts 2 before 10."""
    return [int(part) if number % 2 else part for number, part in enumerate(re.split(r"([0-9]+)", path))]


def prepared(model: CNN, path: str) -> np.ndarray:
    """A file as the model takes it; a ValueError that names it."""
    try:
        return model.prepare(sys.stdin.buffer.read() if path == STDIN else path)
    except ValueError as error:
        if path == STDIN:
            raise ValueError(f"stdin: {str(error).removeprefix('the picture: ')}") from error
        raise ValueError(str(error) if str(error).startswith(path) else f"{path}: {error}") from error


def save_input(model: CNN, path: str, out: str) -> None:
    """Write the picture's prepared pixels."""
    import numpy as np

    from jitcnn.decoding import import_pillow

    if path == STDIN:
        raise ValueError("--show-input needs a file: stdin is read once")
    if Path(out).suffix.lower() != ".png":
        raise ValueError(f"{out}: --show-input writes a .png")
    pixels = np.clip(np.rint(prepared(model, path)), 0, 255).astype(np.uint8)
    import_pillow("--show-input").fromarray(pixels[..., 0] if pixels.shape[2] == 1 else pixels).save(out)


def answers_to(model: CNN, paths: list[str], top: int, reject: float | None, skipped: list[dict[str, str]]) -> Iterator[Answer]:
    """The answers in order, a block of pictures at a time, decoded on all processors; what cannot be read is noted, and goes to `skipped`.

    A picture that is the only one is an error instead.
    """
    import numpy as np
    from tqdm import tqdm

    def read(path: str) -> np.ndarray | ValueError:
        try:
            return prepared(model, path).astype(np.float32)
        except ValueError as error:
            return error

    shown = len(paths) > BLOCK and sys.stderr is not None and sys.stderr.isatty() and not sys.stdout.isatty()
    with ThreadPoolExecutor(os.cpu_count()) as pool, tqdm(total=len(paths), unit=" pictures", disable=not shown, leave=False) as bar:
        for first in range(0, len(paths), BLOCK):
            block = paths[first : first + BLOCK]
            images, names = [], []
            for path, image in zip(block, pool.map(read, block), strict=True):
                bar.update()
                if not isinstance(image, ValueError):
                    images.append(image)
                    names.append(path)
                    continue
                if len(paths) == 1:
                    raise image
                bar.clear()
                note(f"left out: {image}")
                skipped.append({"file": path, "error": str(image)})
            if images:
                outputs = probabilities(model, np.stack(images))
                yield from map(lambda name, row: answer_of(model, name, row, top, reject), names, outputs)


def probabilities(model: CNN, images: np.ndarray) -> np.ndarray:
    """Probabilities (images, classes); of a single output, those of no and yes."""
    import numpy as np

    outputs = model.predict(images)
    return np.hstack([1 - outputs, outputs]) if outputs.shape[1] == 1 else outputs


def answer_of(model: CNN, file: str, row: np.ndarray, top: int, reject: float | None) -> Answer:
    """The answer for a picture from its probabilities."""
    names = model.classes if model.classes and len(model.classes) == len(row) else [str(number) for number in range(len(row))]
    likeliest = [(names[k], float(row[k])) for k in (-row).argsort(kind="stable")[:top]]
    rejected = reject is not None and likeliest[0][1] < reject
    return Answer(file, None if rejected else likeliest[0][0], likeliest)


def as_object(answer: Answer) -> dict[str, Any]:
    """The answer for JSON."""
    top = [{"class": name, "probability": probability} for name, probability in answer.top]
    return {"file": answer.file, "class": answer.name, "probability": answer.top[0][1], "top": top}


def as_line(answer: Answer, as_csv: bool) -> str:
    """The answer as a line of text, or of comma-separated values."""
    from jitcnn.decoding import shown

    (_, probability), *others = answer.top
    name = NONE if answer.name is None else answer.name
    if as_csv:
        return csv_line([answer.file, name, f"{probability:.6f}", *(cell for n, p in others for cell in (n, f"{p:.6f}"))])
    return "  ".join([f"{shown(answer.file)}: {name} {probability:.1%}", *(f"{n} {p:.1%}" for n, p in others)])


def csv_line(cells: list[str]) -> str:
    """A line of comma-separated values."""
    stream = io.StringIO()
    csv.writer(stream, lineterminator="").writerow(cells)
    return stream.getvalue()


def folders_of(classes: list[str]) -> dict[str, str]:
    """How each class's folder is called: without letters that mean something in a path; of two that become alike, one has a number.

    >>> folders_of(["a/b", "a*b", "c"])
    {'a/b': 'a_b', 'a*b': 'a_b-2', 'c': 'c', 'none of these': 'none of these'}
    """
    found: dict[str, str] = {}
    taken = set()
    for name in [*classes, NONE]:
        plain = folder = re.sub(r"[^\w .()+-]", "_", name).strip(". ") or "_"
        number = 2
        while folder in taken and name not in found:
            folder, number = f"{plain}-{number}", number + 1
        found.setdefault(name, folder)
        taken.add(folder)
    return found


def copy(answer: Answer, place: Path) -> None:
    """Copy the file to the folder of its class, under a name that is free there."""
    place.mkdir(parents=True, exist_ok=True)
    source = Path(answer.file)
    target, number = place / source.name, 2
    while target.exists():
        target, number = place / f"{source.stem}-{number}{source.suffix}", number + 1
    shutil.copy2(source, target)
