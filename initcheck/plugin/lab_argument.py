"""The lab that a test hands to a check or cell."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from initcheck.evidence.lab import Lab


def require_lab(lab: object, call: str) -> Lab:  # noqa: RET503 - pytest.fail raises
    """The lab; fails the test, in one line, where its body calls a check or cell without it.

    Args:
        lab: The argument of the call.
        call: The right call: ``check(initcheck_lab)``.
    """
    from initcheck.evidence.lab import Lab

    if isinstance(lab, Lab):
        return lab
    import pytest

    name, _, _ = call.partition("(")
    pytest.fail(
        f"the test calls {name} without its lab; write {call}, where initcheck_lab is a fixture: "
        f"def test_it({name}, initcheck_lab): {call}",
        pytrace=False,
    )
