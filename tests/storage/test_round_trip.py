"""What was saved comes back, bit for bit, and can be used at once."""

import json
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_strategies

from jitcnn import CNN, Conv2d, Dense, Flatten, Layer, load
from jitcnn.initializers import ones
from jitcnn.storage import JSON_PARAMETERS, formats, suffix_for
from jitcnn.storage.content import Content
from tests.storage.conftest import ODD_BITS, small_model

X = np.random.default_rng(5).integers(0, 256, (4, 6, 6, 1), np.uint8)
Y = np.array([0, 1, 2, 1])


def bits(model):
    return {name: (value.shape, value.dtype, value.tobytes()) for name, value in model.parameters.items()}


def test_everything_comes_back(model, path):
    model.save(path)
    loaded = load(path)
    assert loaded.describe() == model.describe()
    assert bits(loaded) == bits(model)
    assert loaded.digest() == model.digest()
    assert loaded.classes == ["zero", "ünë", "二"]
    assert loaded.data == {"name": "mnist", "digest": "0123456789ab"}
    assert loaded.preparation == model.preparation
    loaded.engine = "python"
    assert loaded.predict(X).tobytes() == model.predict(X).tobytes()


def test_a_trained_model_evaluates_and_trains_on_without_compile(path):
    model = small_model()
    model.train(X, Y, epochs=2, batch_size=2, progress=False)
    model.save(path)
    loaded = load(path)
    loaded.engine = "python"
    assert loaded.predict(X).tobytes() == model.predict(X).tobytes()
    assert loaded.evaluate(X, Y) == model.evaluate(X, Y)
    assert (loaded.epochs, loaded.steps.tolist()) == (2, [4])
    loaded.train(X, Y, epochs=1, batch_size=2, progress=False)
    assert loaded.epochs == 3


def test_every_kind_of_number(model, path):
    pattern = ODD_BITS[model.dtype.name].view(model.dtype)
    for value in model.parameters.values():
        value[...] = np.resize(pattern, value.shape)
    before = bits(model)
    model.save(path)
    assert bits(load(path)) == before


@pytest.mark.parametrize("kind", ["json", "npz"])
@hypothesis.given(data=st.data())
@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_any_arrays(tmp_path, kind, data):
    dtype = data.draw(st.sampled_from(["float32", "float64"]))
    shapes = data.draw(st.lists(numpy_strategies.array_shapes(min_dims=0, max_dims=5, max_side=4), max_size=4))
    width = int(dtype[5:])
    numbers = st.floats(width=width, allow_nan=True)
    arrays = {f"layer{i}/p": data.draw(numpy_strategies.arrays(dtype, shape, elements=numbers)) for i, shape in enumerate(shapes)}
    description = {
        "architecture": [],
        "text": data.draw(st.text(st.characters(exclude_categories=["Cs"]))),
        "number": data.draw(st.floats(allow_nan=False, allow_infinity=False)),
    }
    path = tmp_path / "model"
    with path.open("wb") as stream:
        getattr(formats, f"write_{kind}")(stream, Content(description, "digest", arrays))
    found = getattr(formats, f"read_{kind}")(path)
    assert found.description == description
    assert found.digest == "digest"
    assert list(found.parameters) == list(arrays)
    for name, array in arrays.items():
        assert (found.parameters[name].shape, found.parameters[name].dtype) == (array.shape, array.dtype)
        assert found.parameters[name].tobytes() == array.tobytes()


def test_numpy_reads_the_archive(tmp_path, model):
    model.save(tmp_path / "model.npz")
    with np.load(tmp_path / "model.npz", allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["conv1/weights"], model.parameters["conv1/weights"])
        assert json.loads(archive["description"].tobytes())["format"] == "jitcnn model"


def test_json_is_json_with_the_documented_fields(tmp_path, model):
    model.save(tmp_path / "model.json")
    document = json.loads((tmp_path / "model.json").read_text())
    assert set(document) == {"format", "version", "writer", "model", "digest", "parameters"}
    assert document["version"] == 1
    assert document["parameters"][0]["name"] == "conv1/weights"
    assert document["parameters"][0]["shape"] == [3, 3, 1, 2]


def test_size_chooses_the_format_unless_the_suffix_does(tmp_path):
    assert (suffix_for(JSON_PARAMETERS), suffix_for(JSON_PARAMETERS + 1)) == (".json", ".npz")
    small, large = CNN([Dense(1, input_shape=9)], seed=1), CNN([Dense(1, input_shape=JSON_PARAMETERS)], seed=1)
    for model, name, is_npz in (
        (small, "a", False),
        (small, "a.NPZ", True),
        (large, "b", True),
        (large, "b.json", False),
        (large, "b.v2", True),
    ):
        model.save(tmp_path / name)
        assert ((tmp_path / name).read_bytes()[:2] == b"PK") == is_npz
        assert load(tmp_path / name).digest() == model.digest()


def test_a_model_without_a_shape_or_compile(path):
    model = CNN([Conv2d(2), Flatten()], seed=3)
    model.save(str(path))
    loaded = load(str(path))
    assert loaded.describe() == model.describe()
    assert loaded.parameters == {}
    assert loaded.loss is None


class Scale(Layer):
    def build(self, input_shape):
        self.factor = self.parameter("factor", (1,), ones)
        return input_shape


def test_a_layer_of_ones_own_needs_its_class(path):
    model = CNN([Scale(input_shape=3)], seed=1)
    model.save(path)
    with pytest.raises(ValueError, match=r"type 'Scale'.*load\(path, layers="):
        load(path)
    assert load(path, layers={"Scale": Scale}).digest() == model.digest()


def test_saving_twice_gives_the_same_file(model, path):
    model.save(path)
    first = path.read_bytes()
    model.save(path)
    assert path.read_bytes() == first


def test_schema_in_the_docs_has_every_field():
    import jitcnn.storage

    assert all(f'"{field}"' in jitcnn.storage.__doc__ for field in ("format", "version", "writer", "model", "digest", "parameters", "data"))
    assert Path(jitcnn.storage.__file__).is_file()
