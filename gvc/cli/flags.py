# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Command-line flags, made from the table of options (gvc.options) so that the two cannot differ."""

import inspect
from collections.abc import Callable
from functools import wraps
from typing import Annotated

import typer

from ..errors import OptionError
from ..options import BITS, Option

SHORT = {"bitrate": "-b", "keyint": "-g"}


def metavar(option: Option) -> str:
    """Return the text by which --help stands for the value of an option."""
    if option.choices:
        return "|".join(option.choices)
    if option.unit == BITS:
        return "BITS[k|M]"
    return "TEXT" if option.kind is str else f"{option.kind(option.low)}..{option.kind(option.high)}"


def _parser(option: Option) -> Callable[[str], object]:
    def parse(text: str) -> object:
        try:
            return option.parse(text)
        except OptionError as error:
            raise typer.BadParameter(str(error)) from None

    return parse


def _parameter(option: Option) -> inspect.Parameter:
    flags = [f"--{option.name}", *filter(None, [SHORT.get(option.name)])]
    text = option.help if option.default == "" else rf"{option.help} \[default: {option.default}]"
    declaration = typer.Option(*flags, parser=_parser(option), metavar=metavar(option), help=text)
    return inspect.Parameter(
        option.name,
        inspect.Parameter.KEYWORD_ONLY,
        default=None,
        annotation=Annotated[list[object] | None if option.many else object, declaration],
    )


def _joined(value: object) -> object:
    """Return the value of a flag; the texts of a flag that may be repeated with commas between them."""
    return ",".join(value) or None if isinstance(value, list) else value


def with_options(table: tuple[Option, ...]) -> Callable[[Callable], Callable]:
    """Return a decorator that adds a flag for each option of `table` to a command.

    The command takes its parameters by keyword only. One of them is `options`, a dict of the values that the user has
    set.
    """

    def decorate(command: Callable) -> Callable:
        @wraps(command)
        def wrapper(**arguments: object) -> object:
            given = {option.name: _joined(arguments.pop(option.name)) for option in table}
            return command(options={k: v for k, v in given.items() if v is not None}, **arguments)

        # Typer reads parameters from signatures alone, and its copy of click takes no click.Option.
        signature = inspect.signature(command)
        own = [p for p in signature.parameters.values() if p.name != "options"]
        wrapper.__signature__ = signature.replace(parameters=[*own, *map(_parameter, table)])
        return wrapper

    return decorate
