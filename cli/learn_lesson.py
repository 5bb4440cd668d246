"""`jitcnn learn lesson`: one pass of a network, written by the learner and checked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from .output import CompilingLine, columns, note, wide
from .running import FAILED, Failure, command

if TYPE_CHECKING:
    from jitcnn.learn.lessons import Lesson
    from jitcnn.learn.solutions import Solution

NUMBERS = 8
SECONDS = 0.3  # of measuring one way to compute


@command("lesson", example="jitcnn learn lesson\njitcnn learn lesson 3")
@click.argument("number", required=False, type=click.IntRange(1, NUMBERS), metavar="[N]")
@click.option("--check", is_flag=False, flag_value="", metavar="[FILE]", help="Check what you wrote. [lessonN.py]")
@click.option("--out", metavar="FILE", help="The file to write. [lessonN.py]")
def learn_lesson(number: int | None, check: str | None, out: str | None) -> None:
    """Write one pass of a network yourself.

    Without N, lists the lessons, from a dense layer to Winograd's convolution. With N, writes lessonN.py: the formula, a picture, and an
    empty function. Fill it in, then --check compares it with the reference and with measured gradients, says what is probably wrong, and
    shows how fast it is beside the reference and the compiled kernels.
    """
    from jitcnn.learn.lessons import LESSONS

    if number is None:
        if check is not None or out is not None:
            raise click.UsageError("Give the number of a lesson.")
        click.echo("\n".join(f"{lesson.number}  {lesson.title}" for lesson in LESSONS))
        click.echo("\nBegin with: jitcnn learn lesson 1")
        return
    if check is not None and out is not None:
        raise click.UsageError("--check reads a file and --out names one to write: give one of them.")
    lesson = LESSONS[number - 1]
    if check is None:
        write(lesson, Path(out or f"lesson{number}.py"))
    else:
        examine(lesson, Path(check or f"lesson{number}.py"))


def write(lesson: Lesson, path: Path) -> None:
    """Write the lesson's file, unless there is one."""
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(lesson.text)
    except FileExistsError:
        raise ValueError(f"{path} is there already and is kept: check it with --check, or name another file with --out") from None
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from error
    name = "" if path.name == f"lesson{lesson.number}.py" and path.parent == Path() else f" {path}"
    click.echo(f"Lesson {lesson.number}, {lesson.title}: {path}")
    click.echo(f"Open it in an editor, fill in {' and '.join(lesson.functions)}, then: jitcnn learn lesson {lesson.number} --check{name}")


def examine(lesson: Lesson, path: Path) -> None:
    """Check a solution; what is wrong ends the command with exit code 1."""
    from jitcnn.learn.checking import check
    from jitcnn.learn.solutions import LessonError, Solution

    try:
        text = path.read_bytes()
    except FileNotFoundError:
        raise ValueError(f"{path}: no such file; jitcnn learn lesson {lesson.number} writes one to begin with") from None
    except OSError as error:
        raise ValueError(f"{path}: {error.strerror}") from error
    try:
        mine = Solution(path, text, lesson.functions)
        for finding in check(lesson, mine):
            click.echo(wide(finding.text, "right" if finding.ok else "WRONG"))
            if finding.hint:
                click.echo(wide(finding.hint, "hint "))
            if not finding.ok:
                raise Failure(f"{path} does not solve lesson {lesson.number} yet", FAILED)
        race(lesson, mine)
    except LessonError as error:
        raise Failure(str(error), FAILED) from error


def race(lesson: Lesson, mine: Solution) -> None:
    """Show the speeds, and what comes next."""
    from jitcnn.learn.checking import speeds
    from jitcnn.learn.ladder import chart

    note("timing …")
    with CompilingLine(enabled=True):
        measured = list(speeds(lesson, mine, SECONDS))
    click.echo(f"\n{chart(measured, columns())}\n")
    click.echo("That was the last lesson." if lesson.number == NUMBERS else f"Next: jitcnn learn lesson {lesson.number + 1}")
