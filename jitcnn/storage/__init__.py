"""Model files: everything that a prediction needs, in JSON or in NumPy's `.npz`.

The schema, version 1. A JSON file is one object:

    "format"      "jitcnn model"
    "version"     1; a file of a later version is refused, a field that is not in this list is ignored
    "writer"      the program that wrote it, such as "jitcnn 0.1.0"; nothing depends on it
    "model"       what `CNN.describe()` gives: layers, dtype, preparation, loss, optimizer, the data's name and digest, seed
    "digest"      what `CNN.digest()` gives: compared after loading, so that a flipped bit is noticed
    "parameters"  a list, in the order of the layers, of
        "name"    such as "conv1/weights"
        "shape"   as `model.parameters` has it: (rows, columns, channels, filters) of a convolution, (inputs, units) of a dense layer
        "dtype"   "float32" or "float64"
        "data"    the numbers in C order, little-endian, as base64

Base64 rather than decimals: it is exact to the bit for every number there is (also -0.0, infinities, which JSON cannot spell, and each of
the many NaNs), a reader knows its size before it takes memory, it is half as long, and any language decodes it in one line.

An `.npz` file holds one array of bytes, "description", with the same JSON object less "data", and one array for each parameter under its
name; `numpy.load(path)["conv1/weights"]` reads one. No code and no pickle is in either, and none is ever run.
"""

from jitcnn.storage.models import JSON_PARAMETERS, load, save, suffix_for

__all__ = ["JSON_PARAMETERS", "load", "save", "suffix_for"]
