from drawn import judge, over, require

import initcheck
from initcheck.catalog.cases.trainings import make_training
from initcheck.catalog.initializers import INITIALIZERS
from initcheck.checks.determinism import judge_repeats
from initcheck.evidence.determinism.repeated_draws import repeat_draws


@initcheck.parametrize_with_checks(families=["determinism"])
def test_determinism(check, initcheck_lab):
    check(initcheck_lab)


def _draw_of_any_row(stream):
    row, shape = INITIALIZERS[stream.one_of(tuple(INITIALIZERS))], stream.integers(1, 9, most=4)
    allowed = shape if row.law.allows(shape) else (shape[0], shape[-1])
    return row, allowed, stream.one_of(("float32", "float16", "float64")), stream.integer(1, 2**31 - 3)


@over(_draw_of_any_row)
def test_one_seed_draws_one_array_however_it_is_asked(case, initcheck_lab):
    row, shape, dtype, seed = case
    draws = repeat_draws(initcheck_lab.keras, row, seed, [(dtype, shape)])
    require("DET01", row.name, judge_repeats(row, draws, ("again",)))
    require("DET02", row.name, judge_repeats(row, draws, ("another", "from_config")))
    require("DET03", row.name, judge_repeats(row, draws, ("traced", "traced_again")))
    require("DET04", row.name, judge_repeats(row, draws, ("after_work",)))


@over(make_training, cost=3)
def test_any_training_repeats(case, initcheck_lab):
    judge(initcheck_lab, "DET10", case.name, case)
