"""From a name or a path to images and labels."""

from __future__ import annotations

import difflib
import hashlib
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from jitcnn.data import cifar, files, idx, npy, npz, pictures, table
from jitcnn.data.download import data_folder, is_complete
from jitcnn.data.published import SETS
from jitcnn.mapped import give_back
from jitcnn.preparation import Preparation, shown

NAMES = ("mnist", *SETS)
MOST_NAMES, MOST_NOTES = 20, 5  # that a description lists
_MOST_CLASSES = 65_536
_CHUNK = 2**20  # numbers
_IDX_NAME = re.compile(
    r"(?P<prefix>.*?)(?P<part>train|t10k|test)[-_.]?(?P<kind>images|labels)([-.]idx\d)?([-.]?u?byte)?(?P<suffix>\.idx|\.gz)*"
)


@dataclass(frozen=True)
class Dataset:
    """Images and their labels, for training and for testing.

    Attributes
    ----------
    name
        As it was asked for; of a file or folder the absolute path.
    x, x_test
        Images (n, rows, columns, channels), uint8, float32 or float64.
    y, y_test
        Labels int64 (n,), from 0.
    classes
        One name a class.
    digest
        Twelve hexadecimal digits that tell this data from other data (`jitcnn.data.files.fingerprint`).

    x_val, y_val
        Images to validate on, where the data has a folder of them.
    preparation
        How pictures from files became images; None where the data are arrays.
    notes
        A line for each file that was left out.
    files
        Where the images are from picture files: by part, "train", "val" and "test", the path of each image.

    Where the data has no test images, `x_test` and `y_test` are None.
    """

    name: str
    x: np.ndarray
    y: np.ndarray
    x_test: np.ndarray | None
    y_test: np.ndarray | None
    classes: list[str]
    digest: str
    x_val: np.ndarray | None = None
    y_val: np.ndarray | None = None
    preparation: Preparation | None = None
    notes: tuple[str, ...] = ()
    files: Mapping[str, list[str]] = field(default_factory=dict)

    def describe(self) -> str:
        """What was understood, for people: numbers, sizes, classes, and what was left out."""
        size = " x ".join(map(str, self.x.shape[1:]))
        parts = [(self.x_val, "to validate on"), (self.x_test, "to test with")]
        others = "".join(f", {len(x):,} {what}" for x, what in parts if x is not None)
        counts = np.bincount(self.y, minlength=len(self.classes))
        listed = [f"{name} {count:,}" for name, count in zip(self.classes, counts, strict=True)]
        lines = [f"{self.name}: {len(self.x):,} images of {size} in {len(self.classes)} classes{others}", f"classes: {shortened(listed)}"]
        if never := [name for name, count in zip(self.classes, counts, strict=True) if not count]:
            lines.append(f"without an image to train on: {shortened(never)}")
        if self.preparation is not None:
            colours = "in colour" if self.preparation.channels == 3 else f"in grey ({self.preparation.grey})"
            lines.append(f"pictures made {size} {colours}, other shapes by {self.preparation.resize}")
        lines += [f"left out: {note}" for note in self.notes[:MOST_NOTES]]
        if len(self.notes) > MOST_NOTES:
            lines.append(f"left out: {len(self.notes) - MOST_NOTES:,} more")
        return "\n".join(lines)


def shortened(names: list[str]) -> str:
    """Names with commas between them, the ones in the middle left out if there are many."""
    return ", ".join(names if len(names) <= MOST_NAMES else [*names[: MOST_NAMES // 2], "…", *names[-MOST_NAMES // 2 :]])


def load(
    source: str | os.PathLike,
    *,
    train_limit: int | None = None,
    test_limit: int | None = None,
    preparation: Preparation | None = None,
    strict: bool = False,
    progress: bool = False,
) -> Dataset:
    """Load a data set by name or path; of arrays only the images asked for are decoded.

    Parameters
    ----------
    source
        "mnist" (the digits that are part of this package), the name of another data set once it is downloaded, or a path:

        - a folder of IDX files with the usual names (`train-images-idx3-ubyte`, `train-labels-idx1-ubyte`, and, unless there is no test
          set, `t10k-images-idx3-ubyte` and `t10k-labels-idx1-ubyte`; plain or `.gz`), or of CIFAR's binary files;
        - an `.npz` with `x_train`, `y_train`, `x_test`, `y_test`, or with `x` and `y` alone; or a folder of `.npy` files of these names,
          or one of them, `x.npy` beside `y.npy`;
        - a `.csv` with a label and pixels in each row, or with the path of a picture and its class;
        - a folder of pictures: `train/CLASS/*`, `val/CLASS/*` and `test/CLASS/*`, or `CLASS/*` alone. Pictures are decoded once, and
          kept in a file that is mapped into memory.
    train_limit, test_limit
        At most so many images, from the first on.
    preparation
        How pictures become images; its size and channels are chosen if it names none. If it names classes, those of the pictures have
        to be among them and are numbered like them.
    strict
        Whether a broken picture is an error; otherwise it is left out, and named in `notes`.
    progress
        Whether to show a bar while pictures are decoded.

    Raises
    ------
    ValueError
        With one line that says what is wrong with the file and what was expected.
    """
    if source == "mnist":
        folder = Path(__file__).parent / "mnist"
        return _from_folder(folder, "mnist", train_limit, test_limit)
    if source in SETS:
        return _downloaded(str(source), train_limit, test_limit)
    path = Path(source).absolute()
    pictured = _Pictures(preparation or Preparation(), strict, progress, train_limit, test_limit)
    if path.is_dir():
        if (kind := cifar.kind_of(path)) is not None:
            return _from_cifar(path, kind, train_limit, test_limit)
        if (path / "x.npy").is_file() or (path / "x_train.npy").is_file():
            return _from_npy(path, path / ("x_train.npy" if (path / "x_train.npy").is_file() else "x.npy"), train_limit, test_limit)
        if not _idx_files(path) and not pictures.folders_in(path) and pictures.pictures_in(path, path):
            raise ValueError(f"{shown(path)}: holds pictures, but no folder for each class: put them into CLASS/*, or name them in a .csv")
        if _idx_files(path) or not pictures.folders_in(path):
            return _from_folder(path, str(path), train_limit, test_limit)
        return pictured.from_folder(path)
    if not path.exists():
        beside = [entry.name for entry in files.entries_of(path.parent)] if path.parent.is_dir() else []
        near = difflib.get_close_matches(path.name, [*beside, *NAMES], 1, 0.75)
        meant = f"; did you mean {shown(near[0])}?" if near else ""
        raise ValueError(f"{source}: no such file or folder, and not the name of a known data set ({', '.join(NAMES)}){meant}")
    with files.open_file(path) as stream:
        start = stream.read(len(npy.MAGIC))
    if start == npy.MAGIC:
        return _from_npy(path, path, train_limit, test_limit)
    if start.startswith(npz.ZIP_MAGIC):
        return _from_npz(path, train_limit, test_limit)
    if path.suffix.lower() == ".csv":
        return pictured.from_table(path) if table.names_files(path) else _from_csv(path, preparation, train_limit)
    raise ValueError(f"{source}: expected a folder of IDX files or of pictures, an .npz, .npy or .csv file")


@dataclass(frozen=True)
class _Pictures:
    """How picture files are read."""

    preparation: Preparation
    strict: bool
    progress: bool
    train_limit: int | None
    test_limit: int | None

    def from_folder(self, folder: Path) -> Dataset:
        parts = pictures.parts_of(folder)
        known = self.preparation.classes
        train = pictures.labelled(parts["train"], folder, None if known is None else list(known))
        found = {"train": train} | {
            name: pictures.labelled(parts[name], folder, train.classes) for name in ("val", "test") if name in parts
        }
        return self._dataset(folder, folder, found)

    def from_table(self, path: Path) -> Dataset:
        return self._dataset(path, path.parent, {"train": table.read_paths(path, self.preparation.classes)})

    def _dataset(self, name: Path, root: Path, parts: dict[str, pictures.Labelled]) -> Dataset:
        """One file of the cache a part, so that a change to one leaves the others."""
        preparation = pictures.chosen(self.preparation, parts["train"].paths)
        limits = {"train": self.train_limit, "val": self.test_limit, "test": self.test_limit}
        x: dict[str, np.ndarray] = {}
        y: dict[str, np.ndarray] = {}
        names: dict[str, list[str]] = {}
        notes, digests = [], []
        for part, (paths, labels, classes) in parts.items():
            digests.append(pictures.digest_of(paths, root))
            decoded = pictures.decoded(paths, digests[-1], preparation, strict=self.strict, progress=self.progress)
            notes += decoded.broken
            kept = labels[decoded.kept]
            if part == "train" and len(empty := np.setdiff1d(labels, kept)):
                raise ValueError(f"{shown(name)}: none of the pictures of the class {classes[empty[0]]} can be read: {notes[0]}")
            wanted = files.entries(len(kept), limits[part])
            x[part], y[part] = decoded.images[:wanted], kept[:wanted]
            names[part] = [shown(paths[number]) for number in decoded.kept[:wanted]]
        digest = hashlib.sha256("".join([*digests, *(f"{labels.tolist()}" for _, labels, _ in parts.values())]).encode()).hexdigest()[:12]
        classes = parts["train"].classes
        return Dataset(
            shown(name), x["train"], y["train"], x.get("test"), y.get("test"), classes, digest, x.get("val"), y.get("val"),
            replace(preparation, classes=tuple(classes)), tuple(notes), names,
        )  # fmt: skip


def _downloaded(name: str, train_limit: int | None, test_limit: int | None) -> Dataset:
    if not is_complete(name):
        raise ValueError(f"{name} is not here: get it with `jitcnn data download {name}`, or give a folder that has its files")
    found = load(data_folder(name), train_limit=train_limit, test_limit=test_limit)
    return replace(found, name=name, classes=list(SETS[name].classes))


def _from_folder(folder: Path, name: str, train_limit: int | None, test_limit: int | None) -> Dataset:
    found = _idx_files(folder)
    train = _both(folder, found, "train")
    x, labels = _idx_pair(*train, train_limit)
    if found.keys().isdisjoint((("t10k", "images"), ("t10k", "labels"))):
        return _dataset(name, x, labels, None, None, [*train])
    test = _both(folder, found, "t10k")
    return _dataset(name, x, labels, *_idx_pair(*test, test_limit), [*train, *test])


def _both(folder: Path, found: dict[tuple[str, str], Path], part: str) -> tuple[Path, Path]:
    """Return the files of images and labels; a ValueError names what is missing."""
    missing = [f"{part}-{kind}-idx{n}-ubyte" for kind, n in (("images", 3), ("labels", 1)) if (part, kind) not in found]
    if missing:
        raise ValueError(f"{folder}: no folder of IDX files, there is no {' and no '.join(missing)} in it, neither plain nor .gz")
    return found[part, "images"], found[part, "labels"]


def _idx_files(folder: Path) -> dict[tuple[str, str], Path]:
    found: dict[tuple[str, str], Path] = {}
    prefixes = set()
    for path in files.find(folder):
        match = _IDX_NAME.fullmatch(path.name)
        if match:
            prefixes.add(match["prefix"])
            key = "train" if match["part"] == "train" else "t10k", match["kind"]
            if key not in found or found[key].suffix == ".gz":  # a plain file needs no decompressing
                found[key] = path
    if len(prefixes) > 1:
        raise ValueError(
            f"{folder}: holds several data sets ({', '.join(sorted(prefixes))}); put the files of one into a folder of its own"
        )
    return found


def _idx_pair(images: Path, labels: Path, limit: int | None) -> tuple[np.ndarray, np.ndarray]:
    """Return the images asked for and all labels: how many classes there are does not depend on a limit."""
    image_count, label_count = idx.header(images).shape[0], idx.header(labels).shape[0]
    if image_count != label_count:
        raise ValueError(f"{images}: {image_count:,} images, but {label_count:,} labels in {labels.name}")
    return _images(idx.read(images, limit), str(images)), _labels(idx.read(labels), str(labels))


def _from_cifar(
    folder: Path, kind: tuple[list[Path], Path | None, list[Path], int, int], train_limit: int | None, test_limit: int | None
) -> Dataset:
    train, test, named, label_bytes, classes = kind
    x, labels = cifar.read(train, label_bytes, classes, train_limit)
    x_test, test_labels = (None, None) if test is None else cifar.read([test], label_bytes, classes, test_limit)
    found = _dataset(str(folder), x, labels, x_test, test_labels, [*train, *([] if test is None else [test])])
    return replace(found, classes=cifar.class_names(named, classes))


def _from_npy(name: Path, x: Path, train_limit: int | None, test_limit: int | None) -> Dataset:
    partners = {"x.npy": "y.npy", "x_train.npy": "y_train.npy"}
    if x.name not in partners:
        raise ValueError(f"{x}: name the images x.npy or x_train.npy, and the labels beside them y.npy or y_train.npy")
    y, x_test, y_test = (x.with_name(part) for part in (partners[x.name], "x_test.npy", "y_test.npy"))
    images, labels = _npy_pair(x, y, train_limit)
    if x.name == "x.npy" or not (x_test.exists() or y_test.exists()):
        return _dataset(str(name), images, labels, None, None, [x, y])
    return _dataset(str(name), images, labels, *_npy_pair(x_test, y_test, test_limit), [x, y, x_test, y_test])


def _npy_pair(x: Path, y: Path, limit: int | None) -> tuple[np.ndarray, np.ndarray]:
    shapes = [npy.header(path)[0].shape for path in (x, y)]
    if () in shapes or shapes[0][0] != shapes[1][0]:
        raise ValueError(f"{x}: {shapes[0]}, and {y.name} is {shapes[1]}; expected one label for every image")
    return _images(npy.read(x, limit), str(x)), _labels(npy.read(y), str(y))


def _from_csv(path: Path, preparation: Preparation | None, train_limit: int | None) -> Dataset:
    x, labels, classes = table.read_pixels(path, None if preparation is None else preparation.size)
    found = _dataset(str(path), x[: files.entries(len(x), train_limit)], _labels(labels, str(path)), None, None, [path])
    return found if classes is None else replace(found, classes=classes)


def _from_npz(path: Path, train_limit: int | None, test_limit: int | None) -> Dataset:
    with npz.Archive(path) as archive:
        names = set(archive.names)
        train = ("x", "y") if "x" in names and "x_train" not in names else ("x_train", "y_train")
        x, labels = _npz_pair(archive, *train, train_limit)
        has_test = not names.isdisjoint(("x_test", "y_test"))
        x_test, test_labels = _npz_pair(archive, "x_test", "y_test", test_limit) if has_test else (None, None)
    return _dataset(str(path), x, labels, x_test, test_labels, [path])


def _npz_pair(archive: npz.Archive, x: str, y: str, limit: int | None) -> tuple[np.ndarray, np.ndarray]:
    image_shape, label_shape = archive.header(x).shape, archive.header(y).shape
    if not image_shape or not label_shape or image_shape[0] != label_shape[0]:
        raise ValueError(f"{archive.path}: {x} is {image_shape} and {y} is {label_shape}; expected one label for every image")
    return _images(archive.read(x, limit), f"{archive.path}: {x}"), _labels(archive.read(y), f"{archive.path}: {y}")


def _dataset(
    name: str, x: np.ndarray, labels: np.ndarray, x_test: np.ndarray | None, test_labels: np.ndarray | None, paths: list[Path]
) -> Dataset:
    """Put the parts together; the labels are those of all images, also of those that were not asked for."""
    classes = 1 + max(int(y.max()) for y in (labels, test_labels) if y is not None)
    y, y_test = labels[: len(x)], None
    if x_test is not None and test_labels is not None:
        if x_test.shape[1:] != x.shape[1:]:
            raise ValueError(
                f"{name}: images to train on are {x.shape[1:]}, those to test with {x_test.shape[1:]}; they have to be of one size"
            )
        y_test = test_labels[: len(x_test)]
    return Dataset(name, x, y, x_test, y_test, [str(number) for number in range(classes)], files.fingerprint(paths))


def _images(x: np.ndarray, what: str) -> np.ndarray:
    if x.dtype not in (np.uint8, np.float32, np.float64):
        raise ValueError(f"{what}: images are {x.dtype}, expected uint8, float32 or float64")
    if x.ndim == 3:
        x = x[..., None]
    if x.ndim != 4 or 0 in x.shape:
        raise ValueError(
            f"{what}: images are {x.shape}, expected (images, rows, columns) or (images, rows, columns, channels), none of them 0"
        )
    if x.dtype.kind == "f":
        _check_finite(x, what)
    return x


def _check_finite(x: np.ndarray, what: str) -> None:
    """Look for NaN and infinity a part at a time: no copy of large data is made."""
    step = max(1, _CHUNK // x[0].size)
    for first in range(0, len(x), step):
        bad = ~np.isfinite(x[first : first + step]).all(axis=(1, 2, 3))
        if bad.any():
            raise ValueError(f"{what}: there is NaN or infinity in image {first + int(bad.argmax())}; remove or repair it")
        give_back(x)


def _labels(y: np.ndarray, what: str) -> np.ndarray:
    if 0 in y.shape:
        raise ValueError(f"{what}: there are no labels, the shape is {y.shape}")
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim == 2 and y.dtype.kind in "biuf":
        if not (((y == 0) | (y == 1)).all() and (y.sum(axis=1) == 1).all()):
            raise ValueError(f"{what}: labels are {y.shape}, but not every row has one 1 and zeros; expected class numbers or one-hot rows")
        return y.argmax(axis=1)
    if y.ndim != 1 or y.dtype.kind not in "biu":
        raise ValueError(f"{what}: labels are {y.shape} of {y.dtype}, expected (images,) of integers")
    if y.min() < 0 or y.max() >= _MOST_CLASSES:
        raise ValueError(f"{what}: labels go from {y.min()} to {y.max()}, expected class numbers from 0 to at most {_MOST_CLASSES - 1}")
    return y.astype(np.int64)
