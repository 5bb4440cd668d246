"""Writing a file so that there is always a whole one under its name: the old one or the new one."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import IO


def replace_file(path: str | os.PathLike, write: Callable[[IO[bytes]], object]) -> None:
    """Write a file beside `path`, see it to the disk, and give it that name.

    Parameters
    ----------
    path
        Where the file is to be; a symbolic link is followed. What is there stays until the new file is whole.
    write
        Is called with the open, empty file.

    Raises
    ------
    ValueError
        If `path` is a folder or a device.
    OSError
        If the file cannot be written; nothing is left behind then.
    """
    target = Path(os.path.realpath(path))
    if target.exists() and not target.is_file():
        raise ValueError(f"{path}: is {'a folder' if target.is_dir() else 'not a regular file'}; name a file to write")
    temporary = target.with_name(f".{target.name[:200]}.{secrets.token_hex(4)}.tmp")
    try:
        with open(temporary, "xb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        if target.exists():
            shutil.copymode(target, temporary)
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(target.parent)


def _sync_folder(folder: Path) -> None:
    """Make the new name last: without this a power cut may bring the old file back. Not every system can open a folder."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
