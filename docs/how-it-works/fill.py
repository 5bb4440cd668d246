"""Puts the loops of `jitcnn/reference/` into the pages beside it, as they stand there: `python docs/how-it-works/fill.py`.

A block of a page that begins with

    ```python jitcnn/reference/conv.py:conv2d

holds that function, without its docstring. A test compares all of them with the source.
"""

import importlib
import re
from pathlib import Path

from jitcnn.learn.source import source

HERE = Path(__file__).parent
BLOCK = re.compile(r"^```python (\S+)\.py:(\w+)\n.*?^```$", re.DOTALL | re.MULTILINE)


def filled(page: str) -> str:
    """A page's text, its loops anew from the source."""
    return BLOCK.sub(loop, page)


def loop(block: re.Match) -> str:
    """A block with the function that it names."""
    file, name = block.groups()
    function = getattr(importlib.import_module(file.replace("/", ".")), name)
    return f"```python {file}.py:{name}\n{source(function, docstring=False)}```"


if __name__ == "__main__":
    for path in HERE.glob("*.md"):
        path.write_text(filled(path.read_text()))
