"""The networks learn what they should: accuracy on all 10,000 test digits after 5 epochs. One seed, or three with ``--full``."""

import json
from statistics import mean

import pytest
from click.testing import CliRunner
from jitcnn_cli.main import main

LEAST = {"single-conv": 0.875, "double-conv": 0.94, "conv-pool": 0.935, "deep": 0.955}
SPREAD = 0.02  # how far below the mean of three seeds a single one may fall


def train(folder, *arguments):
    command = ["train", *arguments, "--val-limit", "10000", "--out", str(folder / "model.json"), "--json", "--no-report"]
    result = CliRunner().invoke(main, command, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.mark.parametrize("preset", LEAST)
def test_presets_learn(preset, full, figures, tmp_path):
    settings = ("--preset", preset, "--epochs", "5", "--batch-size", "32")
    seeds = ("1", "2", "3") if full else ("1",)
    accuracies = [train(tmp_path, *settings, "--seed", seed)["accuracy"] for seed in seeds]
    figures[f"accuracy of {preset}, seeds {', '.join(seeds)}"] = accuracies
    assert mean(accuracies) >= LEAST[preset] - (0 if full else SPREAD)


@pytest.mark.slow
def test_default_network_passes_99_percent(figures, tmp_path):
    results = [train(tmp_path, "--seed", seed) for seed in ("1", "2", "3")]
    figures["accuracy of the default network, seeds 1, 2, 3"] = [result["accuracy"] for result in results]
    figures["seconds of the default network's training"] = [round(result["seconds"], 2) for result in results]
    assert mean(result["accuracy"] for result in results) >= 0.99
