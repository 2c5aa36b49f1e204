import initcheck


@initcheck.parametrize_with_checks(families=["symmetry"])
def test_symmetry(check, initcheck_lab):
    check(initcheck_lab)
