"""What the page can ask: one model, its data and its training, behind one lock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from jitcnn.data import Dataset
from jitcnn.model import CNN
from jitcnn.play import images
from jitcnn.play.classroom import Classroom, Turn
from jitcnn.play.explaining import central_difference, explain
from jitcnn.play.look import is_yes_or_no, look, look_back
from jitcnn.play.security import field
from jitcnn.play.tracing import trace


class Playground:
    """A model that is looked at, by one page or several.

    Parameters
    ----------
    model : CNN
    dataset : Dataset, optional
        Where examples come from, and what the model is trained on.
    out : path, optional
        The only file that is ever written, when somebody saves.
    """

    def __init__(self, model: CNN, dataset: Dataset | None = None, out: str | Path | None = None):
        if model.input_shape is None:
            if dataset is None:
                raise ValueError("the model does not know the shape of its images: give input_shape to its first layer")
            model.graph.take_input_shape(dataset.x.shape[1:])
        self.model, self.dataset, self.out = model, dataset, None if out is None else Path(out)
        if dataset is not None and dataset.x.shape[1:] != model.input_shape:
            raise ValueError(f"the data's images are {dataset.x.shape[1:]}, and the model takes {model.input_shape}: give other data")
        self.lock = Turn()
        self.classroom = Classroom(model, dataset, self.lock)
        black = np.zeros(model.input_shape or (), np.uint8)
        look(model, black)  # this, and the trace, compile what the page will ask for
        trace(model, black, output=0)

    def answers(self) -> dict[str, Callable[[Any], Any]]:
        """Functions by the names under which the page asks for them."""
        asked = (self.about, self.drawing, self.picture, self.look, self.example, self.number, self.gradients, self.save)
        answers: dict[str, Callable[[Any], Any]] = {function.__name__: function for function in asked}
        return answers | {"train": self.classroom.train, "state": self.classroom.state}

    def close(self) -> None:
        """End the training that may run."""
        self.classroom.close()

    def about(self, _: Mapping[str, Any]) -> dict[str, Any]:
        """What does not change: the model's shapes and names, what it can be shown, and where it is saved."""
        model = self.model
        preparation = model.preparation
        return {
            "input_shape": list(model.input_shape or ()),
            "output_shape": list(model.output_shape or ()),
            "classes": class_names(model, self.dataset),
            "probabilities": has_probabilities(model),
            "preparation": preparation.to_dict(),
            "layers": [{"name": layer.name, "kind": type(layer).__name__, "text": repr(layer)} for layer in model.layers],
            "parameters": sum(int(np.prod(shape)) for shape in model.parameter_shapes.values()),
            "examples": 0 if self.dataset is None else len(self._examples()[0]),
            "data": None if self.dataset is None else self.dataset.name,
            "out": None if self.out is None else self.out.name,
        }

    def drawing(self, payload: Mapping[str, Any]) -> bytes:
        """What the network makes of pixels (rows, columns, channels) that were drawn."""
        return self._see(images.decode(payload), self._model(payload))

    def picture(self, payload: Any) -> bytes:
        """What it makes of a picture's file, whose bytes came."""
        if not isinstance(payload, bytes):
            raise ValueError("send the picture's bytes as application/octet-stream")
        return self._see(payload, self._model({}))

    def look(self, payload: Mapping[str, Any]) -> bytes:
        """What it makes of an image that was prepared before."""
        image = self._image(payload)
        with self.lock:
            return look(self._model(payload), image)

    def example(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """A test image, or where there are none a training image, by its number; numbers behind the last begin anew."""
        if self.dataset is None:
            raise ValueError("there are no examples without data")
        x, y = self._examples()
        number = field(payload, "number", int) % len(x)
        return {"image": images.encode(x[number]), "label": int(y[number]), "number": number}

    def number(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """How one number comes about, see `jitcnn.play.explaining.explain`; of a weight also what a small change of it does to the loss."""
        what, layer, index = field(payload, "what", str), field(payload, "layer", str), tuple(field(payload, "index", list))
        parameter = field(payload, "parameter", str, "")
        image, aim = self._image(payload), self._aim(payload)
        with self.lock:
            model = self._model(payload)
            answer = explain(model, trace(model, image, **aim), what, layer, index, parameter)
            if what == "weight" and aim["labels"] is not None:
                answer["small_change"] = central_difference(model, image, int(aim["labels"][0]), f"{layer}/{parameter}", index)
        return answer

    def gradients(self, payload: Mapping[str, Any]) -> bytes:
        """The gradients with respect to the image and to what every layer makes of it, packed as `look` packs."""
        image, aim = self._image(payload), self._aim(payload)
        if aim["labels"] is None and aim["output"] is None:
            raise ValueError("label is missing, and output too")
        with self.lock:
            return look_back(trace(self._model(payload), image, **aim))

    def _aim(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Of what a gradient is wanted: of the loss, for a label, or of one number of the output; or of nothing."""
        label, output = field(payload, "label", (int, type(None)), None), field(payload, "output", (int, type(None)), None)
        if label is not None and not 0 <= label < 2**31:
            raise ValueError(f"label is {label}, expected a class's number")
        return {"labels": None if label is None else np.array([label]), "output": output}

    def save(self, payload: Mapping[str, Any]) -> dict[str, Any]:
        """Write the model to the one file that was named when the page was started."""
        if self.out is None:
            raise ValueError("no file was named to save to: start with jitcnn play --out FILE")
        with self.lock:
            try:
                self._model(payload).save(self.out)
            except OSError as error:
                raise ValueError(f"{self.out.name} cannot be written: {error.strerror}") from error
        return {"saved": self.out.name}

    def _model(self, payload: Mapping[str, Any]) -> CNN:
        return self.classroom.model_of(field(payload, "side", int, 0))

    def _see(self, source: np.ndarray | bytes, model: CNN) -> bytes:
        image = self.model.prepare(source)
        with self.lock:
            return look(model, image)

    def _image(self, payload: Mapping[str, Any]) -> np.ndarray:
        return images.decode(field(payload, "image", dict), self.model.input_shape)

    def _examples(self) -> tuple[np.ndarray, np.ndarray]:
        assert self.dataset is not None
        if self.dataset.x_test is not None and self.dataset.y_test is not None:
            return self.dataset.x_test, self.dataset.y_test
        return self.dataset.x, self.dataset.y


def has_probabilities(model: CNN) -> bool:
    """Whether the outputs are a row of probabilities of classes."""
    return model.layers[-1].activation in ("softmax", "sigmoid") and len(model.output_shape or ()) == 1


def class_names(model: CNN, dataset: Dataset | None) -> list[str] | None:
    """A name for each class, if outputs are a row: a single sigmoid output is the probability of the second of two."""
    if model.output_shape is None or len(model.output_shape) != 1:
        return None
    count = 2 if is_yes_or_no(model) else model.output_shape[0]
    for names in (model.classes, None if dataset is None else dataset.classes):
        if names is not None and len(names) == count:
            return list(names)
    return [str(number) for number in range(count)]
