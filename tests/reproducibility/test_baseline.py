import initcheck


@initcheck.parametrize_with_baseline()
def test_baseline(cell, initcheck_lab):
    cell(initcheck_lab)
