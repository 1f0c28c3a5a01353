"""What pytest does otherwise while mutants are tried (`-p dev.mutants_plugin`): properties are tried with few
examples, the same ones each time, and no time is spent on the smallest that fails.
"""

from __future__ import annotations

import pytest
from hypothesis import Phase, settings

EXAMPLES = 50


@pytest.hookimpl(trylast=True)  # after Hypothesis has taken the profile that the command line names
def pytest_configure() -> None:
    """Say what holds for every property."""
    settings.register_profile(
        "mutants", derandomize=True, database=None, deadline=None, phases=(Phase.explicit, Phase.generate)
    )
    settings.load_profile("mutants")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Hold back those that ask for many examples."""
    for item in items:
        test = getattr(item, "obj", None)
        function = getattr(test, "__func__", test)
        wanted = getattr(function, "_hypothesis_internal_use_settings", None)
        if wanted is not None and wanted.max_examples > EXAMPLES:
            function._hypothesis_internal_use_settings = settings(wanted, max_examples=EXAMPLES)  # type: ignore[union-attr]
