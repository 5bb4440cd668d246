"""IDX files: every type, plain and compressed, whole, cut, lying and random."""

import gzip
import tracemalloc

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as numpy_strategies

from jitcnn.data import files, idx
from tests.data.reading import CODES, complaint, encode, write


@pytest.mark.parametrize("suffix", ["", ".gz"])
@hypothesis.given(data=st.data())
@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_round_trip(tmp_path, suffix, data):
    dtype = data.draw(st.sampled_from(sorted(CODES)))
    shape = data.draw(numpy_strategies.array_shapes(min_dims=1, max_dims=4, max_side=5))
    array = data.draw(numpy_strategies.arrays(dtype, shape))
    limit = data.draw(st.none() | st.integers(1, 7))
    found = idx.read(write(tmp_path / f"images{suffix}", array), limit)
    assert found.dtype == array.dtype
    assert found.tobytes() == array[:limit].tobytes()
    assert found.shape == array[:limit].shape


def test_bytes_of_a_plain_file_are_mapped_and_not_copied(tmp_path):
    path = write(tmp_path / "images", np.zeros((5_000, 28, 28), "u1"))
    tracemalloc.start()
    images = idx.read(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert images.nbytes > 3_900_000
    assert peak < 300_000


IMAGES = np.arange(24, dtype="u1").reshape(2, 3, 4)
BROKEN = {
    "empty": (b"", "it starts with nothing"),
    "text": (b"<html>404</html>", "not an IDX file"),
    "unknown type": (b"\0\0\x07\1\0\0\0\1\0", "not an IDX file"),
    "no dimensions": (b"\0\0\x08\0", "0 dimensions, expected 1 to 4"),
    "too many dimensions": (b"\0\0\x08\x09" + b"\0\0\0\1" * 9 + b"\0", "9 dimensions"),
    "cut in the header": (encode(IMAGES)[:9], "ends within its header"),
    "no images": (encode(np.empty((0, 3, 4), "u1")), r"empty, its shape is \(0, 3, 4\)"),
    "huge sizes": (encode(IMAGES, shape=(2**32 - 1,) * 4), "bytes promised"),
}


@pytest.mark.parametrize("suffix", ["", ".gz"])
@pytest.mark.parametrize("case", sorted(BROKEN))
def test_broken_file(tmp_path, case, suffix):
    content, message = BROKEN[case]
    path = tmp_path / f"images{suffix}"
    path.write_bytes(gzip.compress(content) if suffix else content)
    with pytest.raises(ValueError, match=message) as raised:
        idx.read(path)
    assert "\n" not in str(raised.value)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize(("change", "message"), [(slice(-1), "truncated"), (slice(None), "damaged")])
@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_one_byte_too_few_or_too_many(tmp_path, suffix, change, message):
    content = encode(IMAGES)[change] if message == "truncated" else encode(IMAGES) + b"\0"
    path = tmp_path / f"images{suffix}"
    path.write_bytes(gzip.compress(content) if suffix else content)
    with pytest.raises(ValueError, match=message):
        idx.read(path)


@pytest.mark.parametrize("keep", [1, 5, 12, 20, -1, -8])
def test_cut_compressed_file(tmp_path, keep):
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(encode(IMAGES))[:keep])
    with pytest.raises(ValueError, match=str(path)):
        idx.read(path)


def test_wrong_checksum(tmp_path):
    path = tmp_path / "images.gz"
    content = bytearray(gzip.compress(encode(IMAGES)))
    content[-6] ^= 1
    path.write_bytes(content)
    with pytest.raises(ValueError, match="damaged or truncated"):
        idx.read(path)


def test_header_that_promises_more_than_the_file_can_hold_takes_no_memory(tmp_path):
    for suffix in ("", ".gz"):
        path = write(tmp_path / f"images{suffix}", IMAGES, shape=(60_000, 2_000, 2_000))
        tracemalloc.start()
        with pytest.raises(ValueError, match="promised"):
            idx.read(path)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 2_000_000


def test_bomb_behind_a_small_header_is_not_unpacked(tmp_path):
    path = tmp_path / "images.gz"
    path.write_bytes(gzip.compress(encode(IMAGES) + bytes(200 * 2**20), 1))
    tracemalloc.start()
    with pytest.raises(ValueError, match="goes on after"):
        idx.read(path)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4_000_000


def test_compressed_images_that_would_take_too_much_memory(tmp_path, monkeypatch):
    path = write(tmp_path / "images.gz", np.zeros((100, 28, 28), "u1"))
    monkeypatch.setattr(files, "DECOMPRESSED_LIMIT", 10 * 784)
    with pytest.raises(ValueError, match="ask for fewer images, or decompress it"):
        idx.read(path)
    assert len(idx.read(path, 10)) == 10


def test_what_is_not_a_file(tmp_path):
    with pytest.raises(ValueError, match="no such file"):
        idx.read(tmp_path / "none")
    with pytest.raises(ValueError, match="not a regular file"):
        idx.read(tmp_path)


@hypothesis.given(content=st.binary(max_size=60), start=st.sampled_from([b"", b"\0\0\x08\3", b"\0\0\x08\1", b"\x1f\x8b\x08\0"]))
@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_random_bytes_give_an_array_or_a_valueerror(tmp_path, content, start):
    path = tmp_path / "images"
    path.write_bytes(start + content)
    assert "\n" not in complaint(idx.read, path)


@pytest.mark.parametrize("suffix", ["", ".gz"])
@hypothesis.given(data=st.data())
@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_damaged_bytes_give_an_array_or_a_valueerror(tmp_path, suffix, data):
    content = bytearray(write(tmp_path / f"whole{suffix}", IMAGES).read_bytes())
    for position in data.draw(st.lists(st.integers(0, len(content) - 1), min_size=1, max_size=4)):
        content[position] = data.draw(st.integers(0, 255))
    path = tmp_path / f"damaged{suffix}"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    assert "\n" not in complaint(idx.read, path)
