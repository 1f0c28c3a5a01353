"""How often open pages look: as often as they like, as long as together they take no more than a share of the time."""

from __future__ import annotations

import heapq
import itertools

import pytest

from airflow_rerun_downstream.airflow3.web.appointments import LEAST, MOST, SHARE, Appointments


@pytest.mark.parametrize(
    ("pages", "took", "pause"),
    [
        (1, 0.02, LEAST),
        (5, 0.02, LEAST),
        (50, 0.02, 50 * 0.02 / SHARE),
        (50, 0.1, MOST),
        (1, 10.0, MOST),
        (2, 10.0, MOST),
    ],
)
def test_pages_share_the_time(pages: int, took: float, pause: float) -> None:
    now = [0.0]
    appointments = Appointments(clock=lambda: now[0])
    comes = [(0.01 * number, number) for number in range(pages)]
    looks: dict[int, list[float]] = {number: [] for number in range(pages)}
    while now[0] < 600:
        now[0], number = heapq.heappop(comes)
        looks[number].append(now[0])
        heapq.heappush(comes, (now[0] + appointments.next_after(took), number))
    for times in looks.values():
        pauses = [later - earlier for earlier, later in itertools.pairwise(times)][3:]
        assert min(pauses) >= LEAST - 1e-6
        assert sum(pauses) / len(pauses) == pytest.approx(pause, rel=0.1)


def test_whatever_else_pages_ask_is_part_of_their_share() -> None:
    now = [100.0]
    appointments = Appointments(clock=lambda: now[0])
    for _ in range(10):
        appointments.spent(0.05)
    assert appointments.next_after(0.01) == pytest.approx(10 * 0.05 / SHARE)
    appointments.spent(0.25)
    assert appointments.next_after(0.01) == pytest.approx((10 * 0.05 + 0.01 + 0.25) / SHARE)
    for _ in range(1_000):
        appointments.spent(1.0)
    now[0] += MOST
    assert appointments.next_after(0.01) == pytest.approx(LEAST), "a flood that is over delays nobody"


def test_who_does_not_come_is_forgotten() -> None:
    now = [0.0]
    appointments = Appointments(clock=lambda: now[0])
    for _ in range(1_000):
        assert LEAST <= appointments.next_after(1.0) <= MOST
    now[0] += 2 * MOST
    assert appointments.next_after(0.01) == pytest.approx(LEAST)
