"""The number of Hypothesis examples for each exact promise."""

from drawn import PROFILE
from hypothesis import Phase, settings


def pytest_configure(config):
    settings.register_profile(
        PROFILE,
        settings.get_profile("same"),  # the first example loads the framework, which no deadline may count
        database=None,
        max_examples=100 if config.getoption("initcheck_effort") == "thorough" else 12,
        phases=(Phase.explicit, Phase.generate, Phase.shrink),
        report_multiple_bugs=False,
    )
