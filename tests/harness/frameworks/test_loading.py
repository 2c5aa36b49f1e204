import gc

from initcheck.frameworks.keras import _uncollected


def test_the_framework_is_imported_without_collections_and_counts_as_old_at_once():
    gc.enable()
    with _uncollected():
        assert not gc.isenabled()
        made: list[list[int]] = [[]]
    assert gc.isenabled()
    assert any(kept is made for kept in gc.get_objects(generation=2))
    assert made in gc.get_referrers(made[0])  # which Hypothesis asks for


def test_what_a_program_has_frozen_stays_frozen():
    gc.freeze()
    try:
        with _uncollected():
            made: list[list[int]] = [[]]
        assert gc.get_freeze_count() > 0
        assert any(kept is made for kept in gc.get_objects(generation=2))
    finally:
        gc.unfreeze()


def test_a_program_that_does_without_the_collector_still_does():
    gc.disable()
    try:
        with _uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
