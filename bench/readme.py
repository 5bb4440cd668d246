"""The table at the top of README.md, made of the latest results."""

import json
from pathlib import Path
from statistics import mean
from typing import Any

from bench.report import RESULTS
from jitcnn.measuring.report import markdown, number

README = Path(__file__).parents[1] / "README.md"
BEGIN, END = "<!-- table: made by `make bench` -->", "<!-- end of table -->"
NETWORKS = {
    "single-conv": ("conv 8, dense 10", 54_170),
    "double-conv": ("conv 8, conv 16, dense 10", 93_418),
    "conv-pool": ("conv 4, pool, conv 8, dropout, dense 10", 10_026),
    "deep": ("conv 4, conv 8, pool, dense 64, dropout, dense 10", 74_778),
}


def _results(suite: str) -> dict[str, Any]:
    path = RESULTS / f"{suite}.json"
    return json.loads(path.read_text())["results"] if path.is_file() else {}


def speeds() -> str:
    """The four networks: what they are and, as far as it was measured, what they learn and how fast they train at batch 32."""
    measured, learnt = _results("networks").get("networks", {}).get("32", {}), _results("accuracy")
    header = ["network", "layers (3x3 kernels)", "parameters"]
    rows = [[name, layers, f"{parameters:,}"] for name, (layers, parameters) in NETWORKS.items()]
    if set(NETWORKS) <= set(learnt):
        header.append("accuracy")
        for row in rows:
            row.append(f"{mean(learnt[row[0]]['jitcnn']):.1%}")
    if set(NETWORKS) <= set(measured) and all("ratio" in comparison for comparison in measured.values()):
        header += ["images/s", "PyTorch", "ratio"]
        for row in rows:
            comparison = measured[row[0]]
            medians = comparison["medians"]
            row += [number(medians["jitcnn"]), number(medians[comparison["best_peer"]]), f"{comparison['ratio']:.1f}"]
    return markdown(header, rows)


def update() -> None:
    """Write the table into README.md."""
    text = README.read_text()
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    README.write_text(f"{before}{BEGIN}\n\n{speeds()}\n\n{END}{after}")


if __name__ == "__main__":
    update()
