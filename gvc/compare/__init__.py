# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Comparison of videos (`gvc compare`): aligns frames by time, measures them, writes side-by-side videos and a page."""
