import initcheck


@initcheck.parametrize_with_checks(families=["order"])
def test_order(check, initcheck_lab):
    check(initcheck_lab)
