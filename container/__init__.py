# SPDX-FileCopyrightText: 2026 The GVC contributors
# SPDX-License-Identifier: BSD-2-Clause
"""GVC in media files: `demux` reads packets, `mux` writes them, `probe` analyses a file. No module needs a model."""
