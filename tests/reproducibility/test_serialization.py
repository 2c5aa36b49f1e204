import pytest
from drawn import judge, over, require

import initcheck
from initcheck.catalog.cases.saved_cases import make_initializer_case
from initcheck.catalog.cases.trainings import make_training
from initcheck.checks.bits import judge_trips
from initcheck.targets import backend_of, target


@initcheck.parametrize_with_checks(families=["serialization"])
def test_serialization(check, initcheck_lab):
    check(initcheck_lab)


@pytest.mark.skipif(not backend_of(target()), reason="a library's initializers have no configuration")
@over(make_initializer_case)
def test_any_initializer_comes_back_from_its_configuration(case, initcheck_lab):
    row, seed = case
    given = {**row.config, **({"seed": seed} if row.law.random else {})}
    require("SER02", row.name, judge_trips(initcheck_lab.saving.initializer(row, seed, [(4, 3)]), given))


@over(make_training, cost=2)
def test_any_model_comes_back_from_its_configuration_and_its_files(case, initcheck_lab):
    judge(initcheck_lab, "SER05", case.name, case)
    judge(initcheck_lab, "SER06", case.name, case)
