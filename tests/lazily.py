# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Values that are made when they are first asked for, so that a test run makes only those that it needs."""

from collections.abc import Callable, Hashable


class Lazily(dict):
    """A dict that makes a missing value from its key.

    make: function that returns the value for a key.
    """

    def __init__(self, make: Callable[[Hashable], object]):
        super().__init__()
        self._make = make

    def __missing__(self, key: Hashable) -> object:
        return self.setdefault(key, self._make(key))
