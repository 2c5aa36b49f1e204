from drawn import judge, over

import initcheck
from initcheck.catalog.cases.nets import make_random_net, make_zero_net


@initcheck.parametrize_with_checks(families=["symmetry"])
def test_symmetry(check, initcheck_lab):
    check(initcheck_lab)


@over(make_zero_net, cost=2)
def test_any_net_of_zeros_moves_and_keeps_its_units_bitwise_equal(case, initcheck_lab):
    judge(initcheck_lab, "SYM01", case.name, case)


@over(make_random_net, cost=2)
def test_permuted_units_train_to_permuted_ones(case, initcheck_lab):
    judge(initcheck_lab, "SYM07", case.name, case)
