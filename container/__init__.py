# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""GVC in media files: `demux` reads packets, `mux` writes them, `probe` says what a file holds. None needs a model."""
