"""TOML: writing it, which the standard library does not, and reading files that need not be what they claim."""

import json
import os
import re
import tomllib
from collections.abc import Mapping
from typing import Any

from jitcnn.data import files

LARGEST = 2**20  # bytes of a file that people write
_BARE = re.compile(r"[A-Za-z0-9_-]+")
#: A key of more than 32 parts, bare or quoted: what reads TOML takes a time for them that grows with the square of their number.
_LONG_KEY = re.compile(r"""(?<![\w-])(?:(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){32}""")


def dumps(document: Mapping[str, Any]) -> str:
    """Spell a document.

    Parameters
    ----------
    document
        Strings, booleans, integers, floats and lists of them by key; a dict of such is a table, a list of dicts an array of tables.

    Raises
    ------
    ValueError
        If a value is of another kind; TOML has no None: leave the key out.
    """
    tables = {key: value for key, value in document.items() if _is_table(value)}
    lines = [f"{_key(key)} = {_value(key, value)}" for key, value in document.items() if key not in tables]
    for key, value in tables.items():
        head, contents = (f"[{_key(key)}]", [value]) if isinstance(value, Mapping) else (f"[[{_key(key)}]]", value)
        for content in contents:
            lines += ["", head, *(f"{_key(name)} = {_value(f'{key}.{name}', item)}" for name, item in content.items())]
    return "\n".join(lines).lstrip("\n") + "\n"


def read(path: str | os.PathLike) -> dict[str, Any]:
    """Read a file.

    Raises
    ------
    ValueError
        If it is missing, too large, or no TOML.
    """
    size = files.size_of(path)
    if size > LARGEST:
        raise ValueError(f"{path}: {size:,} bytes, more than the {LARGEST:,} that a file of settings may have")
    with files.open_file(path) as stream:
        content = files.read_bytes(stream, LARGEST, str(path))
    try:
        text = content.decode()
        if _LONG_KEY.search(text):
            raise ValueError("a key of more than 32 parts")
        return tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise ValueError(f"{path}: not a text in UTF-8 (byte {error.start})") from error
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path}: not a TOML file: {' '.join(str(error).split())}") from error


def _is_table(value: Any) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, list) and bool(value) and all(isinstance(item, Mapping) for item in value))


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _string(name)


def _value(key: str, value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return _string(value)
    if isinstance(value, list | tuple):
        return f"[{', '.join(_value(key, item) for item in value)}]"
    raise ValueError(f"{key} is {value!r}: a TOML file holds strings, booleans, numbers, lists and tables of them")


def _string(text: str) -> str:
    """A basic string: JSON's spelling is one, but for the character DEL, which TOML wants escaped."""
    return json.dumps(text.encode("utf-8", "backslashreplace").decode(), ensure_ascii=False).replace("\x7f", "\\u007F")
