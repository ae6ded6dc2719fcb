# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Times of a film as users give them."""

import re
from fractions import Fraction
from functools import reduce

from ..errors import OptionError

NUMBER = re.compile(r"\d{1,9}(\.\d{1,9})?", re.ASCII)


def parse_time(text: str, name: str) -> Fraction:
    """Return the seconds of a time: seconds, MM:SS or HH:MM:SS, with decimals if wanted. Raises OptionError.

    name: name of the option that has the value.
    """
    parts = text.strip().split(":")
    valid = len(parts) <= 3 and all(map(NUMBER.fullmatch, parts)) and not any("." in part for part in parts[:-1])
    if not valid or any(Fraction(part) >= 60 for part in parts[1:]):
        raise OptionError(f"{name} {text!r} is no time; give seconds or HH:MM:SS, such as 83.5 or 0:01:23.5")
    return reduce(lambda total, part: 60 * total + Fraction(part), parts, Fraction(0))
