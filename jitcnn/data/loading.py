"""From a name or a path to images and labels."""

from __future__ import annotations

import difflib
import hashlib
import os
import re
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from jitcnn.data import cifar, class_folders, files, idx, npy, npz, pictures, table
from jitcnn.data.dataset import NAMES, Dataset, assembled, checked_images, checked_labels
from jitcnn.data.download import data_folder, is_complete
from jitcnn.data.published import SETS
from jitcnn.decoding import shown
from jitcnn.preparation import Preparation

_IDX_NAME = re.compile(
    r"(?P<prefix>.*?)(?P<part>train|t10k|test)[-_.]?(?P<kind>images|labels)([-.]idx\d)?([-.]?u?byte)?(?P<suffix>\.idx|\.gz)*"
)


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
        - an `.npz` with `x_train`, `y_train`, `x_val`, `y_val`, `x_test`, `y_test`, or with `x` and `y` alone; or a folder of `.npy` files
          of these names, or one of them, `x.npy` beside `y.npy`;
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
        if not _idx_files(path) and not class_folders.folders_in(path) and class_folders.pictures_in(path, path):
            raise ValueError(f"{shown(path)}: holds pictures, but no folder for each class: put them into CLASS/*, or name them in a .csv")
        if not _idx_files(path) and not class_folders.folders_in(path):
            raise ValueError(f"{shown(path)}: holds no data: expected a folder of pictures for each class, or IDX, CIFAR or .npy files")
        if _idx_files(path):
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
        """A folder of folders, one a class."""
        parts = class_folders.parts_of(folder)
        known = self.preparation.classes
        train = class_folders.labelled(parts["train"], folder, None if known is None else list(known))
        found = {"train": train} | {
            name: class_folders.labelled(parts[name], folder, train.classes) for name in ("val", "test") if name in parts
        }
        dataset = self._dataset(folder, folder, found)
        return replace(dataset, notes=(*dataset.notes, *class_folders.passed_over(folder, parts)))

    def from_table(self, path: Path) -> Dataset:
        """A table of paths and labels."""
        return self._dataset(path, path.parent, {"train": table.read_paths(path, self.preparation.classes)})

    def _dataset(self, name: Path, root: Path, parts: dict[str, class_folders.Labelled]) -> Dataset:
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
        return assembled(name, x, labels, None, None, [*train])
    test = _both(folder, found, "t10k")
    return assembled(name, x, labels, *_idx_pair(*test, test_limit), [*train, *test])


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
    return checked_images(idx.read(images, limit), str(images)), checked_labels(idx.read(labels), str(labels))


def _from_cifar(
    folder: Path, kind: tuple[list[Path], Path | None, list[Path], int, int], train_limit: int | None, test_limit: int | None
) -> Dataset:
    train, test, named, label_bytes, classes = kind
    x, labels = cifar.read(train, label_bytes, classes, train_limit)
    x_test, test_labels = (None, None) if test is None else cifar.read([test], label_bytes, classes, test_limit)
    found = assembled(str(folder), x, labels, x_test, test_labels, [*train, *([] if test is None else [test])])
    return replace(found, classes=cifar.class_names(named, classes))


def _from_npy(name: Path, x: Path, train_limit: int | None, test_limit: int | None) -> Dataset:
    partners = {"x.npy": "y.npy", "x_train.npy": "y_train.npy"}
    if x.name not in partners:
        raise ValueError(f"{x}: name the images x.npy or x_train.npy, and the labels beside them y.npy or y_train.npy")
    pairs = {part: (x.with_name(f"x_{part}.npy"), x.with_name(f"y_{part}.npy")) for part in ("test", "val")}
    pairs = {part: pair for part, pair in pairs.items() if x.name != "x.npy" and any(path.exists() for path in pair)}
    train, every = (x, x.with_name(partners[x.name])), [path for pair in pairs.values() for path in pair]
    x_test, y_test = _npy_pair(*pairs["test"], test_limit) if "test" in pairs else (None, None)
    found = assembled(str(name), *_npy_pair(*train, train_limit), x_test, y_test, [*train, *every])
    return _validated(found, *_npy_pair(*pairs["val"], test_limit)) if "val" in pairs else found


def _npy_pair(x: Path, y: Path, limit: int | None) -> tuple[np.ndarray, np.ndarray]:
    shapes = [npy.header(path)[0].shape for path in (x, y)]
    if () in shapes or shapes[0][0] != shapes[1][0]:
        raise ValueError(f"{x}: {shapes[0]}, and {y.name} is {shapes[1]}; expected one label for every image")
    return checked_images(npy.read(x, limit), str(x)), checked_labels(npy.read(y), str(y))


def _from_csv(path: Path, preparation: Preparation | None, train_limit: int | None) -> Dataset:
    x, labels, classes = table.read_pixels(path, None if preparation is None else preparation.size)
    found = assembled(str(path), x[: files.entries(len(x), train_limit)], checked_labels(labels, str(path)), None, None, [path])
    return found if classes is None else replace(found, classes=classes)


def _from_npz(path: Path, train_limit: int | None, test_limit: int | None) -> Dataset:
    with npz.Archive(path) as archive:
        names = set(archive.names)
        train = ("x", "y") if "x" in names and "x_train" not in names else ("x_train", "y_train")
        x, labels = _npz_pair(archive, *train, train_limit)
        has_test = not names.isdisjoint(("x_test", "y_test"))
        x_test, test_labels = _npz_pair(archive, "x_test", "y_test", test_limit) if has_test else (None, None)
        found = assembled(str(path), x, labels, x_test, test_labels, [path])
        has_validation = not names.isdisjoint(("x_val", "y_val"))
        return _validated(found, *_npz_pair(archive, "x_val", "y_val", test_limit)) if has_validation else found


def _validated(found: Dataset, x: np.ndarray, labels: np.ndarray) -> Dataset:
    """With these images to validate on."""
    if x.shape[1:] != found.x.shape[1:] or labels.max() >= len(found.classes):
        raise ValueError(
            f"{found.name}: images to train on are {found.x.shape[1:]} of {len(found.classes)} classes, those to validate on {x.shape[1:]} "
            f"of {labels.max() + 1}; they have to be alike"
        )
    return replace(found, x_val=x, y_val=labels[: len(x)])


def _npz_pair(archive: npz.Archive, x: str, y: str, limit: int | None) -> tuple[np.ndarray, np.ndarray]:
    image_shape, label_shape = archive.header(x).shape, archive.header(y).shape
    if not image_shape or not label_shape or image_shape[0] != label_shape[0]:
        raise ValueError(f"{archive.path}: {x} is {image_shape} and {y} is {label_shape}; expected one label for every image")
    return checked_images(archive.read(x, limit), f"{archive.path}: {x}"), checked_labels(archive.read(y), f"{archive.path}: {y}")
