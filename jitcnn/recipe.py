"""Recipes: a model of one's own without Python, its layers and how it is trained in a TOML file."""

from __future__ import annotations

import difflib
import inspect
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jitcnn.graph import Graph
from jitcnn.layers import LAYERS, Layer
from jitcnn.layers.base import Shape, image_shape
from jitcnn.model import CNN
from jitcnn.runs import toml

MOST_LAYERS = 1_000
TABLES = ("model", "train", "data", "machine", "result")  # beside the layers; the last three are those of a run


@dataclass(frozen=True)
class Recipe:
    """What a TOML file says of a model.

    Attributes
    ----------
    path
        The file.
    layers
        A dict a layer, as in the file: its `type`, a class of `jitcnn.layers`, and the arguments of that class.
    input_shape
        The shape of one image; None where the file leaves it to the data.
    tables
        The file's other tables as they stand there, by name, such as `train`: options of `jitcnn train` by their names.
    """

    path: str
    layers: tuple[dict[str, Any], ...]
    input_shape: Shape | None
    tables: dict[str, dict[str, Any]]

    @property
    def takes_classes(self) -> bool:
        """Whether the last `Dense` leaves its `units` to the data: one for each class."""
        return self._output() is not None

    def new_layers(self, input_shape: Shape | None = None, classes: int | None = None) -> list[Layer]:
        """Make the layers; as `Preset.layers`, which this can stand for.

        Parameters
        ----------
        input_shape
            The shape of one image; needed if the file does not say it.
        classes
            The outputs of a last `Dense` without `units`.

        Raises
        ------
        ValueError
            Which names the file, the layer's number and the argument that is missing or makes no sense, or where shapes do not fit.
        """
        shape = self.input_shape or input_shape
        if shape is None:
            raise ValueError(f"{self.path}: input_shape is missing: give it in a table [model], such as input_shape = [28, 28, 1]")
        if input_shape not in (None, shape):
            raise ValueError(
                f"{self.path}: [model]: input_shape is {shape}, and the images are {input_shape}: leave it out, the data says it"
            )
        graph = Graph()
        graph.take_input_shape(shape)
        for number, entry in enumerate(self.layers):
            settings = {key: value for key, value in entry.items() if key != "type"}
            if number == self._output():
                if classes is None:
                    raise ValueError(f"{self._where(number)}: 'units' is missing: give the number of classes")
                settings["units"] = classes
            try:
                graph.add(LAYERS[entry["type"]](**settings))
            except ValueError as error:
                raise ValueError(f"{self._where(number)}: {error}") from error
        graph.layers[0].declared_shape = shape  # a model of them draws its weights by its own seed from the start
        return graph.layers

    def build(
        self,
        *,
        input_shape: Shape | None = None,
        classes: int | None = None,
        seed: int | None = None,
        normalize: str | None = "per-image",
        engine: str = "fast",
        threads: int | None = None,
        dtype: str = "float32",
    ) -> CNN:
        """Return the network, not compiled yet.

        Parameters
        ----------
        input_shape, classes
            As for `new_layers`.
        seed, normalize, engine, threads, dtype
            As `CNN` takes them.

        Raises
        ------
        ValueError
            As `new_layers` and `CNN` do.
        """
        layers = self.new_layers(input_shape, classes)
        model = CNN(seed=seed, normalize=normalize, dtype=dtype, engine=engine, threads=threads)
        model.graph.take_input_shape(self.input_shape or input_shape)  # type: ignore[arg-type]  # new_layers saw that one is there
        for layer in layers:
            model.add(layer)
        return model

    def _output(self) -> int | None:
        """Where the `Dense` stands that takes the number of classes."""
        dense = [number for number, entry in enumerate(self.layers) if entry["type"] == "Dense"]
        return dense[-1] if dense and "units" not in self.layers[dense[-1]] else None

    def _where(self, number: int) -> str:
        return f"{self.path}: [[layers]] number {number + 1} ({self.layers[number]['type']})"


def read(path: str | os.PathLike) -> Recipe:
    """Read a recipe.

    Parameters
    ----------
    path
        A TOML file: a table `[[layers]]` for each layer in order, with `type` and the arguments of that class of `jitcnn.layers`; a last
        `Dense` without `units` gets one output for each class of the data. Where `[model]` has an `input_shape`, images have to have it.
        What `[train]` and other tables of a run's `config.toml` hold is for the caller to check, see `check_keys`.

    Raises
    ------
    ValueError
        Which names the file, table, number and key, if there is no such file, if it is no TOML, or if something is missing, unknown or of
        the wrong kind.
    """
    return of_document(os.fspath(path), toml.read(path))


def of_document(path: str, document: Mapping[str, Any]) -> Recipe:
    """A recipe from what a TOML file holds, `path` in errors; see `read`."""
    check_keys(path, document, ("layers", *TABLES))
    tables = {name: table for name, table in document.items() if name != "layers"}
    for name, table in tables.items():
        if not isinstance(table, dict):
            raise ValueError(f"{path}: {name} is {table!r}, expected a table, [{name}]")
    model = tables.pop("model", {})
    check_keys(f"{path}: [model]", model, ("input_shape",))
    try:
        shape = image_shape(model["input_shape"]) if "input_shape" in model else None
    except ValueError as error:
        raise ValueError(f"{path}: [model]: {error}") from error
    return Recipe(path, _layers(path, document.get("layers")), shape, tables)


def check_keys(where: str, table: Mapping[str, Any], known: Sequence[str]) -> None:
    """Raise a ValueError that names the key, and the one that was probably meant, unless all keys of a table are known."""
    for key in table:
        if key not in known:
            raise ValueError(f"{where}: unknown key {key!r}, {meant(key, known)}")


def meant(word: str, known: Sequence[str]) -> str:
    """Say which of the known words was probably meant, or list them all."""
    by_small_letters = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word.casefold(), by_small_letters, n=1)
    return f"did you mean {by_small_letters[close[0]]!r}?" if close else f"expected one of {', '.join(map(repr, known))}"


def _layers(path: str, entries: Any) -> tuple[dict[str, Any], ...]:
    """The layers' tables, checked."""
    if not isinstance(entries, list) or not entries:
        raise ValueError(f'{path}: there is no [[layers]]: give one for each layer, such as [[layers]] with type = "Flatten"')
    if len(entries) > MOST_LAYERS:
        raise ValueError(f"{path}: {len(entries):,} layers, more than the {MOST_LAYERS:,} that a recipe may have")
    open_units = None
    for number, entry in enumerate(entries, 1):
        _check_layer(f"{path}: [[layers]] number {number}", entry)
        if entry["type"] == "Dense" and open_units is not None:
            raise ValueError(f"{path}: [[layers]] number {open_units} (Dense): 'units' is missing: only the last Dense takes the classes")
        if entry["type"] == "Dense" and "units" not in entry:
            open_units = number
    return tuple(entries)


def _check_layer(where: str, entry: Any) -> None:
    """Raise a ValueError unless a layer's table has its type, all the arguments that the class needs, and no others."""
    if not isinstance(entry, dict):
        raise ValueError(f"{where} is {entry!r}, expected a table")
    kinds = tuple(LAYERS)
    kind = entry.get("type")
    if kind is None:
        raise ValueError(f"{where}: 'type' is missing, expected one of {', '.join(map(repr, kinds))}")
    if not isinstance(kind, str) or kind not in kinds:
        raise ValueError(f"{where}: type is {kind!r}, {meant(str(kind), kinds)}")
    if "input_shape" in entry:
        raise ValueError(f"{where}: input_shape stands in a table [model], such as input_shape = [28, 28, 1]")
    arguments = dict(inspect.signature(LAYERS[kind]).parameters)
    del arguments["input_shape"]
    check_keys(where, entry, ("type", *arguments))
    for name, argument in arguments.items():
        if argument.default is argument.empty and name not in entry and (kind, name) != ("Dense", "units"):
            raise ValueError(f"{where} ({kind}): {name!r} is missing")
        if isinstance(argument.default, bool) and not isinstance(entry.get(name, False), bool):
            raise ValueError(f"{where} ({kind}): {name} is {entry[name]!r}, expected true or false")
