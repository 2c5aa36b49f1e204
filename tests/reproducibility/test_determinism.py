from drawn import judge, over, require

import initcheck
from initcheck.catalog.cases.trainings import make_training
from initcheck.catalog.layers import select
from initcheck.catalog.layers.traits.computing import Role, TrainingRole
from initcheck.checks.determinism import judge_repeats
from initcheck.evidence.determinism.repeated_draws import repeat_draws
from initcheck.frameworks.instances import dtypes_of
from initcheck.frameworks.libraries.chosen import offered_rows

_RECURRENT = {one.layer for one in select(TrainingRole) if one.role is Role.RECURRENT}


@initcheck.parametrize_with_checks(families=["determinism"])
def test_determinism(check, initcheck_lab):
    check(initcheck_lab)


def _draw_of_any_row(stream):
    row, shape = stream.one_of(offered_rows()), stream.integers(1, 9, most=4)
    allowed = shape if row.law.allows(shape) else (shape[0], shape[-1])
    return row, allowed, stream.one_of(dtypes_of(row)), stream.integer(1, 2**31 - 3)


@over(_draw_of_any_row)
def test_one_seed_draws_one_array_however_it_is_asked(case, initcheck_lab):
    row, shape, dtype, seed = case
    draws = repeat_draws(row, seed, [(dtype, shape)])
    require("DET01", row.name, judge_repeats(row, draws, ("again",)))
    require("DET04", row.name, judge_repeats(row, draws, ("another", "after_work")))
    if draws[0].from_config is not None:
        require("DET02", row.name, judge_repeats(row, draws, ("from_config",)))
    if draws[0].traced is not None:
        require("DET03", row.name, judge_repeats(row, draws, ("traced", "traced_again")))


@over(make_training, cost=3)
def test_any_training_repeats(case, initcheck_lab):
    recurrent = any(layer.kind in _RECURRENT for layer in case.layers)
    judge(initcheck_lab, "DET10", case.name, case, like="recurrent" if recurrent else "")
