"""README.md and the pages under docs/ say what is so: every command and snippet runs as written, every kernel has its place."""

import itertools
import os
import re
import runpy
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner
from jitcnn_cli.main import main

from jitcnn import kernels

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMPILED = "@njit"
INSTALLING = ("python3 -m venv ", ". .venv/", "pip install ")  # what these tests run in is installed already
SHORT_TRAINING = "jitcnn train --epochs 1 --train-limit 500 --val-limit 500"  # what `make train` does at last, on fewer images
README = PAGES[0].read_text()
EXTRAS = set(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"])


def blocks(page, language):
    """The fenced blocks of a page."""
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)


def run(command, folder):
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=600)
    assert done.returncode == 0, f"{command[-1]}\n{done.stdout}\n{done.stderr}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_python_runs(page, tmp_path, full, few_digits, monkeypatch):
    """All of a page's Python, as one session: with --full in a process of its own."""
    script = tmp_path / "page.py"
    script.write_text("\n".join(block for block in blocks(page, "python") if COMPILED not in block))
    if full:
        run([sys.executable, str(script)], tmp_path)
    else:
        monkeypatch.chdir(tmp_path)
        runpy.run_path(str(script))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_compiled_loops_run(page, tmp_path):
    """What calls kernels inside somebody's own @njit, each block by itself."""
    for number, block in enumerate(block for block in blocks(page, "python") if COMPILED in block):
        script = tmp_path / f"block{number}.py"  # Numba reads the source of what it compiles
        script.write_text(block)
        run([sys.executable, str(script)], tmp_path)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_commands_run(page, tmp_path, full, few_digits, monkeypatch):
    """All of a page's commands, as one session; those that install are only looked up: they make environments and run this test. Only
    with --full each `jitcnn` is a process of its own, otherwise it is one where the shell has a part in it."""
    lines = "\n".join(blocks(page, "bash")).splitlines()
    for line in lines:
        if line.startswith("make "):
            run(["make", "--dry-run", "--directory", str(ROOT), *line.split("#")[0].split()[1:]], tmp_path)
        if line.startswith("pip install "):
            assert set(re.findall(r"\w+", line.partition("[")[2])) <= EXTRAS
    lines = [SHORT_TRAINING if line.startswith("make train") else line for line in lines]
    session = [line for line in lines if not line.startswith(("make ", *INSTALLING))]
    monkeypatch.chdir(tmp_path)
    for is_plain, part in itertools.groupby(session, lambda line: line.startswith("jitcnn ") and ">" not in line and not full):
        if is_plain:
            for line in part:
                result = CliRunner().invoke(main, shlex.split(line, comments=True)[1:])
                assert result.exit_code == 0, f"{line}\n{result.output}"
        else:
            run(["bash", "-euo", "pipefail", "-c", "\n".join(part)], tmp_path)


def test_first_screen():
    """The two commands and the first table stand within the first screen, 40 lines."""
    screen = README.splitlines()[:40]
    assert "make train" in "\n".join(screen)
    assert "make test" in "\n".join(screen)
    assert any(line.startswith("| deep") for line in screen)


@pytest.mark.parametrize("name", ["README.md", "CHANGELOG.md"])
def test_lines_are_short(name):
    lines = (ROOT / name).read_text().splitlines()
    assert [line for line in lines if len(line) > 140 and not line.startswith("|")] == []


def test_table_is_the_latest_result():
    from bench.readme import speeds

    assert speeds() in README


def test_every_kernel_is_described():
    page = (ROOT / "docs" / "kernels.md").read_text()
    missing = [name for name in kernels.__all__ if not re.search(rf"`[^`]*\b{name}\b", page)]
    assert not missing


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text()):
        assert (page.parent / link).exists(), link


def test_every_page_is_linked():
    linked = set(re.findall(r"\]\(docs/([^)#/]+)", README))
    assert {path.name for path in (ROOT / "docs").iterdir()} - {"pictures"} == linked


def test_systems_are_the_same_on_both_pages():
    table = re.search(r"^\| system .*?\n\n", README, re.DOTALL | re.MULTILINE)
    assert table and table[0] in (ROOT / "docs" / "systems.md").read_text()
