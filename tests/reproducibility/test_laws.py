import initcheck


@initcheck.parametrize_with_checks(families=["laws"])
def test_laws(check, initcheck_lab):
    check(initcheck_lab)
