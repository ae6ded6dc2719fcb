# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""JSON objects that somebody else may have written: each value is checked when it is taken."""

import json
import re
from collections.abc import Callable
from math import isfinite
from typing import NoReturn, TypeVar

from ..errors import GvcError

LARGEST = 2**63 - 1  # Largest whole number in a file of a job folder

Value = TypeVar("Value")


class FolderError(GvcError, ValueError):
    """A file of a job folder that is damaged, or that GVC did not write."""


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):  # NaN and Infinity, which are no JSON, or a number beyond the range of a float
        raise ValueError(f"{text} is no finite number")
    return number


class Record:
    """A JSON object whose values have not been checked yet.

    content: value that is meant to be an object.
    what: description of the object for errors, such as "the plan".

    All methods raise FolderError for a value that is missing, of another type or out of range.
    """

    def __init__(self, content: object, what: str):
        self._what = what
        if not isinstance(content, dict):
            self.refuse("it is no object")
        self.content = content

    @classmethod
    def parse(cls, data: bytes, what: str) -> "Record":
        """Read JSON text, whose length the caller has limited."""
        try:
            return cls(json.loads(data, parse_constant=_finite, parse_float=_finite), what)
        except (ValueError, RecursionError) as error:
            raise error if isinstance(error, FolderError) else FolderError(f"{what} is no JSON") from None

    def refuse(self, reason: str) -> NoReturn:
        """Raise FolderError."""
        raise FolderError(f"{self._what} is damaged, or not from this version of GVC: {reason}")

    def integer(self, name: str, low: int = 0, high: int = LARGEST) -> int:
        """Return a whole number from `low` to `high`, by default one that is not negative and fits 64 bits."""
        return self._checked(name, lambda value: type(value) is int and low <= value <= high)

    def number(self, name: str) -> float:
        """Return a finite number that is not negative."""
        return float(self._checked(name, lambda value: is_number(value) and value >= 0))

    def flag(self, name: str) -> bool:
        """Return a truth value."""
        return self._checked(name, lambda value: type(value) is bool)

    def text(self, name: str, pattern: str = ".*") -> str:
        """Return text that matches a regular expression as a whole, by default any text."""
        return self._checked(name, lambda value: is_text(value, pattern))

    def entries(self, name: str, good: Callable[[object], bool]) -> list:
        """Return a list whose entries are good."""
        return self._checked(name, lambda value: type(value) is list and all(map(good, value)))

    def record(self, name: str) -> "Record":
        """Return an object."""
        return Record(self.content.get(name), f"{name} of {self._what}")

    def _checked(self, name: str, good: Callable[[object], bool]) -> Value:
        value = self.content.get(name)
        if not good(value):
            self.refuse(f"{name} is missing or not what it should be")
        return value


def is_number(value: object) -> bool:
    """Return whether a value of JSON (Record.parse) is a number that fits 64 bits."""
    return type(value) is float or (type(value) is int and abs(value) <= LARGEST)


def is_text(value: object, pattern: str = ".*") -> bool:
    """Return whether a value of JSON is text that matches a regular expression as a whole, by default any text."""
    return isinstance(value, str) and bool(re.fullmatch(pattern, value, re.ASCII | re.DOTALL))
