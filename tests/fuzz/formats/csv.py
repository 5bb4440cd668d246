"""Tables: of pixels, and of pictures' paths."""

import numpy as np

from jitcnn.data import load
from tests.fuzz.formats.pictures import picture
from tests.fuzz.harness import Format, Sample


def samples(folder):
    pixels = b"label,a,b,c,d\n0,1,2,3,4\n1,255,0,7,9\n"
    return [
        *map(Sample, (pixels, pixels.replace(b"\n", b"\r\n"), b"cat,0.5,1,0,0.25\ndog,1,1,1,1\n", "é,1,2,3,4\nö,5,6,7,8\n".encode())),
        *map(Sample, (b"a.png,cat\nb.png,dog\n", b'file,label\n"a.png",1\n"b.png","2"\n')),
    ]


def read(folder, data):
    for name in ("a.png", "b.png"):
        (folder / name).write_bytes(picture("PNG"))
    (folder / "table.csv").write_bytes(data)
    found = load(folder / "table.csv")
    assert found.y.max() < len(found.classes) and np.isfinite(found.x).all() and found.describe().encode()


FORMAT = Format(samples, read, words=(b",", b"\n", b'"', b'""', b"\0", b"\xff", b"../a.png", b"/etc/passwd", b"nan", b"a.png", b"1_0"))
