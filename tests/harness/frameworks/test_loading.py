import gc

from initcheck.frameworks.keras import _uncollected


def test_the_framework_is_imported_without_collections_and_left_out_of_later_ones():
    gc.enable()
    try:
        with _uncollected():
            assert not gc.isenabled()
            made: list[list[int]] = [[]]
        assert gc.isenabled()
        assert gc.get_freeze_count() > 0
        assert not any(kept is made for kept in gc.get_objects())  # of the generations that are collected
    finally:
        gc.unfreeze()


def test_a_program_that_does_without_the_collector_still_does():
    gc.disable()
    try:
        with _uncollected():
            pass
        assert not gc.isenabled()
    finally:
        gc.unfreeze()
        gc.enable()
