"""A layer of one's own, written in a few lines, goes through add, gradcheck, save and all engines."""

import numpy as np
import pytest

import jitcnn
from jitcnn import CNN, Conv2d, Dense, Flatten, Layer, gradcheck
from tests.swish import Swish

ENGINES = ["python", "loops", "fast"]


class Scale(Layer):
    """Pure NumPy, with a setting, and a constructor that does not call the base's."""

    def __init__(self, factor=2.0):
        self.factor = factor

    def forward(self, step, x):
        y = step.buffer(x.shape)
        step.call(np.multiply, x, self.factor, y)

        def backward(grad_y):
            grad_x = step.gradient_buffer(x)
            step.call(np.multiply, grad_y, self.factor, grad_x)
            return grad_x

        return y, backward


def model(engine, dtype="float64"):
    layers = [Conv2d(3, input_shape=(6, 6, 1)), Swish(), Scale(0.5), Flatten(), Dense(4), Swish(), Dense(3, activation="softmax")]
    return CNN(layers, seed=5, dtype=dtype, engine=engine)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("layer", [Swish(), Scale(3.0)], ids=["Swish", "Scale"])
def test_gradcheck(layer, engine):
    result = gradcheck(layer, np.random.default_rng(0).standard_normal((2, 4, 3, 2)), engine=engine)
    assert result.ok, result


@pytest.mark.parametrize("engine", ["loops", "fast"])
def test_trains_alike_in_all_engines(engine):
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((10, 6, 6, 1)), rng.integers(0, 3, 10)
    values = []
    for kind in ("python", engine):
        net = model(kind)
        net.compile("adam", 0.01)
        net.train(x, y, epochs=2, batch_size=4, progress=False)
        values.append(net)
    expected, found = values
    assert np.allclose(expected.history["loss"], found.history["loss"], rtol=1e-10)
    for name, array in expected.parameters.items():
        assert np.allclose(found.parameters[name], array, atol=1e-9), name
    assert not np.allclose(found.parameters["swish1/beta"], 1)


def test_saves_and_loads(tmp_path):
    x = np.random.default_rng(0).standard_normal((5, 6, 6, 1)).astype(np.float32)
    net = model("python", "float32")
    net.parameters["swish1/beta"][...] = 0.7
    net.save(tmp_path / "model.json")
    with pytest.raises(ValueError, match="Swish"):
        jitcnn.load(tmp_path / "model.json")
    again = jitcnn.load(tmp_path / "model.json", layers={"Swish": Swish, "Scale": Scale})
    again.engine = "python"
    assert again.layers[2].factor == 0.5
    assert np.array_equal(again.predict(x), net.predict(x))


def test_a_setting_that_is_not_kept_is_named():
    class Forgetful(Layer):
        def __init__(self, rate):
            pass

    with pytest.raises(ValueError, match=r"its argument 'rate' is not kept: set self.rate in its constructor, or define describe"):
        CNN([Forgetful(1)]).describe()


def test_a_layer_without_a_pass_is_named():
    class Empty(Layer):
        pass

    with pytest.raises(NotImplementedError, match="Empty defines neither forward nor transform"):
        CNN([Empty()], engine="python").predict(np.zeros((1, 2, 2, 1), np.float32))
