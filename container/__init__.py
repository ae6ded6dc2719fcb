"""GVC in media files: `demux` reads packets, `mux` writes them, `probe` says what a file holds. None needs a model."""
