"""Files that no `save` wrote: each gives a clear ValueError, quickly and with little memory."""

import base64
import json
import tracemalloc

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from jitcnn import load
from jitcnn.storage import formats
from tests.storage.conftest import small_model

fixtures = hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The bytes of a model's file by suffix."""
    folder = tmp_path_factory.mktemp("whole")
    for suffix in (".json", ".npz"):
        small_model().save(folder / f"model{suffix}")
    return {suffix: (folder / f"model{suffix}").read_bytes() for suffix in (".json", ".npz")}


@pytest.fixture
def document(whole):
    return json.loads(whole[".json"])


def refused(path, match=None):
    tracemalloc.start()
    with pytest.raises(ValueError, match=match) as raised:
        load(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)
    assert peak < 100 * 2**20


def refused_document(tmp_path, document, match):
    path = tmp_path / "model.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    refused(path, match)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"format": "other"}, "not a jitcnn model"),
        ({"version": 2}, "of version 2, and this jitcnn reads version 1: a newer jitcnn wrote it"),
        ({"version": True}, '"version" is of type bool, expected int'),
        ({"version": 0}, "of version 0"),
        ({"model": []}, '"model" is of type list, expected dict'),
        ({"model": {}}, '"architecture" is missing'),
        ({"model": {"architecture": [{}]}}, "no model can be made of its description"),
        ({"model": {"architecture": [{}] * 1001}}, "1,001 layers, more than the 1,000"),
        ({"digest": None}, '"digest" is of type NoneType'),
        ({"digest": "000000000000"}, "digest is .*, and the file says 000000000000; it is damaged"),
        ({"parameters": {}}, '"parameters" is of type dict'),
        ({"parameters": []}, r"the layers need \(2,\) of float32 for 'conv1/bias', and the file holds nothing"),
        ({"parameters": [1]}, "something that is not an object"),
    ],
)
def test_field(tmp_path, document, change, match):
    refused_document(tmp_path, document | change, match)


@pytest.mark.parametrize("field", ["format", "version", "model", "digest", "parameters"])
def test_missing_field(tmp_path, document, field):
    del document[field]
    refused_document(tmp_path, document, field)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"name": 3}, '"name" is of type int'),
        ({"name": "conv1/bias"}, "two parameters have one name"),
        ({"name": "conv9/weights"}, "the layers need .* for 'conv1/weights', and the file holds nothing"),
        ({"shape": [3, 3, 2, 1]}, r"the layers need \(3, 3, 1, 2\) of float32 for 'conv1/weights', and the file holds \(3, 3, 2, 1\)"),
        ({"shape": [3, 3, 1, 2.0]}, "its shape is not a list"),
        ({"shape": [3, 3, 1, True]}, "its shape is not a list"),
        ({"shape": [0, 3]}, "its shape is not a list"),
        ({"shape": [-3, -3, 1, 2]}, "its shape is not a list"),
        ({"shape": [1] * 9}, "its shape is not a list"),
        ({"shape": [10**9, 10**9]}, "its data is not the base64 of 4,000,000,000,000,000,000 bytes"),
        ({"dtype": "object"}, "of type 'object', expected one of float32, float64"),
        ({"dtype": "float64"}, "its data is not the base64 of 144 bytes"),
        ({"data": None}, "its data is not the base64"),
        ({"data": "AAAA"}, "its data is not the base64 of 72 bytes"),
        ({"data": "!" * 96}, "its data is not base64"),
        ({"data": "A" * 92 + "AA=="}, "70 bytes of data, expected 72"),
        ({"data": base64.b64encode(bytes(72)).decode()}, "it is damaged"),
    ],
)
def test_parameter(tmp_path, document, change, match):
    document["parameters"][0] |= change
    refused_document(tmp_path, document, match)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"dtype": "float16"}, "float16"),
        ({"dtype": "float64"}, "of float64 for"),
        ({"seed": -1}, "seed"),
        ({"seed": "1"}, "seed"),
        ({"loss": "hinge"}, "hinge"),
        ({"loss": []}, "no model can be made"),
        ({"optimizer": {"name": "adam", "settings": {"lr": 1}}}, "no model can be made"),
        ({"optimizer": {"name": "__import__", "settings": {}}}, "__import__"),
        ({"metrics": ["nothing"]}, "nothing"),
        ({"input_shape": [10**4, 10**4, 1]}, "and the model takes"),
        ({"input_shape": [10**9, 10**9, 10**9]}, "more than can be addressed"),
        ({"optimizer": {"name": "adam", "settings": {"learning_rate": 10**400}}}, "is too large"),
        ({"input_shape": "666"}, "no model can be made"),
        ({"input_shape": [0, 6, 1]}, "no model can be made"),
        ({"preparation": 3}, "no model can be made"),
        ({"steps": 1.5}, "steps"),
    ],
)
def test_description(tmp_path, document, change, match):
    document["model"] |= change
    refused_document(tmp_path, document, match)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"normalize": "yes"}, "normalize"),
        ({"classes": ["a"]}, "classes has 1 names"),
        ({"classes": "abc"}, "classes is str"),
        ({"resize": "half"}, "resize is 'half'"),
        ({"grey": "mean"}, "grey is 'mean'"),
        ({"invert": 1}, "invert is 1"),
        ({"size": [6, 7]}, "the model takes"),
        ({"size": 6}, "size is 6"),
        ({"channels": 0}, "channels"),
    ],
)
def test_preparation(tmp_path, document, change, match):
    document["model"]["preparation"] |= change
    refused_document(tmp_path, document, match)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        ({"type": "os.system"}, "os.system"),
        ({"type": ["Conv2d"]}, "no model can be made"),
        ({"settings": {"filters": 10**15, "kernel_size": [3, 3], "padding": "edge"}}, "the layers need"),
        ({"settings": {"filters": 2, "kernel_size": [10**30, 1]}}, "conv1"),
        ({"settings": {"command": "rm"}}, "command"),
        ({"settings": None}, "no model can be made"),
    ],
)
def test_layer(tmp_path, document, change, match):
    document["model"]["architecture"][0] |= change
    refused_document(tmp_path, document, match)


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("", "not valid JSON"),
        ("{", "not valid JSON"),
        ("[]", "not a jitcnn model"),
        ("3", "not a jitcnn model"),
        ('{"format": "jitcnn model", "format": "jitcnn model"}', "a key twice"),
        ('{"format": NaN}', "NaN is not a number in JSON"),
        ('{"format": -Infinity}', "-Infinity is not a number in JSON"),
        ("[" * 100_000, "nested too deeply"),
        ('{"a":' * 50_000, "nested too deeply"),
        ("[" + "0," * 300_000 + "0]", "300,001 values, more than the 200,000"),
        ("1" * 100_000, "not valid JSON"),
    ],
)
def test_text(tmp_path, text, match):
    refused_document(tmp_path, text, match)


def test_not_utf8(tmp_path):
    path = tmp_path / "model.json"
    path.write_bytes(b'{"format": "\xff"}')
    refused(path, "not UTF-8 at byte 12")


def test_json_of_too_many_bytes_is_not_read(tmp_path, monkeypatch):
    path = tmp_path / "model.json"
    path.write_bytes(b"")
    with path.open("r+b") as stream:
        stream.truncate(2**40)  # takes no place on the disk
    refused(path, "1,099,511,627,776 bytes, more than the 67,108,864")


def test_saving_too_much_as_json(tmp_path, monkeypatch):
    monkeypatch.setattr(formats, "JSON_LIMIT", 2_000)
    with pytest.raises(ValueError, match=r"save this model with the suffix \.npz"):
        small_model().save(tmp_path / "model.json")
    assert list(tmp_path.iterdir()) == []


def rewritten(path, whole, **changes):
    """The archive with other arrays in it; None takes one away."""
    source = path.with_name("whole.npz")
    source.write_bytes(whole[".npz"])
    with np.load(source) as archive:
        arrays = {name: array for name, array in ({**archive} | changes).items() if array is not None}
    np.savez(path, **arrays)
    return path


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"description": None}, "has no array 'description'"),
        ({"description": np.zeros(5)}, "'description' is .* of float64"),
        ({"description": np.zeros((5, 5), np.uint8)}, "'description' is"),
        ({"description": np.frombuffer(b"{}", np.uint8)}, "not a jitcnn model"),
        ({"conv1/weights": None}, "has no array 'conv1/weights'"),
        ({"conv1/weights": np.zeros((3, 3, 1, 2))}, "'conv1/weights' is .* of float64, and its description says .* of float32"),
        ({"conv1/weights": np.zeros((3, 3), np.float32)}, "and its description says"),
        ({"conv1/weights": np.zeros((3, 3, 1, 2), np.float32)}, "it is damaged"),
    ],
)
def test_archive(tmp_path, whole, changes, match):
    refused(rewritten(tmp_path / "model.npz", whole, **changes), match)


def test_pickle_in_an_archive_is_not_run(tmp_path, whole):
    class Trap:
        def __reduce__(self):
            return (pytest.fail, ("the pickle was run",))

    refused(rewritten(tmp_path / "model.npz", whole, **{"conv1/weights": np.array([Trap()], object)}), "never Python objects")


@pytest.mark.parametrize("suffix", [".json", ".npz"])
def test_truncated_anywhere(tmp_path, whole, suffix):
    path = tmp_path / f"model{suffix}"
    content = whole[suffix]
    for length in {*range(0, len(content) - 1, 101), len(content) - 2}:
        path.write_bytes(content[:length])
        refused(path)


@pytest.mark.parametrize("suffix", [".json", ".npz"])
@hypothesis.given(data=st.data())
@fixtures
def test_flipped_bits_give_the_model_or_a_valueerror(tmp_path, whole, suffix, data):
    content = bytearray(whole[suffix])
    for position in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=3)):
        content[position] ^= 1 << data.draw(st.integers(0, 7))
    path = tmp_path / f"model{suffix}"
    path.write_bytes(content)
    try:
        loaded = load(path)
    except ValueError as error:
        message = str(error)
    else:
        message = ""
        assert loaded.digest() == small_model().digest()
    assert "\n" not in message


def paths(value, path=()):
    """Ways to every value inside a JSON value."""
    yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in pairs:
        yield from paths(item, (*path, key))


HOSTILE = st.sampled_from([None, True, 0, -1, 1, 2**31, 2**63, 10**40, 1.5, 1e308, "", "x", "Conv2d", [], {}, [1], [[]], {"name": 1}])


@hypothesis.given(data=st.data())
@fixtures
def test_any_value_anywhere_gives_a_model_or_a_valueerror(tmp_path, whole, data):
    document = json.loads(whole[".json"])
    for _ in range(data.draw(st.integers(1, 3))):
        *way, last = data.draw(st.sampled_from([path for path in paths(document) if path]))
        target = document
        for key in way:
            target = target[key]
        target[last] = data.draw(HOSTILE)
    path = tmp_path / "model.json"
    path.write_text(json.dumps(document))
    try:
        load(path).summary()
    except ValueError as error:
        message = str(error)
    else:
        message = ""
    assert "\n" not in message


def test_missing_file_and_folder(tmp_path):
    refused(tmp_path / "none.json", "no such file")
    refused(tmp_path, "not a regular file")
