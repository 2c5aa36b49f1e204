"""Errors that a user can fix, each with a message of one line."""

import difflib
from collections.abc import Iterable


class InitcheckError(Exception):
    """An error that the user can fix; the message says what is wrong, where, and how to fix it, in one line."""


class FrameworkError(InitcheckError):
    """The framework under test is missing, or is not one that initcheck can drive."""


_MOST_NAMES = 30  # in a message


class UnknownNameError(InitcheckError):
    """A name that is not in a catalogue; the message gives the nearest ones."""

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        known = list(known)
        folded = {one.casefold(): one for one in known}
        near = [folded[one] for one in difflib.get_close_matches(name.casefold(), folded, n=3, cutoff=0.5)]
        more = [f"and {len(known) - _MOST_NAMES} more"] if len(known) > _MOST_NAMES else []
        listed = ", ".join([*known[:_MOST_NAMES], *more])
        hint = f"did you mean {' or '.join(near)}?" if near else f"known: {listed}"
        super().__init__(f"no {kind} is named {name!r}; {hint}")


class DataError(InitcheckError):
    """A data file that cannot be used as it is."""


class StoreError(InitcheckError):
    """A store that cannot be written to; what it had is kept."""
