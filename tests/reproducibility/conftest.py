"""The number of Hypothesis examples for each exact promise."""

from drawn import PROFILE
from hypothesis import HealthCheck, Phase, settings


def pytest_configure(config):
    settings.register_profile(
        PROFILE,
        derandomize=True,
        deadline=None,  # the first example loads the framework
        database=None,
        max_examples=100 if config.getoption("initcheck_effort") == "thorough" else 12,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        report_multiple_bugs=False,
        suppress_health_check=[HealthCheck.too_slow],  # the same
    )
