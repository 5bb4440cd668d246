"""The cache on disk where it cannot be written, is shared, moves, breaks, or grows old: results stay right and the run goes on."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from jitcnn.kernels import compiling

ROOT = Path(__file__).parents[2]
SCRIPT = """
import os, shutil, sys
from pathlib import Path
import numpy as np
from jitcnn.kernels import compiling
from jitcnn.kernels.update import momentum_kernel, sgd_kernel
from jitcnn.reference.compiled import compiled

mode, *names = sys.argv[1:]
if mode == "full disk":
    import resource, signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))  # enough for a semaphore, not for machine code
if mode == "package cannot be written":
    compiling.digest()
    compiling._PACKAGE = Path("/dev/null/package")
print(compiling.cache_folder(), end="|")
if mode == "deleted":
    shutil.rmtree(compiling.cache_folder())
kernels = [{"sgd": sgd_kernel, "momentum": momentum_kernel}[name](real=np.float32) for name in names]
y = np.empty((2, 3))
loops = compiled("relu")
loops(np.full((2, 3), -1.5), y)
assert (y == 0).all()
hits = sum(sum(variant.stats.cache_hits.values()) for variant in loops.variants.values())
print(sum(kernel.cache_hits for kernel in kernels), hits)
"""
posix = pytest.mark.skipif(os.name != "posix", reason="needs /dev/null and limits of POSIX")


def start(*arguments, **settings):
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | {name: str(value) for name, value in settings.items()}
    command = [sys.executable, "-W", "error", "-c", SCRIPT, *arguments]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish(process):
    """(folder, kernels loaded, loops loaded)."""
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert errors == ""
    folder, _, loaded = output.strip().partition("|")
    return folder, *map(int, loaded.split())


def run(*arguments, **settings):
    return finish(start(*arguments, **settings))


@posix
def test_home_takes_the_place_of_a_package_that_cannot_be_written(tmp_path):
    home = tmp_path / "home"
    for loaded in (0, 1):
        folder, kernels, loops = run("package cannot be written", "sgd", JITCNN_CACHE_DIR="", HOME=home)
        assert folder == str(home / ".cache" / "jitcnn" / compiling.digest())
        assert (kernels, loops) == (loaded, loaded)


def test_an_empty_variable_counts_as_none():
    folder, *_ = run("", "sgd", JITCNN_CACHE_DIR="")
    assert folder == str(ROOT / "jitcnn" / "__pycache__" / compiling.digest())


@posix
def test_made_with_an_image_and_read_only_since(tmp_path):
    """What is there is loaded; what is missing is compiled in memory where nothing can be written, and else kept in another folder."""
    image, home = tmp_path / "package" / "__pycache__", tmp_path / "home"
    run("", "sgd", JITCNN_CACHE_DIR=image)
    script = SCRIPT.replace('"/dev/null/package"', repr(str(tmp_path / "package"))).replace(
        "print(compiling.cache_folder()", "compiling.tempfile = Refusing(compiling.tempfile)\nprint(compiling.cache_folder()"
    )
    refusing = f"""
class Refusing:
    def __init__(self, real):
        self.real = real

    def TemporaryFile(self, dir):
        if str(dir).startswith({str(image)!r}):
            raise PermissionError
        return self.real.TemporaryFile(dir=dir)
"""
    before = sorted(path.stat().st_mtime_ns for path in image.rglob("*.nb?"))

    def read_only(**settings):
        environment = os.environ | {"PYTHONPATH": str(ROOT), "JITCNN_CACHE_DIR": ""} | settings
        command = [sys.executable, "-c", refusing + script, "package cannot be written", "sgd", "momentum"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    assert read_only(HOME="/dev/null/home") == "|1 1"
    kept = str(home / ".cache" / "jitcnn" / compiling.digest())
    assert [read_only(HOME=str(home)) for _ in range(2)] == [f"{kept}|1 1", f"{kept}|2 1"]
    assert sorted(path.stat().st_mtime_ns for path in image.rglob("*.nb?")) == before


def test_another_processor_has_entries_of_its_own(tmp_path):
    plain = {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "", "JITCNN_CACHE_DIR": tmp_path}
    assert run("", "sgd", JITCNN_CACHE_DIR=tmp_path)[1:] == (0, 0)
    assert run("", "sgd", **plain)[1:] == (0, 0)
    assert run("", "sgd", **plain)[1:] == (1, 1)
    assert run("", "sgd", JITCNN_CACHE_DIR=tmp_path)[1:] == (1, 1)


@posix
@pytest.mark.parametrize("mode", ["deleted", "full disk"])
def test_a_folder_that_breaks_in_the_middle(tmp_path, mode):
    for _ in range(2):
        assert run(mode, "sgd", JITCNN_CACHE_DIR=tmp_path)[1:] == (0, 0)
    run("", "sgd", JITCNN_CACHE_DIR=tmp_path)
    assert run("full disk", "sgd", "momentum", JITCNN_CACHE_DIR=tmp_path)[1:] == (1, 1)


def test_files_cut_short_are_compiled_anew(tmp_path):
    run("", "sgd", JITCNN_CACHE_DIR=tmp_path)
    for path in tmp_path.rglob("*.nb?"):
        path.write_bytes(path.read_bytes()[:-40] if path.suffix == ".nbc" else b"")
    assert run("", "sgd", JITCNN_CACHE_DIR=tmp_path)[1:] == (0, 0)
    assert run("", "sgd", JITCNN_CACHE_DIR=tmp_path)[1:] == (1, 1)


def test_old_folders_go_and_what_is_not_ours_stays(tmp_path):
    names = {"0123456789abcdef": "k.nbi", "1123456789abcdef": "k.nbi", "2123456789abcdef": "thesis.tex", "notes": "k.nbi"}
    for name, file in names.items():
        (tmp_path / name / "kernels").mkdir(parents=True)
        (tmp_path / name / "kernels" / file).touch()
        os.utime(tmp_path / name, (time.time() - 31 * 86400 * (name != "1123456789abcdef"),) * 2)
    compiling.remove_old(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(names) - {"0123456789abcdef"}
