# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Tries other programs with a GVC film and writes docs/COMPATIBILITY.md.

python -m tools.compatibility                     # all; each needs its packages from Debian, or gets them from PyPI
python -m tools.compatibility melt OpenCV         # only these
python -m tools.compatibility --packages          # print the names of the Debian packages
python -m tools.compatibility --page              # only write the page again

What is found is kept in results.json beside this file, and the page is made of that alone. A program that is not
installed keeps what was found last.
"""
