"""Which tests go to one worker."""

import pytest


@pytest.mark.parametrize(
    ("one", "other", "together"),
    [
        ("test_order.py::test_order[ORD01-a]", "test_determinism.py::test_determinism[DET05-zeros]", True),
        ("test_spread.py::test_spread[SPR01-iris-normal]", "test_spread.py::test_spread[SPR03-iris-he_normal]", True),
        ("test_spread.py::test_spread[SPR01-iris-normal]", "test_spread.py::test_spread[SPR01-xor-normal]", False),
        ("test_baseline.py::test_baseline[evidence-problems-xor]", "test_baseline.py::test_baseline[fits-xor-x]", True),
        ("test_laws.py::test_laws[LAW01-a]", "test_laws.py::test_laws[LAW02-b]", True),
        ("test_laws.py::test_laws[LAW01-a]", "test_seeds.py::test_seeds[SEED01-a]", False),
    ],
)
def test_tests_of_the_same_evidence_go_to_one_worker(request, one, other, together):
    conftest = request.config.pluginmanager.get_plugin(str(request.config.rootpath / "conftest.py"))
    mine, others = (conftest.evidence_of(f"tests/reproducibility/{name}") for name in (one, other))
    assert (mine == others) is together
