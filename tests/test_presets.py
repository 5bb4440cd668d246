"""The presets are the networks of the documentation, and are trained as it says."""

import numpy as np
import pytest

from jitcnn.data import mnist
from jitcnn.presets import PRESETS

# layers, parameters by layer, learning rate, images to train and to validate on
NETWORKS = {
    "single-conv": ("Conv2d Flatten Dense", [80, 0, 54_090], 0.01, 1_000, 100),
    "double-conv": ("Conv2d Conv2d Flatten Dense", [80, 1_168, 0, 92_170], 0.01, 10_000, 500),
    "conv-pool": ("Conv2d Pool2d Conv2d Dropout Flatten Dense", [40, 0, 296, 0, 0, 9_690], 0.001, 5_000, 500),
    "deep": ("Conv2d Conv2d Pool2d Flatten Dense Dropout Dense", [40, 296, 0, 0, 73_792, 0, 650], 0.01, 10_000, 500),
}


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_network(name):
    layers, parameters, learning_rate, train_limit, validation_limit = NETWORKS[name]
    preset = PRESETS[name]
    model = preset.build(seed=1)
    assert " ".join(type(layer).__name__ for layer in model.layers) == layers
    assert [sum(parameter.size for parameter in layer.parameter_list) for layer in model.layers] == parameters
    assert (preset.train_limit, preset.validation_limit, preset.batch_size, preset.epochs) == (train_limit, validation_limit, 32, 5)
    assert (model.optimizer.name, model.optimizer.learning_rate, model.loss.name) == ("adam", learning_rate, "cross_entropy")
    assert (model.seed, model.normalize, model.input_shape, model.output_shape) == (1, "per-image", (28, 28, 1), (10,))
    assert all(layer.kernel_size == (3, 3) and layer.padding is None for layer in model.layers if layer.base_name == "conv")
    assert all(layer.activation == "relu" for layer in model.layers[:-1] if layer.base_name in ("conv", "dense"))
    assert model.layers[-1].activation == "softmax"


def test_totals():
    totals = {name: sum(value.size for value in PRESETS[name].build(seed=1).parameters.values()) for name in ("conv-pool", "deep")}
    assert totals == {"conv-pool": 10_026, "deep": 74_778}


def test_rates_of_dropout():
    rates = {name: [layer.rate for layer in PRESETS[name].build().layers if layer.base_name == "dropout"] for name in NETWORKS}
    assert rates == {"single-conv": [], "double-conv": [], "conv-pool": [0.2], "deep": [0.1]}


@pytest.mark.parametrize("name", sorted(PRESETS))
def test_other_images_and_classes(name):
    model = PRESETS[name].build(input_shape=(32, 30, 3), classes=7)
    assert (model.input_shape, model.output_shape) == ((32, 30, 3), (7,))


def test_settings_in_place_of_the_presets():
    model = PRESETS["deep"].build(optimizer="sgd", loss="mse", dtype="float64", engine="python")
    assert (model.optimizer.name, model.optimizer.learning_rate, model.loss.name) == ("sgd", 0.01, "mse")
    assert (str(model.dtype), model.engine) == ("float64", "python")
    assert PRESETS["conv-pool"].build(optimizer="momentum").optimizer.learning_rate == 0.01
    assert PRESETS["conv-pool"].build(optimizer="momentum", learning_rate=0.5).optimizer.learning_rate == 0.5
    assert PRESETS["conv-pool"].build(optimizer="adam").optimizer.learning_rate == 0.001


def test_schedules():
    schedules = {name: preset.schedule.name for name, preset in PRESETS.items()}
    assert schedules == {"default": "linear", "fast": "one-cycle", **dict.fromkeys(NETWORKS, "constant")}


def test_fast():
    preset = PRESETS["fast"]
    model = preset.build(seed=1)
    shapes = [layer.output_shape for layer in model.layers]
    assert shapes == [(24, 24, 24), (12, 12, 24), (10, 10, 32), (5, 5, 32), (800,), (256,), (10,)]
    assert sum(array.size for array in model.parameters.values()) == 215_194
    assert (preset.epochs, preset.batch_size, preset.train_limit, preset.validation_limit) == (1, 256, 60_000, 10_000)
    settings = model.optimizer.settings
    assert (model.optimizer.name, settings["learning_rate"], settings["beta1"], settings["beta2"]) == ("adam", 0.01, 0.7, 0.9)
    assert preset.build(optimizer="sgd").optimizer.settings == {"learning_rate": 0.01, "weight_decay": 0.0}
    assert preset.build(learning_rate=0.5).optimizer.settings == {**settings, "learning_rate": 0.5}


def test_a_rate_of_ones_own_is_the_largest_of_the_cycle():
    fast = PRESETS["fast"]
    assert fast.schedule_at(None) == fast.schedule
    assert max(fast.schedule_at(0.5).rate(step, 100, 0.5) for step in range(100)) == pytest.approx(0.5, rel=0.01)
    assert PRESETS["default"].schedule_at(0.5) == PRESETS["default"].schedule


def test_fast_learns_the_digits_in_one_epoch(full):
    """The mean of ten seeds on the test digits; without --full, one seed."""
    preset = PRESETS["fast"]
    (x, y), test = mnist.load(train_limit=preset.train_limit)
    accuracies = []
    for seed in range(1, 11 if full else 2):
        model = preset.build(seed=seed)
        model.train(x, y, epochs=preset.epochs, batch_size=preset.batch_size, schedule=preset.schedule, progress=False)
        accuracies.append(model.evaluate(*test)["accuracy"])
    assert np.mean(accuracies) >= (0.99 if len(accuracies) == 10 else 0.985)


def test_layers_are_new_each_time():
    assert PRESETS["deep"].build().layers[0] is not PRESETS["deep"].build().layers[0]


def test_too_small_images():
    with pytest.raises(ValueError, match="conv1"):
        PRESETS["deep"].build(input_shape=(2, 2, 1))
