"""`.npz` archives: what NumPy writes comes back; what it did not write is refused before memory is taken."""

import io
import tracemalloc
import zipfile

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_strategies

from jitcnn.data import files, npz
from tests.data.reading import complaint

no_fixture_check = hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
DTYPES = ["u1", "<i8", ">i4", "<f4", ">f4", "<f8", "?", "<U3"]


def read(path, name, limit=None):
    with npz.Archive(path) as archive:
        return archive.read(name, limit)


def read_all(path):
    with npz.Archive(path) as archive:
        return [archive.read(name) for name in archive.names]


def archive_of(path, **members):
    """A zip file with these bytes as its members."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(f"{name}.npy", content)
    return path


def npy(array, **header):
    """An array's bytes as NumPy writes them, under a header that may claim something else."""
    stream = io.BytesIO()
    np.lib.format.write_array_header_1_0(stream, np.lib.format.header_data_from_array_1_0(array) | header)
    return stream.getvalue() + array.tobytes()


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@hypothesis.given(data=st.data())
@no_fixture_check
def test_round_trip(tmp_path, save, data):
    shape = data.draw(numpy_strategies.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5))
    array = data.draw(numpy_strategies.arrays(data.draw(st.sampled_from(DTYPES)), shape))
    if data.draw(st.booleans()):
        array = np.asfortranarray(array)
    limit = data.draw(st.none() | st.integers(1, 7))
    save(tmp_path / "a.npz", array=array, **{"layer/weights": np.ones(3)})
    found = read(tmp_path / "a.npz", "array", limit)
    expected = array[:limit] if shape else array
    assert found.shape == expected.shape
    assert found.dtype == array.dtype.newbyteorder("=")
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(read(tmp_path / "a.npz", "layer/weights"), np.ones(3))


def test_python_objects_are_never_read(tmp_path):
    np.savez(tmp_path / "a.npz", objects=np.array([{}, []], object))
    with pytest.raises(ValueError, match="never Python objects"):
        read(tmp_path / "a.npz", "objects")


ARRAY = np.arange(6, dtype=np.float32).reshape(2, 3)
BROKEN = {
    "not npy": (b"hello", "header cannot be read"),
    "shape too large": (npy(ARRAY, shape=(2**40, 2**40)), "damaged"),
    "shape too small": (npy(ARRAY, shape=(2, 2)), "damaged"),
    "negative": (npy(ARRAY, shape=(-2, -3)), "not one of an array"),
    "many dimensions": (npy(ARRAY, shape=(2, 3, *(1,) * 30)), "not one of an array"),
    "object": (npy(ARRAY, descr="|O"), "never Python objects"),
    "record": (npy(ARRAY, descr=[("a", "<f4")]), "only numbers and text"),
    "unknown type": (npy(ARRAY, descr="nothing"), "header cannot be read"),
    "cut": (npy(ARRAY)[:-1], "damaged"),
    "version 2": (npy(ARRAY).replace(b"NUMPY\x01", b"NUMPY\x02", 1), "header cannot be read"),
}


@pytest.mark.parametrize("case", sorted(BROKEN))
def test_broken_array(tmp_path, case):
    content, message = BROKEN[case]
    with pytest.raises(ValueError, match=message) as raised:
        read(archive_of(tmp_path / "a.npz", array=content), "array")
    assert "\n" not in str(raised.value)


def test_missing_array_names_those_that_are_there(tmp_path):
    with pytest.raises(ValueError, match="has no array 'y'; it has 'x'"):
        read(archive_of(tmp_path / "a.npz", x=npy(ARRAY)), "y")


def test_two_arrays_of_one_name(tmp_path):
    path = archive_of(tmp_path / "a.npz", x=npy(ARRAY))
    with zipfile.ZipFile(path, "a") as archive, pytest.warns(UserWarning, match="Duplicate name"):
        archive.writestr("x.npy", npy(ARRAY))
    with pytest.raises(ValueError, match="two arrays of one name"):
        npz.Archive(path)


def test_not_a_zip_file(tmp_path):
    path = tmp_path / "a.npz"
    path.write_bytes(b"PK and then something else")
    with pytest.raises(ValueError, match=r"not an \.npz file"):
        npz.Archive(path)


def test_bomb_is_not_unpacked(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "DECOMPRESSED_LIMIT", 2**20)
    np.savez_compressed(tmp_path / "a.npz", array=np.zeros(20 * 2**20, np.uint8))
    tracemalloc.start()
    with pytest.raises(ValueError, match="more than the 1,048,576"):
        read(tmp_path / "a.npz", "array")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 2**20
    assert read(tmp_path / "a.npz", "array", 1000).nbytes == 1000


@pytest.mark.parametrize("save", [np.savez, np.savez_compressed])
@hypothesis.given(data=st.data())
@no_fixture_check
def test_damaged_bytes_give_an_array_or_a_valueerror(tmp_path, save, data):
    save(tmp_path / "whole.npz", x=ARRAY, y=np.arange(5))
    content = bytearray((tmp_path / "whole.npz").read_bytes())
    for position in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4)):
        content[position] = data.draw(st.integers(0, 255))
    path = tmp_path / "damaged.npz"
    path.write_bytes(content[: data.draw(st.just(len(content)) | st.integers(0, len(content)))])
    assert "\n" not in complaint(read_all, path)
