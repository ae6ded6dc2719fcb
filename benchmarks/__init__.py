# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Measurements that anybody can repeat: `python -m benchmarks --help`."""
