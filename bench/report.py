"""A suite's results as a JSON file for programs and a Markdown page for people, both under bench/results/."""

import json
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "bench" / "results"


def commit() -> str:
    """The version of the sources, with a plus where they were edited since."""
    try:
        described = subprocess.run(["git", "describe", "--always", "--dirty=+", "--exclude=*"], cwd=ROOT, capture_output=True, text=True)
    except OSError:
        return "unknown"
    return described.stdout.strip() or "unknown"


def write(suite: str, title: str, how: str, body: str, machine: dict[str, str], results: Any, folder: Path) -> None:
    """Write `folder`/`suite`.json and .md, and print the page."""
    folder.mkdir(parents=True, exist_ok=True)
    description = "\n".join(f"- {name}: {value}" for name, value in machine.items())
    page = f"# {title}\n\n{how}\n\n{body}\n\n{description}\n"
    (folder / f"{suite}.json").write_text(json.dumps({"machine": machine, "results": results}, indent=1) + "\n")
    (folder / f"{suite}.md").write_text(page)
    print(page)
