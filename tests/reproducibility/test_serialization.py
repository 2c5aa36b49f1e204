import initcheck


@initcheck.parametrize_with_checks(families=["serialization"])
def test_serialization(check, initcheck_lab):
    check(initcheck_lab)
