"""A measured program is a process of its own, resident from start to end, that computes only while it is told to.

So jitcnn and its peers alternate within seconds on the same machine in the same mood, and never run at the same time. Requests and
answers are lines of JSON on standard input and output. Standard error is a pseudo-terminal, so that progress bars are drawn as a user
sees them.
"""

import contextlib
import json
import os
import pty
import subprocess
import sys
import termios
import threading
import traceback
from collections.abc import Callable
from typing import Any

from bench.processes import threads_of
from bench.report import ROOT


class Worker:
    """A process that serves requests.

    Parameters
    ----------
    name : str
        What tables call it.
    python : str
        The interpreter that has what the module needs.
    module : str
        The module that calls `serve`.
    threads : int
        How many threads it may compute with.
    **settings
        Sent with every request.
    """

    def __init__(self, name: str, python: str, module: str, threads: int, **settings: Any):
        self.name, self.settings, self.log = name, settings, b""
        self.terminal, errors = pty.openpty()
        termios.tcsetwinsize(errors, (40, 120))  # a terminal without a size shows no bars
        self.process = subprocess.Popen(
            [python, "-m", module],
            cwd=ROOT,
            env=os.environ | threads_of(threads),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        os.close(errors)
        threading.Thread(target=self._drain, daemon=True).start()

    def _drain(self) -> None:
        with contextlib.suppress(OSError):
            while piece := os.read(self.terminal, 65536):
                self.log = (self.log + piece)[-5000:]

    def ask(self, request: str, **arguments: Any) -> Any:
        """Have the request `request` computed, and wait for its answer.

        Raises
        ------
        RuntimeError
            If the worker failed; the message holds its traceback.
        """
        assert self.process.stdin and self.process.stdout
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(json.dumps({"request": request, **self.settings, **arguments}) + "\n")
            self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended while it computed {request}:\n{self.log.decode(errors='replace')}")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(f"{self.name} failed at {request} {arguments}:\n{answer['error']}")
        return answer["value"]

    def close(self) -> None:
        """End the process."""
        assert self.process.stdin
        self.process.stdin.close()
        self.process.wait(timeout=30)


def serve(requests: dict[str, Callable[..., Any]]) -> None:
    """Answer requests from standard input until it ends; whatever the functions print goes to standard error."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = {"value": requests[request.pop("request")](**request)}
        except Exception:
            answer = {"error": traceback.format_exc()}
        print(json.dumps(answer), file=answers, flush=True)
