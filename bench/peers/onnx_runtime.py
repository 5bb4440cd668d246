"""onnxruntime: what predictions are measured against. The model is built from a file that jitcnn saved, with the same weights.

It takes images that were standardised before the clock started, where jitcnn standardises within the call.
"""

import json
import os
from itertools import cycle
from typing import Any

import numpy as np
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from bench.peers.digits import digits
from bench.protocol import serve
from jitcnn.measuring.clock import seconds_a_call

OPSET, IR_VERSION = 17, 8
ACTIVATIONS = {"relu": "Relu", "sigmoid": "Sigmoid", "tanh": "Tanh", "softmax": "Softmax"}
THREADS = int(os.environ["OMP_NUM_THREADS"])  # which onnxruntime itself does not read
STATE: dict[str, Any] = {}


class Builder:
    """An ONNX graph, layer by layer; `shape` is what comes out so far: (channels, rows, columns) or (features,)."""

    def __init__(self, shape: tuple[int, ...], parameters: dict[str, np.ndarray]):
        self.shape, self.parameters = shape, parameters
        self.last = "x"
        self.images: tuple[int, ...] | None = None  # the shape before it was flattened
        self.nodes: list[Any] = []
        self.constants: list[Any] = []

    def node(self, kind: str, *constants: np.ndarray, **attributes: Any) -> None:
        """Append an operation on what comes out so far."""
        name = f"v{len(self.nodes)}"
        names = [f"{name}_{number}" for number in range(len(constants))]
        self.constants += [numpy_helper.from_array(np.ascontiguousarray(a), n) for a, n in zip(constants, names, strict=True)]
        self.nodes.append(helper.make_node(kind, [self.last, *names], [name], **attributes))
        self.last = name

    def slide(self, settings: dict[str, Any], channels: int) -> dict[str, Any]:
        """Attributes of what slides over the image; `shape` becomes that of its output."""
        if settings["padding"]:
            raise ValueError(f"padding {settings['padding']} is not foreseen here")
        kernel, stride = settings["kernel_size"], settings["stride"]
        rows, columns = ((n - k) // s + 1 for n, k, s in zip(self.shape[1:], kernel, stride, strict=True))
        self.shape = (channels, rows, columns)
        return {"kernel_shape": kernel, "strides": stride}

    def weights(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Weights and bias of a layer."""
        w = self.parameters[f"{name}/weights"]
        return w, self.parameters.get(f"{name}/bias", np.zeros(w.shape[-1], w.dtype))

    def layer(self, kind: str, name: str, settings: dict[str, Any]) -> None:
        """Append a layer of a model's description."""
        if kind == "Conv2d":
            w, b = self.weights(name)
            self.node("Conv", w.transpose(3, 2, 0, 1), b, **self.slide(settings, w.shape[3]))
        elif kind == "Pool2d" and settings["kind"] == "max":
            self.node("MaxPool", **self.slide(settings, self.shape[0]))
        elif kind == "Flatten":
            self.images, self.shape = self.shape, (int(np.prod(self.shape)),)
            self.node("Flatten")
        elif kind == "Dense":
            w, b = self.weights(name)
            if self.images:  # jitcnn flattens rows, columns, channels; ONNX channels, rows, columns
                channels, rows, columns = self.images
                w = w.reshape(rows, columns, channels, -1).transpose(2, 0, 1, 3).reshape(w.shape)
            self.images, self.shape = None, (w.shape[1],)
            self.node("Gemm", w, b)
        elif kind not in ("Dropout", "Activation"):
            raise ValueError(f"{kind} is not foreseen here")
        if activation := settings.get("activation") or (kind == "Activation" and settings["name"]):
            self.node(ACTIVATIONS[activation])

    def model(self, shape: tuple[int, ...]) -> bytes:
        """The finished model, for images of `shape`."""
        x = helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", *shape])
        y = helper.make_tensor_value_info(self.last, TensorProto.FLOAT, ["n", *self.shape])
        graph = helper.make_graph(self.nodes, "network", [x], [y], self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR_VERSION).SerializeToString()


def convert(path: str) -> bytes:
    """The model of a .npz file that jitcnn saved, as ONNX."""
    with np.load(path) as archive:
        parameters = {name: archive[name] for name in archive.files}
    description = json.loads(parameters.pop("description").tobytes())["model"]
    rows, columns, channels = description["input_shape"]
    builder = Builder((channels, rows, columns), parameters)
    for layer in description["architecture"]:
        builder.layer(layer["type"], layer["name"], layer["settings"])
    return builder.model((channels, rows, columns))


def prepare_prediction(path: str, images: int) -> None:
    """Load a model and the images to predict."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = THREADS, 1
    session = onnxruntime.InferenceSession(convert(path), options, providers=["CPUExecutionProvider"])
    x = digits("t10k", images)[0][:, None]
    STATE.update(x=x, predict=lambda batch: session.run(None, {"x": batch})[0])


def probabilities() -> list[list[float]]:
    """What comes out for all images."""
    return STATE["predict"](STATE["x"]).tolist()


def latency(seconds: float) -> float:
    """Calls a second, each for one image after the other."""
    singles = cycle([image[None] for image in STATE["x"]])
    return 1 / seconds_a_call(lambda: STATE["predict"](next(singles)), seconds)


def throughput(seconds: float) -> float:
    """Images a second, all in one call."""
    return len(STATE["x"]) / seconds_a_call(lambda: STATE["predict"](STATE["x"]), seconds)


def version() -> str:
    """What answers."""
    return f"onnxruntime {onnxruntime.__version__}, {THREADS} threads"


if __name__ == "__main__":
    serve({function.__name__: function for function in (version, prepare_prediction, probabilities, latency, throughput)})
