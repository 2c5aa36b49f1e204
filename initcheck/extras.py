"""Packages that only some commands need are in an extra; a command that lacks one names the extra."""

from __future__ import annotations

from collections.abc import Sequence
from importlib.util import find_spec

from initcheck.errors import InitcheckError

LOCKS = ("filelock",)  # gather evidence in several processes
ENVIRONMENTS = (*LOCKS, "platformdirs", "uv")  # build environments and keep them


def require_upgrade_extra(needed_by: str, packages: Sequence[str]) -> None:
    """Makes sure that packages of the extra ``upgrade`` are installed.

    Args:
        needed_by: The command or option that needs them, for the message.
        packages: ``LOCKS`` or ``ENVIRONMENTS``.

    Raises:
        InitcheckError: One of them is missing; the message names the extra.
    """
    missing = [name for name in packages if find_spec(name) is None]
    if missing:
        raise InitcheckError(f"{needed_by} needs {', '.join(missing)}: pip install 'initcheck[upgrade]'")
