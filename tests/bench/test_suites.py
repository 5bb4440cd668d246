"""Every suite, on the smallest measurements there are, with jitcnn in this process and peers that only say a number."""

import ast
import importlib
import json
import os
import re
import sys
from pathlib import Path

import pytest

from bench import __main__ as command
from bench import processes
from bench.session import Session
from bench.suites import accuracy, disturbed, growth, inference, kernels, memory, networks, startup, threads
from jitcnn.measuring.ours import REQUESTS, Here

ROOT = Path(__file__).parents[2]
PEERS = ROOT / "bench" / "peers"


def parameters(module, request):
    """Names of the parameters of a function that a peer serves: its libraries are not installed here."""
    tree = ast.parse((PEERS / f"{module}.py").read_text())
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    served = {node.id for node in ast.walk(tree.body[-1]) if isinstance(node, ast.Name)}
    assert request in served & set(functions), f"bench/peers/{module}.py does not serve {request}"
    return {argument.arg for argument in functions[request].args.args}


class Peer:
    """A peer that has computed everything at once: it takes what the real one takes, and says the speed that it was made with."""

    def __init__(self, name, module, settings, speed=100.0):
        self.name, self.module, self.settings, self.speed = name, module, settings, speed

    def ask(self, request, **arguments):
        assert parameters(self.module, request) == set(arguments) | set(self.settings)
        if request == "probabilities":
            return REQUESTS[request]()
        return 0.5 if request == "accuracy" else self.speed


class Stub(Session):
    """A session without processes."""

    def worker(self, name, python, module, threads=None, **settings):
        return Here() if module == "bench.ours" else Peer(name, module.rpartition(".")[2], settings)


@pytest.fixture
def session(tmp_path):
    settings = {"torch": "python", "onnx": "python", "keras": "python", "threads": 2, "rounds": 1, "seconds": 0.001}
    return Stub(tmp_path, only=("conv-pool",), batch_sizes=(1000,), **settings)


def cells(page):
    """The rows of a page's tables, and that each has as many cells as its head."""
    tables = re.findall(r"(?:^\|.*\n?)+", page, re.MULTILINE)
    rows = [[[cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines()] for table in tables]
    assert all(len(row) == len(table[0]) for table in rows for row in table)
    return [table[2:] for table in rows]


def test_kernels(session):
    session.only = ("3x3x1x8",)
    results = kernels.run(session)
    forward, *others = cells(kernels.page(results))
    assert len(others) == 2
    assert forward[0][0] == "32x28x28x1 3x3x1x8"
    assert float(forward[0][3]) == pytest.approx(100 * 2e-9 * 32 * 28 * 28 * 72, rel=0.01)


def test_networks(session):
    results = networks.run(session)
    table = cells(networks.page(results))[0]
    assert [row[:2] + row[5:8] for row in table] == [["conv-pool", "1000", "100", "100", "100"]]
    assert results["programs"] == ["jitcnn", "PyTorch NCHW", "PyTorch channels_last", "Keras"]


def test_inference(session):
    results = inference.run(session)
    assert results["difference"] == {"conv-pool": 0}
    latency, throughput = cells(inference.page(results))
    assert [row[0] for row in latency + throughput] == ["conv-pool"] * 2
    assert latency[0][2] == "100"


@pytest.mark.parametrize("wrong", [0.501, float("nan")])
def test_inference_refuses_to_compare_different_networks(wrong):
    assert inference.difference([[0.5, 0.5]], [[0.5, 0.50001]]) == pytest.approx(1e-5)
    with pytest.raises(ValueError, match="do not run the same network"):
        inference.difference([[0.5, 0.5]], [[0.5, wrong]])


def test_threads(session):
    results = threads.run(session)
    found = results["networks"]["conv-pool, batch 1000"]
    assert found["PyTorch"] == {"one": 100, "all": 100, "gain": 1}
    assert found["jitcnn"]["gain"] == pytest.approx(found["jitcnn"]["all"] / found["jitcnn"]["one"])
    session.only = ("3x3x128x256",)
    results = threads.run(session)
    assert set(results["layers"]) == {
        f"32x8x8x128 3x3x128x256, {what}" for what in ("forward", "gradient of the input", "gradient of the weights")
    }
    assert len(cells(threads.page(results))[0]) == 3
    session.threads = 1
    with pytest.raises(ValueError, match="--threads 2"):
        threads.run(session)


def test_disturbed(session):
    results = disturbed.run(session)
    assert results["conv-pool"]["PyTorch NCHW"] == {
        "alone": 100,
        "disturbed": 100,
        "one thread": 100,
        "share": 1,
        "share of one thread": 1,
    }
    ((row,),) = cells(disturbed.page(results))
    assert row[5:] == ["100", "100", "100%", "100%"]


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="binding a process to a core is Linux'")
def test_a_core_is_busy_only_meanwhile(monkeypatch):
    started = []
    monkeypatch.setattr(disturbed.subprocess, "Popen", lambda *a, popen=disturbed.subprocess.Popen: started.append(popen(*a)) or started[0])
    with disturbed.busy_core():
        assert os.sched_getaffinity(started[0].pid) == {max(os.sched_getaffinity(0))}
        assert started[0].poll() is None
    assert started[0].poll() is not None


def test_growth(session, monkeypatch):
    axes = {name: (title, values[:2] if name == "batch_size" else values[:1]) for name, (title, values) in growth.AXES.items()}
    monkeypatch.setattr(growth, "AXES", axes)
    results = growth.run(session)
    assert {name: [one["value"] for one in points] for name, points in results.items()} == {
        "batch": [1, 2],
        "image": [16],
        "channels": [1],
        "threads": [1, 2],
    }
    first, second = results["batch"]
    assert second["work"] == pytest.approx(2 * first["work"])
    assert first["work"] == pytest.approx(2e-9 * (2 * 32**2 * 9 * 8 + 3 * (16**2 * 9 * 64 + 8 * 8 * 8 * 10)))
    assert len(cells(growth.page(results))) == 4
    pytest.importorskip("matplotlib")
    assert (session.folder / growth.PICTURE).read_bytes().startswith(b"\x89PNG")


def test_growth_marks_what_grows_faster_than_its_work():
    seconds = {1: 5.0, 2: 2.0, 4: 4.0, 8: 12.0}
    points = [{"value": value, "threads": 1, "seconds": took, "work": value} for value, took in seconds.items()]
    assert growth.dearer(points) == [(1, 1), (1, 2), (1, 2), (1.5, 2)]
    marks = [row[-1] for row in cells(growth.page({"batch": points}))[0]]
    assert marks == ["", "", "", "grows: 1.5 times the cost at 2"]
    threads = [{"value": n, "threads": n, "seconds": 1.0, "work": 1.0} for n in (1, 2)]
    assert growth.dearer(threads)[1] == (2, 1)


def test_accuracy(session, monkeypatch):
    monkeypatch.setattr(accuracy, "train", lambda name, seed, threads, cache: {"accuracy": seed / 10, "wall": 10.0 - seed})
    results = accuracy.run(session)
    assert results["conv-pool"] == {"jitcnn": [0.1, 0.2, 0.3], "wall": [9, 8, 7], "PyTorch": [0.5] * 3}
    assert cells(accuracy.page(results)) == [[["conv-pool", "20.00% (10.00% to 30.00%)", "50.00% (50.00% to 50.00%)", "9.0", "7.5"]]]


def test_accuracy_runs_the_command(tmp_path, monkeypatch):
    commands = []
    answer = json.dumps({"accuracy": 0.9})
    monkeypatch.setattr(accuracy, "run_process", lambda command, **environment: commands.append((command, environment)) or (2.0, answer))
    assert accuracy.train("deep", 3, 2, "folder") == {"accuracy": 0.9, "wall": 2.0}
    ((words, environment),) = commands
    assert words[1:4] == ["-m", "jitcnn", "train"]
    assert words[words.index("--epochs") + 1] == "5"
    assert environment == {"JITCNN_CACHE_DIR": "folder"}


def test_startup(session, monkeypatch):
    """Each process is looked at, not started, but for one first step."""
    started = []

    def pretend(command, **environment):
        started.append(command)
        if "compile(training" in command[-1] and "True" in command[-1]:
            raise RuntimeError("python failed:\nno compiler")
        return 0.1 * len(started), ""

    monkeypatch.setattr(startup, "run_process", pretend)
    results = startup.run(session)
    assert results["notes"] == [f"torch.compile, {run} could not run: no compiler" for run in ("first run ever", "later run")]
    assert "PyTorch" in results["first_step"] and "torch.compile, later run" not in results["first_step"]
    short, first = cells(startup.page(results))
    assert short[1] == ["import jitcnn", "0.2"]
    assert [row[0] for row in first] == list(results["first_step"])


def test_first_step_runs():
    assert startup.script(sys.executable, 2, startup.OURS_FIRST_STEP.format(name="conv-pool"), os.environ.get("JITCNN_CACHE_DIR")) > 0


def test_memory(session, monkeypatch):
    monkeypatch.setattr(memory, "mebibytes", lambda python, script, threads, **environment: 100.0 if "jitcnn" in script else 300.0)
    assert cells(memory.page(memory.run(session)))[0] == [
        ["jitcnn, empty cache", "100"],
        ["jitcnn, warm cache", "100"],
        ["PyTorch NCHW", "300"],
        ["PyTorch channels_last", "300"],
    ]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="the peak is read where Linux keeps it")
def test_peak_of_memory_is_that_of_the_process():
    least = memory.mebibytes(sys.executable, "", 1)
    assert 150 < memory.mebibytes(sys.executable, "held = b'x' * (200 * 2**20)\ndel held\n", 1) - least < 250
    assert memory.mebibytes(sys.executable, memory.OURS.format(network="conv-pool", images=64, epochs=1), 1) > least


def test_a_failing_process_says_why():
    with pytest.raises(RuntimeError, match=r"failed:\n(.|\n)*ZeroDivisionError"):
        processes.run_process([sys.executable, "-c", "1 / 0"])


def test_every_suite_is_whole_and_described():
    table = (ROOT / "bench" / "README.md").read_text()
    for name, module in command.SUITES.items():
        suite = importlib.import_module(f"bench.suites.{module}")
        assert all(hasattr(suite, part) for part in ("TITLE", "HOW", "run", "page"))
        assert f"| `{name}` |" in table
    assert {path.stem for path in (ROOT / "bench" / "suites").glob("[a-z]*.py")} == set(command.SUITES.values())


def test_command_writes_json_and_page(tmp_path, monkeypatch, capsys):
    arguments = ["inference", "--only", "conv-pool", "--rounds", "1", "--seconds", "0.001", "--threads", "1", "--results", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["bench", *arguments])
    command.main()
    written = json.loads((tmp_path / "inference.json").read_text())
    assert written["machine"]["measured"].startswith("jitcnn ")
    assert written["results"]["latency"]["conv-pool"]["medians"]["jitcnn"] > 0
    page = (tmp_path / "inference.md").read_text()
    assert page.startswith("# Prediction\n")
    assert page in capsys.readouterr().out


def test_command_refuses_unknown_suites(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["bench", "speed"])
    with pytest.raises(SystemExit):
        command.main()
    assert "there is no suite speed; there are kernels, networks" in capsys.readouterr().err
