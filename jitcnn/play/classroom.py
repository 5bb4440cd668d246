"""Training beside the page: a thread that trains one network, or two in turns, a moment at a time."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from jitcnn.data import Dataset
from jitcnn.kernels import compiling
from jitcnn.model import CNN
from jitcnn.play.live import Side
from jitcnn.play.rebuilding import Settings, rebuilt
from jitcnn.play.security import field

LIMITS = {"rate": (1e-6, 100.0), "filters": (0, 64), "dropout": (0.0, 0.9), "batch": (1, 1024)}
ACTIONS = ("play", "pause", "step", "epoch", "best", "reset", "set", "compare", "single")


class Turn:
    """A lock that goes to whoever waits for it before it goes to the same thread again: training takes it for moment after moment."""

    def __init__(self) -> None:
        self._next, self._taken = threading.Lock(), threading.Lock()

    def __enter__(self) -> None:
        with self._next:
            self._taken.acquire()

    def __exit__(self, *error: object) -> None:
        self._taken.release()


class Classroom:
    """Who trains, and when.

    Parameters
    ----------
    model, dataset
        What is trained, on what.
    lock
        Held while a model is trained or looked at.

    Attributes
    ----------
    sides : list of Side
        One, or two that are compared.
    reason : str or None
        Why nothing can be trained.
    """

    def __init__(self, model: CNN, dataset: Dataset | None, lock: Turn):
        self.lock, self.model = lock, model
        self.sides: list[Side] = []
        self.playing, self.doing, self.problem = False, "", ""
        self.todo: list[tuple[str, int, Any]] = []
        self.wake = threading.Condition()
        self.thread: threading.Thread | None = None
        self.ended = False
        self.reason = self._prepare(model, dataset)

    def _prepare(self, model: CNN, dataset: Dataset | None) -> str | None:
        if dataset is None:
            return "To train, start with data: jitcnn play MODEL --data DATA"
        try:
            if model.loss is None:
                model.compile()
            images = model.check_images(dataset.x[:1])
            model.check_targets(images, dataset.y[:1])
        except ValueError as error:
            return str(error)
        self.sides = [Side(model, dataset)]
        return None

    def model_of(self, side: int) -> CNN:
        """The model of a side; the only one if nothing is trained."""
        if not 0 <= side < max(1, len(self.sides)):
            raise ValueError(f"side is {side}, and there are {len(self.sides)}")
        return self.sides[side].model if self.sides else self.model

    # Asked by the page

    def train(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Do one of `ACTIONS`; the answer is that of `state`."""
        action, side = field(payload, "action", str), field(payload, "side", int, 0)
        if action not in ACTIONS:
            raise ValueError(f"action is not one of {', '.join(ACTIONS)}")
        if self.reason:
            raise ValueError(self.reason)
        self.model_of(side)
        given = self._settings(side, field(payload, "settings", dict)) if action == "set" else None
        if action == "best":
            with self.lock:
                self.playing = False
                for each in self.sides:
                    each.back_to_best()
        else:
            with self.wake:
                if action in ("play", "pause"):
                    self.playing = action == "play"
                else:
                    if action != "set":
                        self.playing = False
                    self.todo.append((action, side, given))
                self._start()
                self.wake.notify()
        return self.state(payload)

    def state(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """How far training is; `since` and `runs` say which points the page has of each side."""
        since, runs = (self._numbers(payload, name) for name in ("since", "runs"))
        doing = self.doing
        return {
            "reason": self.reason,
            "playing": self.playing,
            "doing": doing,
            "busy": bool(self.todo or doing),
            "problem": self.problem,
            "sides": [side.to_dict(runs[k], since[k]) for k, side in enumerate(list(self.sides)[:2])],
        }

    @staticmethod
    def _numbers(payload: Mapping[str, Any], name: str) -> list[int]:
        given = field(payload, name, list, [])
        if not all(type(each) is int and each >= 0 for each in given) or len(given) > 2:
            raise ValueError(f"{name} is no list of at most two numbers from 0 up")
        return [*given, 0, 0]

    def _settings(self, side: int, given: Mapping[str, Any]) -> Settings:
        """The side's settings with those given in their place."""
        latest = next((todo[2] for todo in reversed(self.todo) if todo[:2] == ("set", side)), self.sides[side].settings)
        changed: dict[str, Any] = {}
        for name, value in given.items():
            if name == "left_out":
                classes = len(self.sides[side].dataset.classes)
                if value is not None and not (type(value) is int and 0 <= value < classes):
                    raise ValueError(f"left_out is not None or a class from 0 to {classes - 1}")
                changed[name] = value
                continue
            if name not in LIMITS:
                raise ValueError(f"settings have no {name[:20]!r}, only {', '.join(LIMITS)} and left_out")
            whole = name in ("filters", "batch")
            number = field(given, name, int if whole else (int, float))
            low, high = LIMITS[name]
            if not low <= number <= high:
                raise ValueError(f"{name} is outside {low:g} to {high:g}")
            if name == "filters" and (latest.filters == 0) != (number == 0):
                raise ValueError("filters cannot become or leave 0")
            changed[name] = number if whole else float(number)
        return replace(latest, **changed)

    # In the thread

    def _start(self) -> None:
        if self.thread is None and not self.ended:
            self.thread = threading.Thread(target=self._work, daemon=True)
            self.thread.start()

    def close(self) -> None:
        """End the thread."""
        with self.wake:
            self.playing, self.ended = False, True
            self.wake.notify()
        if self.thread is not None:
            self.thread.join()

    def _work(self) -> None:
        while True:
            with self.wake:
                self.wake.wait_for(lambda: self.todo or self.playing or self.ended)
                if self.ended:
                    return
                todo = self.todo[0] if self.todo else None
            try:
                if todo is not None:
                    self._do(*todo)
                else:
                    self._advance_all()
                self.problem = ""
            except Exception as error:  # it is shown; the thread has to live on
                self.playing, self.problem = False, f"{type(error).__name__}: {error}"
            finally:
                with self.wake:
                    if todo is not None:
                        self.todo.remove(todo)

    def _do(self, action: str, side: int, settings: Settings | None) -> None:
        if action == "step":
            self._advance_all(1)
        elif action == "epoch":
            wanted = [each.epoch + 1 for each in self.sides]
            for each, epoch in zip(self.sides, wanted, strict=True):
                while each.epoch < epoch and each.explosion is None and not self.ended:
                    self._advance(each)
        elif action == "reset":
            for each in self.sides:
                self._replace(each, rebuilt(each.model, each.settings, keep_weights=False), begin=True)
        elif action == "compare" and len(self.sides) == 1:
            self._replace(self.sides[0], rebuilt(self.sides[0].model, self.sides[0].settings, keep_weights=False), begin=True)
            first = self.sides[0]
            second = Side(rebuilt(first.model, first.settings, keep_weights=True), first.dataset)
            second.settings = first.settings
            second.shuffle()
            with self.lock:
                self.sides = [first, second]
        elif action == "single":
            with self.lock:
                self.sides = self.sides[:1]
        elif action == "set" and settings is not None and side < len(self.sides):
            self._set(self.sides[side], settings)

    def _set(self, side: Side, settings: Settings) -> None:
        if settings.network == side.settings.network:
            with self.lock:
                side.change(settings)
            return
        begin = settings.filters != side.settings.filters
        model = side.rebuild(settings)
        with self.lock:
            side.change(settings)
        self._replace(side, model, begin)

    def _replace(self, side: Side, model: CNN, begin: bool) -> None:
        """Put another network in a side's place once it is compiled."""
        self._compile(side, model)
        with self.lock:
            if begin:
                side.begin(model)
            else:
                side.model, side.best, side.best_mark = model, None, None
                model.history, model.epochs = side.history, side.first_epoch + side.epoch

    def _compile(self, side: Side, model: CNN) -> None:
        def listen(kernel: str, *_: Any) -> None:
            self.doing = f"compiling {kernel}"

        self.doing = "preparing"
        compiling.listeners.append(listen)
        try:
            side.warm_up(model)
            side.warm = model
        finally:
            compiling.listeners.remove(listen)
            self.doing = ""

    def _advance_all(self, steps: int | None = None) -> None:
        for side in list(self.sides):
            self._advance(side, steps)
        if all(side.explosion is not None for side in self.sides):
            self.playing = False

    def _advance(self, side: Side, steps: int | None = None) -> None:
        if side.warm is not side.model:
            self._compile(side, side.model)
        with self.lock:
            exploded = side.explosion is not None
            if not exploded or steps is not None:
                side.advance(steps)
