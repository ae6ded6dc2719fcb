# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Coding by many workers: the plan of a video, jobs of one chain each, workers here and elsewhere, the joined file."""
