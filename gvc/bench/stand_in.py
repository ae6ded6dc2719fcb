# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Base class of stand-ins for priors, which observe or change a prior's work; an `opener` returns one instead."""


class StandIn:
    """A stand-in for an object: it has the attributes of the object, except those that a subclass defines.

    Attributes:
        target: the object itself.
    """

    def __init__(self, target: object):
        self.target = target

    def __getattr__(self, name: str) -> object:
        return getattr(self.target, name)
