"""What the ports about the installation itself promise: the clock, its health, notification targets."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.contracts.conftest import Installation

COMPONENTS = {
    *("database", "conductor", "clocks", "asset_manager", "freeze_hook", "hooks", "frozen", "policy", "listener"),
    *("declared_links", "notifications", "configuration"),
}


class TestClock:
    def test_it_is_aware_and_in_utc(self, installed: Installation) -> None:
        now = installed.clock.now()
        assert (isinstance(now, datetime), now.utcoffset()) == (True, timedelta())

    def test_it_does_not_go_back(self, installed: Installation) -> None:
        moments = [installed.clock.now() for _ in range(50)]
        assert moments == sorted(moments)


class TestHealth:
    def test_it_names_every_component(self, installed: Installation) -> None:
        found = installed.health.components()
        assert found.keys() == COMPONENTS
        assert {one.status for one in found.values()} <= {"healthy", "degraded", "unhealthy"}
        assert all(one.detail for one in found.values())

    @pytest.mark.parametrize("what", ["components", "asset_manager_active", "freeze_hook_active", "cannot_freeze"])
    def test_it_reads_in_a_transaction_of_its_own(self, installed: Installation, what: str) -> None:
        """Twice, so that the first has let go of it."""
        ask: Any = getattr(installed.health, what)
        assert ask() == ask()


class TestNotifier:
    def test_name_kind_and_description_and_nothing_secret(self, installed: Installation) -> None:
        (found,) = installed.notifier.targets()
        assert (found[0], found[2]) == ("data-team", "the data team")
        assert all(isinstance(text, str) and "secret" not in text for text in found)
