import initcheck


@initcheck.parametrize_with_checks(families=["determinism"])
def test_determinism(check, initcheck_lab):
    check(initcheck_lab)
