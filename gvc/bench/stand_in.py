# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""The base of stand-ins for priors, which see or change the work of a prior; an `opener` gives them in its place."""


class StandIn:
    """Stands for an object: has all its attributes but those that a subclass defines.

    Attributes:
        target: the object.
    """

    def __init__(self, target: object):
        self.target = target

    def __getattr__(self, name: str) -> object:
        return getattr(self.target, name)
