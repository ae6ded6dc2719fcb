"""The command `gvc`."""


def main() -> None:
    """Entry point of the console script; ends the process with one of the exit codes of `gvc --help`."""
    from ..threads import keep_blas_single

    keep_blas_single()
    from .app import app

    app(prog_name="gvc")
