"""``python -m initcheck`` is ``initcheck``."""

from __future__ import annotations

from initcheck.endings import end_with


def main() -> None:
    """Runs the command line; imported within, so that Ctrl-C in the first second ends it like any other."""
    end_with(_run)


def _run() -> int | None:
    from initcheck.cli.app import cli

    return cli.main(standalone_mode=False)  # type: ignore[no-any-return] # an int, or nothing


if __name__ == "__main__":
    main()
