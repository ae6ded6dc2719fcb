# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Parsing of option values: they are accepted or refused."""

from fractions import Fraction

import numpy as np
import pytest

from gvc.errors import OptionError
from gvc.options import DECODER_OPTIONS, ENCODER_OPTIONS

OPTIONS = {option.name: option for option in (*DECODER_OPTIONS, *ENCODER_OPTIONS)}


@pytest.mark.parametrize("name", ["bitrate", "maxrate", "bufsize"])
@pytest.mark.parametrize(
    ("given", "bits"),
    [
        ("80k", 80_000),
        ("1.5M", 1_500_000),
        ("2.3M", 2_300_000),
        ("1G", 10**9),
        ("64000", 64000),
        ("1e5", 100_000),
        (80_000.0, 80_000),
    ],
)
def test_rates_may_have_a_suffix(name, given, bits):
    assert OPTIONS[name].parse(given) == bits


@pytest.mark.parametrize("given", ["", "k", "fast", "1kk", "inf", "80 k", "0.5", "80m"])
def test_wrong_rates(given):
    with pytest.raises(OptionError, match="such as 80k"):
        OPTIONS["maxrate"].parse(given)


@pytest.mark.parametrize("given", ["33", 33, 33.0, "33.0", "+33", "3.3e1", np.int64(33), np.float32(33), Fraction(33)])
def test_whole_numbers(given):
    value = OPTIONS["gop"].parse(given)
    assert value == 33 and type(value) is int


@pytest.mark.parametrize(
    "given",
    [
        *(33.9, "33.9", Fraction(67, 2), "0x10", "3_3", " 33", "33 ", "\u0663\u0663", "33k", "", None, True, b"33", []),
        *("nan", "inf", float("nan"), float("inf"), "1e999999999", "9" * 5000, -1, 10**30),
    ],
)
def test_what_is_no_whole_number_in_the_range_is_refused(given):
    with pytest.raises(OptionError, match="valid: 0 to 129"):
        OPTIONS["gop"].parse(given)


@pytest.mark.parametrize("given", ["nan", float("inf"), "-inf", "1_0", True, "100.01", "0,5"])
def test_what_is_no_number_is_refused(given):
    with pytest.raises(OptionError, match="valid: 0 to 100"):
        OPTIONS["quality"].parse(given)


def test_switches_may_be_truth_values():
    assert (OPTIONS["tail"].parse(False), OPTIONS["tiling"].parse(True)) == (0, 1)
