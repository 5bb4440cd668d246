"""Folders of pictures: what is in a file, and what it is called."""

import io
import os

import numpy as np
from PIL import Image

from jitcnn.data import load
from tests.fuzz.harness import Format, Sample

SUFFIXES = {"PNG": ".png", "JPEG": ".jpg", "BMP": ".bmp", "GIF": ".gif", "WEBP": ".webp", "TIFF": ".tif", "PPM": ".ppm"}
PIXELS = np.arange(192, dtype=np.uint8).reshape(8, 8, 3)


def picture(kind, mode="RGB", **settings):
    stream = io.BytesIO()
    Image.fromarray(PIXELS).convert(mode).save(stream, kind, **settings)
    return stream.getvalue()


def samples(folder):
    found = [picture(kind) for kind in SUFFIXES]
    found += [picture("PNG", mode) for mode in ("1", "L", "LA", "P", "RGBA", "I;16")] + [picture("TIFF", "F"), picture("JPEG", "CMYK")]
    return list(map(Sample, found))


def read(folder, data):
    """The file's name is made of its last bytes."""
    for name in ("a", "b"):
        (folder / "set" / name).mkdir(parents=True)
        (folder / "set" / name / "0.png").write_bytes(picture("PNG"))
    letters = bytes(byte for byte in data[-5:] if byte not in b"\0/\\")
    (folder / "set" / "b" / os.fsdecode(b"x" + letters + b".png")).write_bytes(data)
    os.environ["JITCNN_DATA_DIR"] = str(folder / "cache")
    found = load(folder / "set")
    assert len(found.x) == len(found.y) and found.describe().encode()
    if found.notes:
        raise ValueError(found.notes[0])


FORMAT = Format(samples, read, words=(b"IHDR", b"IDAT", b"acTL", b"eXIf", b"\xff\xd8", b"\xff\xe1", b"II*\0", b"%!PS-Adobe", b"P6\n"))
