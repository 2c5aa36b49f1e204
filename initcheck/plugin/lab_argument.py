"""The lab that a test hands to a check or cell."""

from __future__ import annotations

from typing import Any


def require_lab(lab: Any, call: str) -> None:
    """Fails the test, in one line, where its body calls a check or cell without the lab.

    Args:
        lab: What it was called with.
        call: What the test is to call: ``check(initcheck_lab)``.
    """
    from initcheck.evidence.lab import Lab

    if isinstance(lab, Lab):
        return
    import pytest

    name, _, _ = call.partition("(")
    pytest.fail(
        f"the test calls {name} without its lab; write {call}, where initcheck_lab is a fixture: "
        f"def test_it({name}, initcheck_lab): {call}",
        pytrace=False,
    )
