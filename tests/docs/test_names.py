"""What README.md, CHANGELOG.md and the pages under docs/ name is there: files, modules, functions, commands and options."""

import contextlib
import importlib.util
import re
from pathlib import Path

import click
import pytest
from jitcnn_cli.main import main

from jitcnn import CNN
from jitcnn.kernels.program import Program

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").rglob("*.md"))]
PLACES = ("", "bench/", "bench/peers/", *(f"{folder}/**/" for folder in ("jitcnn", "cli", "tests", "docs", "examples")))
FILES = [path.relative_to(ROOT) for place in PLACES for path in ROOT.glob(f"{place}*.*")]
MADE_BY_USERS = {"digits.py", "runs/"}
SUFFIXES = ("py", "md", "toml", "json", "npz", "csv", "txt", "html", "png", "jpg", "svg", "h")
OBJECTS = {"model": CNN(), "Program": Program}
HOMES = ("jitcnn", "jitcnn.kernels")  # a name may leave these out where they are what the page is about


def commands(command=main, path=("jitcnn",)):
    """Each command of the command line by its words."""
    yield path, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            yield from commands(command.get_command(context, name), (*path, name))


COMMANDS = dict(commands())
OPTIONS = {word for command in COMMANDS.values() for option in command.params for word in (*option.opts, *option.secondary_opts)}
each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())


def spans(page):
    """What stands between backticks in a page's text; not its blocks of code, which are run, nor other libraries' words in tables."""
    text = re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.DOTALL | re.MULTILINE)
    if page.name in ("from-keras.md", "from-pytorch.md"):
        text = re.sub(r"^\|[^|]*\|", "", text, flags=re.MULTILINE)
    return [" ".join(span.split()) for span in re.findall(r"`([^`]+)`", text)]


def follow(value, names):
    """Whether attribute after attribute is there, of fields that have no default the annotation."""
    for name in names:
        if not hasattr(value, name):
            return name in getattr(value, "__annotations__", {})
        value = getattr(value, name)
    return True


def is_there(dotted):
    """Whether a name leads through modules, then attributes, to something."""
    parts = dotted.split(".")
    for length in range(len(parts), 0, -1):
        with contextlib.suppress(ModuleNotFoundError):
            return follow(importlib.import_module(".".join(parts[:length])), parts[length:])
    return False


def is_module(name):
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


@each_page
def test_files_exist(page):
    names = [span for span in spans(page) if re.fullmatch(r"(?:[\w.-]+/)+|[\w./-]*\w\.(?:py|md)", span)]
    known = {f"/{part}{'/' if part.suffix == '' else ''}" for path in FILES for part in (path, *path.parents)}
    assert [name for name in names if name not in MADE_BY_USERS and not any(path.endswith(f"/{name}") for path in known)] == []


@each_page
def test_dotted_names_exist(page):
    names = {name for span in spans(page) for name in re.findall(r"(?<![\w./\"'-])[a-zA-Z]\w*(?:\.[a-zA-Z_]\w*)+", span)}
    missing = []
    for name in names:
        first, *rest = name.split(".")
        if first in OBJECTS:
            there = follow(OBJECTS[first], rest)
        elif first == "jitcnn":
            there = is_there(name)
        else:
            homes = [home for home in HOMES if is_module(f"{home}.{first}")]  # none of another library's
            there = not homes or any(is_there(f"{home}.{name}") for home in homes)
        if not there and rest[-1] not in SUFFIXES:
            missing.append(name)
    assert missing == []


@each_page
def test_commands_and_options_exist(page):
    for span in spans(page):
        if span.startswith("jitcnn "):
            words = tuple(re.split(r" (?=[^a-z])|$", span)[0].split())
            while words and words not in COMMANDS:
                words = words[:-1]
            assert len(words) > 1 or span.startswith("jitcnn --"), f"{page.name}: {span}"
        for option in re.findall(r"(?<![\w-])--[a-z][a-z-]+", span):
            if span.startswith(("jitcnn ", "--")):
                assert option in OPTIONS | {"--help"}, f"{page.name}: {option} of {span}"


def test_every_command_has_an_example():
    assert [" ".join(path) for path, command in COMMANDS.items() if "Example" not in command.get_help(click.Context(command))] == []
