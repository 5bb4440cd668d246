"""Where the settings of a run come from: the command line, a file, or a run to go on with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

import click
from click.core import ParameterSource

from jitcnn import recipe
from jitcnn.recipe import Recipe
from jitcnn.runs import toml
from jitcnn.runs.folder import CONFIG, Run

from .train_options import KEYS_OF_OUTPUT, Output, Settings

KEYS = (*(setting.name for setting in fields(Settings)), *KEYS_OF_OUTPUT)
PARENT = "resume"  # the key of the finished run that a run goes on with


@dataclass(frozen=True)
class Order:
    """What is to be done.

    Attributes
    ----------
    settings, output
        What the command line, a file and the defaults say together.
    document
        The file's tables.
    recipe
        The file's layers, if it has any.
    run
        The run that goes on, in its own folder.
    parent
        The finished run that is gone on with in a new folder.
    repeats
        Whether nothing but the file decides what comes out, so that its digest should come out again.
    """

    settings: Settings
    output: Output
    document: Mapping[str, Any] = field(default_factory=dict)
    recipe: Recipe | None = None
    run: Run | None = None
    parent: Run | None = None
    repeats: bool = False


def settle(context: click.Context, given: Mapping[str, Any]) -> Order:
    """Put together what was given on the command line and in files."""
    output = part_of(Output, given)
    said = {name for name in given if context.get_parameter_source(name) is not ParameterSource.DEFAULT}
    deciding = [setting.name for setting in fields(Settings) if setting.name in said]
    if output.resume is not None:
        refuse_beside_resume(said, deciding)
        return resumed(context, given, said - {"epochs"}, Run(output.resume))
    if output.config is None:
        return Order(part_of(Settings, given), output)
    document = toml.read(output.config)
    check_tables(output.config, document)
    repeats = not deciding and "digest" in document.get("result", {})
    if PARENT in document.get("train", {}):
        order = repeated_parent(context, given, said, output.config, document)
    else:
        values = merged(context, given, output.config, document, said)
        order = Order(part_of(Settings, values), part_of(Output, values), document, layers_of(output.config, document))
    return replace(order, document=document, repeats=repeats)


def resumed(context: click.Context, given: Mapping[str, Any], said: set[str], run: Run) -> Order:
    """Go on with a run; with a finished one only for more epochs."""
    path = str(run.path / CONFIG)
    table = {key: value for key, value in run.config.get("train", {}).items() if key != PARENT}
    document = {**run.config, "train": table}
    check_tables(path, document)
    values = merged(context, given, path, document, said)
    order = Order(part_of(Settings, values), part_of(Output, values), run.config, layers_of(path, document))
    wanted, done = given["epochs"], run.config.get("result", {}).get("epochs")
    if done is not None and not isinstance(done, int):
        raise ValueError(f"{path}: [result] epochs is {done!r}, expected a whole number")
    if done is None:
        if wanted not in (None, order.settings.epochs):
            epochs = order.settings.epochs
            raise click.UsageError(f"{run.path} was interrupted before its {epochs} epochs were done: go on without --epochs first.")
        return replace(order, run=run)
    if order.settings.time is not None:
        raise click.UsageError(f"{run.path} was trained by the clock and is finished: its schedule has come to its end.")
    if wanted is None or wanted <= done:
        raise click.UsageError(f"{run.path} is finished after {done} epochs: say with --epochs how many there are to be in all.")
    return replace(order, settings=replace(order.settings, epochs=wanted), parent=run)


def repeated_parent(context: click.Context, given: Mapping[str, Any], said: set[str], path: str, document: Mapping[str, Any]) -> Order:
    """Repeat a run that went on with a finished one: all settings but the epochs are those of that one."""
    table = dict(document["train"])
    refuse_beside_resume(said - {"config"}, [name for name in said if name in KEYS])
    parent = table.pop(PARENT)
    epochs = given["epochs"] if "epochs" in said else table.get("epochs")
    if not isinstance(parent, str) or not isinstance(epochs, int):
        raise ValueError(f"{path}: [train] {PARENT} names the folder of a run to go on with, and epochs how many there are to be in all")
    order = resumed(context, {**given, "epochs": epochs}, said - {"epochs"}, Run(parent))
    if order.parent is None:
        raise ValueError(f"{path}: [train] {PARENT} is {parent}, which is not finished: jitcnn train --resume {parent}")
    for key, value in order.parent.config["train"].items():
        if key.replace("-", "_") not in (PARENT, "epochs", *KEYS_OF_OUTPUT) and table.get(key) != value:
            raise ValueError(f"{path}: [train] {key} is {table.get(key)!r}, and was {value!r} in {parent}, which it goes on with")
    return order


def refuse_beside_resume(said: set[str], deciding: list[str]) -> None:
    """What a run goes on with cannot be changed any more."""
    wrong = [name for name in (*deciding, "config", "name", "check", "find_lr") if name in said and name != "epochs"]
    if wrong:
        raise click.UsageError(f"--{wrong[0].replace('_', '-')} cannot be given with --resume: a run goes on with its own settings.")


def merged(context: click.Context, given: Mapping[str, Any], path: str, document: Mapping[str, Any], said: set[str]) -> dict[str, Any]:
    """Options by name: what the command line says, else what the file says, else the defaults."""
    table = document.get("train", {})
    known = {option.opts[0].removeprefix("--"): option for option in context.command.params if option.name in KEYS}
    recipe.check_keys(f"{path}: [train]", table, tuple(known))
    values = dict(given)
    for key, value in table.items():
        option = known[key]
        checked = converted(f"{path}: [train] {key}", value, option, context)
        if option.name not in said:
            values[option.name or ""] = checked
    return values


def converted(where: str, value: Any, option: click.Parameter, context: click.Context) -> Any:
    """A value of a file, checked as the option's is."""
    if getattr(option, "is_flag", False):
        if not isinstance(value, bool):
            raise ValueError(f"{where} is {value!r}, expected true or false")
        return value
    text = isinstance(option.type, click.types.StringParamType)
    if isinstance(value, bool) or not isinstance(value, str if text else str | int | float):
        raise ValueError(f"{where} is {value!r}, expected {'a text' if text else 'a text or a number'}")
    try:
        return option.type.convert(str(value), option, context)
    except click.BadParameter as error:
        raise ValueError(f"{where}: {error.message}") from error


def check_tables(path: str, document: Mapping[str, Any]) -> None:
    """A ValueError unless all tables are known, and are tables."""
    recipe.check_keys(path, document, ("layers", *recipe.TABLES))
    for name, table in document.items():
        if name != "layers" and not isinstance(table, dict):
            raise ValueError(f"{path}: {name} is {table!r}, expected a table, [{name}]")


def layers_of(path: str, document: Mapping[str, Any]) -> Recipe | None:
    """The network of one's own, if the file has one."""
    return recipe.of_document(path, document) if "layers" in document else None


def part_of(kind: Any, given: Mapping[str, Any]) -> Any:
    """Settings or Output from options by name."""
    return kind(**{one.name: given[one.name] for one in fields(kind)})
