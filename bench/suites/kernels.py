"""Layers alone: `jitcnn.measuring.kernels` beside PyTorch."""

from typing import Any

from bench.session import Session
from jitcnn.measuring import kernels

TITLE, HOW = kernels.TITLE, kernels.HOW
ROUNDS = 5


def run(session: Session) -> dict[str, Any]:
    """Measure."""
    seconds = session.seconds or kernels.SECONDS
    return kernels.run(session.ours(), session.pytorches(), session.rounds or ROUNDS, seconds, session.only)


def page(results: dict[str, Any]) -> str:
    """A table a kind of layer and pass."""
    return "\n\n".join(table.markdown() for table in kernels.tables(results))
