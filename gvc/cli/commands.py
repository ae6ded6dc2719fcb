# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""How the commands of `gvc` take their arguments and report wrong ones."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise

import typer
from typer.core import TyperCommand, TyperGroup

from ..terminal import visible
from .objects import write_object


class Commands(TyperGroup):
    """The group of all commands. Usage errors repeat arguments, so control characters in them are made visible."""

    def make_context(self, info_name: str | None, args: list[str], **kwargs: object) -> typer.Context:
        as_json = "--progress=json" in args or ("--progress", "json") in pairwise(args)
        with _visible_errors(as_json):
            context = super().make_context(info_name, args, **kwargs)
        context.obj = as_json
        return context

    def invoke(self, ctx: typer.Context) -> object:
        with _visible_errors(ctx.obj):
            return super().invoke(ctx)


@contextmanager
def _visible_errors(as_json: bool) -> Iterator[None]:
    try:
        yield
    except Exception as error:
        if hasattr(error, "message"):  # typer prints the message of such errors
            error.message = visible(error.message)
            if as_json:
                write_object("error", text=error.message, code=error.exit_code)
                raise SystemExit(error.exit_code) from None
        raise


class PassThrough(TyperCommand):
    """A command that passes every argument to the program that it runs, --help and -- included."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:
        ctx.args = list(args)
        return []
