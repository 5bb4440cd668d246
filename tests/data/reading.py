"""What the tests of readers share: writing IDX files, whole and broken, and catching what a reader says."""

import gzip

import numpy as np

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def encode(array, shape=None):
    """The bytes of an IDX file; `shape` is what its header claims."""
    array = np.asarray(array)
    code = CODES[array.dtype.str[1:]]
    shape = array.shape if shape is None else shape
    return bytes([0, 0, code, len(shape)]) + np.array(shape, ">u4").tobytes() + array.astype(array.dtype.newbyteorder(">")).tobytes()


def write(path, array, **options):
    data = encode(array, **options)
    path.write_bytes(gzip.compress(data, 1) if path.suffix == ".gz" else data)
    return path


def write_folder(folder, x, y, x_test=None, y_test=None, suffix="", prefix=""):
    folder.mkdir(exist_ok=True)
    for part, images, labels in (("train", x, y), ("t10k", x_test, y_test)):
        if images is not None:
            write(folder / f"{prefix}{part}-images-idx3-ubyte{suffix}", images)
            write(folder / f"{prefix}{part}-labels-idx1-ubyte{suffix}", labels)
    return folder


def complaint(read, *arguments):
    """The text of the ValueError that reading gives, or nothing if it succeeds; any other error goes through."""
    try:
        read(*arguments)
    except ValueError as error:
        return str(error)
    return ""
