"""The command `gvc`."""


def main() -> None:
    """Entry point of the console script; ends the process with one of the exit codes of `gvc --help`."""
    from ..process import settle

    settle()
    from .app import app

    app(prog_name="gvc")
