import initcheck


@initcheck.parametrize_with_checks(families=["arithmetic"])
def test_arithmetic(check, initcheck_lab):
    check(initcheck_lab)
