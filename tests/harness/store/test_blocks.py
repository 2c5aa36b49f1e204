"""The arithmetic of blocks and shares."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from initcheck.errors import InitcheckError
from initcheck.store.blocks import CellBlock, CellGrid, Share, runs_in

RANGES = st.tuples(st.integers(0, 60), st.integers(1, 40)).map(lambda ends: range(ends[0], sum(ends)))


@given(RANGES, st.integers(1, 60))
def test_shares_are_all_of_it_once_and_differ_by_one_in_length(numbers, count):
    parts = [Share(number, count).part_of(numbers) for number in range(1, count + 1)]
    assert [one for part in parts for one in part] == list(numbers)
    assert max(map(len, parts)) - min(map(len, parts)) <= 1


@pytest.mark.parametrize("text", ["0/4", "5/4", "1", "1/0", "a/b", "-1/4", "", "1/4/2"])
def test_a_share_that_is_none_is_refused(text):
    with pytest.raises(InitcheckError, match="give i/n"):
        Share.read(text)


@given(RANGES, RANGES, st.integers(1, 50))
def test_tiles_are_the_grid_once_and_end_at_multiples(orders, reseeds, size):
    grid = CellGrid(("a", "b"), orders, reseeds)
    cells = [
        (tile.initializer, order, reseed)
        for tile in grid.tiles(size)
        for order in tile.orders
        for reseed in tile.reseeds
    ]
    assert sorted(cells) == [(key, order, reseed) for key in "ab" for order in orders for reseed in reseeds]
    assert {tile.reseeds.start % size for tile in grid.tiles(size) if tile.reseeds.start != reseeds.start} <= {0}


@given(RANGES, RANGES, st.lists(st.tuples(RANGES, RANGES), max_size=6), st.integers(1, 50))
def test_what_is_missing_is_what_no_block_had(orders, reseeds, blocks, size):
    grid = CellGrid(("a",), orders, reseeds)
    done = grid.nothing_done()
    new = sum(grid.mark(done, CellBlock("a", *block)) for block in blocks)
    there = {(order, reseed) for block in blocks for order in block[0] for reseed in block[1]}
    wanted = {(order, reseed) for order in orders for reseed in reseeds}
    assert new == len(wanted & there)
    missing = {
        (order, reseed) for tile in grid.tiles(size) for order, some in grid.missing_in(done, tile) for reseed in some
    }
    assert missing == wanted - there
    assert all(grid.lacks(done, tile) == bool(grid.missing_in(done, tile)) for tile in grid.tiles(size))


def test_a_block_is_named_and_found_by_its_name():
    block = CellBlock("he_normal-1a2b", range(3), range(5, 70))
    assert block.name == "he_normal-1a2b.o0-3.r5-70"
    assert CellBlock.of(block.name) == block
    assert len(block) == 195
    assert [CellBlock.of(text) for text in ("he.o0-3.r5-5", "he.o1-1.r0-2", "he.o0-3", "h/e.o0-3.r5-9", "")] == [
        None
    ] * 5


@given(st.sets(st.integers(0, 60)))
def test_numbers_are_ranges_without_gaps(numbers):
    ranges = list(runs_in(sorted(numbers)))
    assert [one for each in ranges for one in each] == sorted(numbers)
    assert all(one.stop < other.start for one, other in itertools.pairwise(ranges))
