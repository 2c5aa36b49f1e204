import initcheck


@initcheck.parametrize_with_checks(families=["seeds"])
def test_seeds(check, initcheck_lab):
    check(initcheck_lab)
