# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Attributes that are computed at their first use."""

from collections.abc import Callable
from typing import Generic, Self, TypeVar, overload

Value = TypeVar("Value")


class lazy(Generic[Value]):  # noqa: N801 - used as a decorator, like property
    """A property that is computed once and then kept, like functools.cached_property.

    In Python 3.11 that one holds a lock while it computes, one for all instances of a class, so GOPs in several threads
    would wait for each other. Here two threads that ask the same instance at the same time may both compute.
    """

    def __init__(self, compute: Callable[..., Value]):
        self._compute, self.__doc__ = compute, compute.__doc__

    def __set_name__(self, _: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> Self: ...

    @overload
    def __get__(self, instance: object, owner: type) -> Value: ...

    def __get__(self, instance: object | None, owner: type) -> Self | Value:
        if instance is None:
            return self
        value = instance.__dict__[self._name] = self._compute(instance)
        return value
