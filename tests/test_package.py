"""The wheel: that it holds everything, that it trains by itself, and that it brings four dependencies."""

import json
import os
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib import metadata
from pathlib import Path

import pytest

from jitcnn.kernels import compiling

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
TRAIN = ["train", "--preset", "conv-pool", "--train-limit", "320", "--val-limit", "100", "--epochs", "1", "--json"]


def run(*command, **options):
    """Standard output of a command; its other output shows when it fails."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=600, **options)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def build(folder, *options):
    """The wheel of a copy of the sources, so that nothing is written beside them."""
    sources = folder / "sources"
    sources.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, sources)
    for name in ("jitcnn", "cli"):
        shutil.copytree(ROOT / name, sources / name, ignore=shutil.ignore_patterns("__pycache__"))
    run(sys.executable, "-m", "build", "--wheel", *options, "--outdir", folder, sources)
    return next(folder.glob("*.whl"))


def sources():
    """What the wheel must hold: modules, data and the marker of typed packages, under their installed names."""
    for folder, package in (("jitcnn", "jitcnn"), ("cli", "jitcnn_cli")):
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts and not path.suffix.startswith(".nb"):
                yield f"{package}/{path.relative_to(ROOT / folder).as_posix()}"


def without_repository():
    """An environment of variables in which only what is installed can be imported."""
    return {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "JITCNN_CACHE_DIR")}


def test_every_folder_with_modules_is_listed():
    found = {"jitcnn_cli" if path.parent == ROOT / "cli" else path.parent.relative_to(ROOT).as_posix().replace("/", ".")
             for folder in ("jitcnn", "cli") for path in (ROOT / folder).rglob("*.py")}  # fmt: skip
    assert found == set(PROJECT["tool"]["setuptools"]["packages"])


def test_four_dependencies():
    assert {requirement.split(">")[0] for requirement in PROJECT["project"]["dependencies"]} == {"numpy", "numba", "click", "tqdm"}


def test_wheel_holds_everything_and_trains(tmp_path):
    pytest.importorskip("build")
    if int(metadata.version("setuptools").split(".")[0]) < 77:
        pytest.skip("this environment's setuptools is older than pyproject.toml asks for")
    wheel = build(tmp_path, "--no-isolation")
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as archive:
        assert set(sources()) <= set(archive.namelist())
        archive.extractall(installed)
    cache = Path(compiling.cache_folder()).parent  # the same sources have the same machine code
    environment = without_repository() | {"PYTHONPATH": str(installed), "JITCNN_CACHE_DIR": str(cache)}
    place = "import jitcnn, jitcnn_cli; print(jitcnn.__file__, jitcnn_cli.__file__, jitcnn.__version__)"
    printed = run(sys.executable, "-c", place, cwd=tmp_path, env=environment).split()
    assert all(path.startswith(str(installed)) for path in printed[:2])
    assert printed[2] == PROJECT["project"]["version"]
    result = json.loads(run(sys.executable, "-m", "jitcnn", *TRAIN, "--out", tmp_path / "m.json", cwd=tmp_path, env=environment))
    assert result["parameters"] == 10_026


@pytest.mark.slow
def test_installs_and_trains_in_a_clean_environment(tmp_path):
    wheel = build(tmp_path)
    run(sys.executable, "-m", "venv", tmp_path / "clean")
    binaries = tmp_path / "clean" / "bin"
    run(binaries / "python", "-m", "pip", "install", "-q", wheel)
    listed = json.loads(run(binaries / "python", "-m", "pip", "list", "--format=json"))
    assert {entry["name"] for entry in listed} - {"pip", "setuptools"} == {"jitcnn", "numpy", "numba", "llvmlite", "click", "tqdm"}
    options = {"cwd": tmp_path, "env": without_repository()}
    assert run(binaries / "jitcnn", "--help", **options) == run(binaries / "python", "-m", "jitcnn", "--help", **options)
    result = json.loads(run(binaries / "jitcnn", *TRAIN, "--out", tmp_path / "model.json", **options))
    assert 0 <= result["accuracy"] <= 1
    again = json.loads(run(binaries / "jitcnn", "eval", tmp_path / "model.json", "--json", **options))
    assert again["images"] == 10_000


@pytest.mark.slow
def test_a_clone_trains_with_nothing_set_up(tmp_path):
    run("git", "clone", "-q", ROOT, tmp_path / "clone")
    arguments = "ARGS=--preset single-conv --epochs 1 --out model.json"
    run("make", "-C", tmp_path / "clone", "train", arguments, env={"HOME": str(tmp_path), "PATH": os.environ["PATH"]} | pip_settings())
    assert (tmp_path / "clone" / "model.json").is_file()


def pip_settings():
    return {name: value for name, value in os.environ.items() if name.startswith("PIP_") or name.lower().endswith("_proxy")}
