"""`python -m gvc.cli` is the command `gvc`."""

from . import main

main()
