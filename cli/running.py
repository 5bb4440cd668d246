"""How every command ends: one line on stderr for what went wrong, and an exit code that scripts can rely on.

0     done
1     a run failed
2     the command line or an input is wrong
130   interrupted with Ctrl-C
"""

from __future__ import annotations

import importlib
import sys
import traceback
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import click

FAILED, BAD_INPUT, INTERRUPTED = 1, 2, 130


class Failure(click.ClickException):
    """What ends a command: a line for people and an exit code."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code  # type: ignore[misc]  # a class variable of click's, which is read through the object


def _keep(context: click.Context, _: click.Parameter, value: bool) -> None:
    if value:
        context.meta["jitcnn.debug"] = True


debug_option = click.option(
    "--debug", is_flag=True, expose_value=False, is_eager=True, callback=_keep, help="Show the traceback of an error too."
)


class WithExample(click.Command):
    """A command whose help text ends with an example that can be copied to a shell, word for word."""

    def __init__(self, *arguments: Any, example: str, **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.example = example

    def format_epilog(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the example."""
        formatter.write_paragraph()
        formatter.write("Example:\n" + "".join(f"  {line}\n" for line in self.example.splitlines()))


class Command(WithExample):
    """A command whose errors are one line."""

    def invoke(self, context: click.Context) -> Any:
        """Run the command; what it raises becomes one line and an exit code."""
        try:
            with warnings.catch_warnings():
                warnings.showwarning = _warn  # type: ignore[assignment]
                return super().invoke(context)
        except (click.ClickException, click.Abort, click.exceptions.Exit, BrokenPipeError):
            raise  # the last where `head` has read enough: click ends quietly
        except Exception as error:
            if context.meta.get("jitcnn.debug"):
                traceback.print_exception(error)
            # A ValueError says what is wrong with what came in: arguments, data, model files.
            raise Failure(describe(error), BAD_INPUT if isinstance(error, ValueError) else FAILED) from error


class Commands(Mapping[str, click.Command]):
    """Commands by name, in order, each imported when it is asked for.

    Parameters
    ----------
    modules
        Command -> its module in this package, which holds a function of the module's name.
    """

    def __init__(self, modules: Mapping[str, str]) -> None:
        self.modules = modules

    def __getitem__(self, name: str) -> click.Command:
        module = self.modules[name]
        return getattr(importlib.import_module(f".{module}", __package__), module)

    def __iter__(self) -> Iterator[str]:
        return iter(self.modules)

    def __len__(self) -> int:
        return len(self.modules)


class Group(WithExample, click.Group):
    """A command with commands of its own, listed in their order."""

    def list_commands(self, context: click.Context) -> list[str]:
        """Return the names as they were given."""
        return list(self.commands)


class Main(Group):
    """The command `jitcnn` itself, whose help lists its commands by purpose.

    Parameters
    ----------
    sections
        Heading -> names of commands.
    """

    def __init__(self, *arguments: Any, sections: Mapping[str, Iterable[str]], **settings: Any) -> None:
        super().__init__(*arguments, **settings)
        self.sections = sections

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Write a list for each section, all of them in the same columns."""
        width = max(map(len, self.commands))
        limit = formatter.width - width - 6
        for heading, names in self.sections.items():
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(width), self.commands[name].get_short_help_str(limit)) for name in names])

    def main(self, args: Sequence[str] | None = None, prog_name: str | None = None, *others: Any, **settings: Any) -> Any:
        """Run a command line and exit with its code."""
        settings["standalone_mode"] = False
        try:
            code = super().main(args, prog_name or "jitcnn", *others, **settings)
        except click.Abort:
            code = complain("interrupted", INTERRUPTED)
        except click.UsageError as error:
            where = error.ctx.command_path if error.ctx else "jitcnn"
            code = complain(f"{error.format_message()} (see {where} --help)", error.exit_code)
        except click.ClickException as error:
            code = complain(error.format_message(), error.exit_code)
        sys.exit(code if isinstance(code, int) else 0)


def _warn(message: Warning | str, *_: Any) -> None:
    """Print a warning as one line, without the place in our sources that Python adds."""
    click.echo(f"warning: {message}", err=True)


def complain(message: str, code: int) -> int:
    """Print one line on stderr."""
    click.echo(f"jitcnn: {' '.join(message.split())}", err=True)
    return code


def describe(error: Exception) -> str:
    """Put an error into words; the name of its class says more than an empty text, and what nobody foresaw is named too."""
    if isinstance(error, MemoryError):
        return f"not enough memory {error}"
    if isinstance(error, OSError):
        return f"{error.filename}: {error.strerror}" if error.filename and error.strerror else str(error)
    if isinstance(error, ValueError | FloatingPointError):
        return str(error) or type(error).__name__
    return f"{type(error).__name__}: {error} (--debug shows where)"


def command(name: str, example: str) -> Callable[[Callable[..., None]], click.Command]:
    """Make a function a command of this kind, with `--debug`."""

    def wrap(function: Callable[..., None]) -> click.Command:
        return click.command(name, cls=Command, example=example)(debug_option(function))

    return wrap
