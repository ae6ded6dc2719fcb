# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""Videos side by side: frames aligned by time, figures, films and a page to look at them (`gvc compare`)."""
