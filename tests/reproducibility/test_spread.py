import initcheck


@initcheck.parametrize_with_checks(families=["spread"])
def test_spread(check, initcheck_lab):
    check(initcheck_lab)
