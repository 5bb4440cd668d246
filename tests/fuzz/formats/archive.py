"""Archives as a mirror may send them: what is taken out of them, and where it is put."""

import io
import tarfile

from jitcnn.data.download import unpack
from tests.fuzz.harness import Format, Sample

MEMBERS = (("a.bin", 5), ("b.bin", 7))


def packed(content):
    """Compressed around the archive."""
    import gzip

    return gzip.compress(content, 1, mtime=0)


def samples(folder):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, size in (*MEMBERS, ("../c.bin", 3)):
            entry = tarfile.TarInfo(f"inside/{name}")
            entry.size = size
            tar.addfile(entry, io.BytesIO(b"x" * size))
        link = tarfile.TarInfo("a.bin")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(link)
    return [Sample(stream.getvalue()), Sample(stream.getvalue(), packed), Sample(packed(stream.getvalue()))]


def read(folder, data):
    (folder / "in").mkdir()
    (folder / "in" / "all.tar.gz").write_bytes(data)
    unpack(folder / "in" / "all.tar.gz", MEMBERS)
    assert {path.name for path in (folder / "in").iterdir()} <= {"a.bin", "b.bin"} and [path.name for path in folder.iterdir()] == ["in"]
    assert sum(path.stat().st_size for path in (folder / "in").iterdir()) <= 12


FORMAT = Format(samples, read, words=(b"../", b"/", b"a.bin", b"5", b"7777777777", b"\0" * 8, b"L", b"x", b"path=../../a.bin\n"))
