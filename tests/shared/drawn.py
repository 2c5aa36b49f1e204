"""Exact promises as properties: Hypothesis draws their cases, and shrinks those that fail.

The makers are those of the frozen cases. None of these promises has a p-value: each new case would spend error budget.
"""

from hypothesis import given, reject, settings
from hypothesis import strategies as st

from initcheck.catalog.known_issues import find_known_issue
from initcheck.checks.registry import Cell, Subject, all_checks
from initcheck.plugin.checks import BoundCheck
from initcheck.records import Status

PROFILE = "exact promises"  # of Hypothesis; conftest.py sets the number of examples


class HypothesisStream:
    """A ``CaseStream`` whose methods draw from Hypothesis."""

    def __init__(self, draw):
        self._draw = draw

    def integer(self, low, high):
        """An integer from ``low`` to ``high``; shrinks to ``low``."""
        return self._draw(st.integers(low, high))

    def integers(self, low, high, *, most):
        """At least one and at most ``most`` integers; shrinks to one."""
        return tuple(self._draw(st.lists(st.integers(low, high), min_size=1, max_size=most)))

    def real(self, low, high):
        """A number between the two that no float32 is; shrinks to the one next to ``low``."""
        return low + (high - low) * self._draw(st.integers(1, 2**20)) / (2**20 + 7)

    def one_of(self, options):
        """One of the options; shrinks to the first."""
        return self._draw(st.sampled_from(options))


@st.composite
def cases(draw, make):
    """Cases of that maker."""
    return make(HypothesisStream(draw))


def over(make, *, cost=1):
    """Runs the decorated test on cases of that maker, as its argument ``case``: on fewer where each costs more."""
    profile = settings.get_profile(PROFILE)
    return lambda test: settings(profile, max_examples=profile.max_examples // cost)(given(case=cases(make))(test))


def judge(lab, code, name, value, *, like=""):
    """Judges that value by the check of that code; a failure is the check's own message.

    It is none where the check's subject of the name ``like`` is known to fail.
    """
    __tracebackhide__ = True
    check = next(each for each in all_checks() if each.code == code)
    try:
        BoundCheck(Cell(check, Subject(name, value, own=True), 0.0))(lab)
    except AssertionError:
        if find_known_issue(code, like):
            reject()
        raise


def require(code, subject, verdict):
    """Requires the verdict of the check of that code to be a pass, but where the subject is known to fail it."""
    __tracebackhide__ = True
    if verdict.status is Status.FAIL and find_known_issue(code, subject):
        reject()
    assert verdict.status is Status.PASS, f"{code}: {verdict}"
