"""Download data sets by name: from one mirror after the other, going on where a connection was cut, each file checked by its SHA-256."""

from __future__ import annotations

import contextlib
import logging
import lzma
import os
import shutil
import tarfile
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from jitcnn.data.published import SETS, File

ATTEMPTS = 3  # at one mirror, as long as each of them brings something
TIMEOUT = 20  # seconds without an answer
CHUNK = 2**16


class DownloadError(OSError):
    """A file that could not be had from any mirror."""


def data_folder(name: str, directory: str | os.PathLike | None = None) -> Path:
    """Where the files of a data set are kept: in `directory`/NAME; without one in JITCNN_DATA_DIR, or else in ~/.cache/jitcnn/data."""
    return Path(directory or os.environ.get("JITCNN_DATA_DIR") or Path.home() / ".cache" / "jitcnn" / "data") / name


def is_complete(name: str, directory: str | os.PathLike | None = None) -> bool:
    """Whether all files of a data set are there, in their sizes; their SHA-256 was compared when they were downloaded."""
    folder = data_folder(name, directory)
    contents = [part for file in SETS[name].files for part in file.contents]
    return all(has_size(folder / part, size) for part, size in contents)


def has_size(path: Path, size: int) -> bool:
    """Whether there is a file of that size."""
    return path.is_file() and path.stat().st_size == size


def download(name: str, directory: str | os.PathLike | None = None, *, progress: bool = True) -> Path:
    """Download what is missing of a data set.

    Parameters
    ----------
    name
        A key of `jitcnn.data.published.SETS`.
    directory
        Where to; see `data_folder`.
    progress
        Whether to show bars.

    Returns
    -------
    Path
        The folder, with all files in it.

    Raises
    ------
    ValueError
        If there is no such name.
    DownloadError
        If a file cannot be had; what came of it is kept, and the next call goes on from there.
    """
    if name not in SETS:
        raise ValueError(f"{name!r} cannot be downloaded, expected one of {', '.join(SETS)} (mnist is part of jitcnn)")
    folder, published = data_folder(name, directory), SETS[name]
    folder.mkdir(parents=True, exist_ok=True)
    for file in published.files:
        if not all(has_size(folder / part, size) for part, size in file.contents):
            fetch(name, file, published.mirrors, folder, progress)
            if file.members:
                unpack(folder / file.name, file.members)
    return folder


def fetch(name: str, file: File, mirrors: tuple[str, ...], folder: Path, progress: bool) -> None:
    """Download one file from the first mirror that has it right."""
    pooch = import_pooch()
    part, failures, left = part_of(folder, file.name), [], list(mirrors)
    while left:
        mirror, went_on = left.pop(0), part.exists()
        try:
            with quiet(pooch.get_logger()):
                pooch.retrieve(
                    mirror + file.name, f"sha256:{file.sha256}", file.name, folder, downloader=downloader(part, file.size, progress)
                )
            return
        except ValueError:  # that is how pooch says it
            if went_on:  # from what may have been the wrong part: once more, from the start
                left.insert(0, mirror)
            else:
                failures.append(f"{urlsplit(mirror).netloc}: what came is another file (its SHA-256 is not the published one)")
        except OSError as error:
            failures.append(f"{urlsplit(mirror).netloc}: {reason(error)}")
    raise DownloadError(
        f"{name}: {file.name} could not be downloaded, {'; '.join(failures)}. Without a network, get the files of {SETS[name].page} "
        f"another way and put them into {folder}"
    )


def import_pooch() -> Any:
    """The package that downloads, or a ValueError that says how to get it."""
    try:
        import pooch
    except ImportError:
        raise ValueError("downloading needs pooch: pip install 'jitcnn[downloads]'") from None
    return pooch


@contextlib.contextmanager
def quiet(logger: logging.Logger) -> Iterator[None]:
    """Leave out pooch's own lines about the file meanwhile: a bar, or an error, says it."""
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)


def reason(error: Exception) -> str:
    """Why a mirror did not do, in a few words."""
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"answers {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout):
        return "does not answer"
    if isinstance(error, requests.exceptions.ChunkedEncodingError):
        return "the connection was cut"
    if isinstance(error, requests.ConnectionError):
        return "cannot be reached"
    return str(error)


def part_of(folder: Path, name: str) -> Path:
    """Where the part of a file is kept that has come."""
    return folder / f"{name}.part"


def downloader(part: Path, size: int, progress: bool) -> Callable[[str, str, Any], None]:
    """What pooch calls to fill a file: it keeps what has come in `part`, and asks for the rest."""

    def fill(url: str, output: str, _: Any) -> None:
        import requests

        for attempt in range(1, ATTEMPTS + 1):
            before = part.stat().st_size if part.exists() else 0
            try:
                receive(url, part, size, progress)
                break
            except requests.RequestException as error:
                came = part.exists() and part.stat().st_size > before
                if attempt == ATTEMPTS or not came or isinstance(error, requests.HTTPError):
                    raise
        shutil.move(part, output)  # pooch compares its SHA-256; a wrong file is gone, so that nobody goes on from it

    return fill


def receive(url: str, part: Path, size: int, progress: bool) -> None:
    """Ask for what is missing in `part`, and append it."""
    import requests
    from tqdm import tqdm

    have = part.stat().st_size if part.exists() else 0
    if have >= size:
        have = 0  # whole already, and not taken: nothing to go on from
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={have}-"} if have else {})}
    with requests.get(url, stream=True, timeout=TIMEOUT, headers=headers) as answer:
        answer.raise_for_status()
        if answer.status_code != requests.codes.partial_content:
            have = 0  # a server that knows no ranges sends all of it
        bar = tqdm(total=size, initial=have, unit="B", unit_scale=True, desc=part.stem, disable=not progress or None)
        with bar, open(part, "ab" if have else "wb") as stream:
            copy(answer, stream, size - have, bar)


def copy(answer: Any, stream: IO[bytes], most: int, bar: Any) -> None:
    """Write what comes, and no more than was published."""
    for chunk in answer.iter_content(CHUNK):
        stream.write(chunk[:most])
        bar.update(len(chunk))
        most -= len(chunk)
        if most < 0:
            return  # another file: its SHA-256 will say so


def unpack(archive: Path, members: tuple[tuple[str, int], ...]) -> None:
    """Take these files, by name and size, wherever they are in the archive, into its folder; then remove it.

    Raises
    ------
    DownloadError
        If it is no archive, or a damaged one.
    """
    wanted = dict(members)
    try:
        with tarfile.open(archive) as tar:
            for entry in tar:
                name = Path(entry.name).name
                source = tar.extractfile(entry) if entry.isreg() and wanted.get(name) == entry.size else None
                if source is not None:
                    temporary = part_of(archive.parent, name)
                    with source, open(temporary, "wb") as target:
                        shutil.copyfileobj(source, target)
                    os.replace(temporary, archive.parent / name)
    except (tarfile.TarError, EOFError, zlib.error, lzma.LZMAError, ValueError, OverflowError) as error:
        raise DownloadError(f"{archive}: cannot be unpacked ({str(error).partition(chr(10))[0]}); it is damaged") from error
    archive.unlink()
