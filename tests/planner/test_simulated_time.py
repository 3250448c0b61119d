"""What happens when, and how many functions run at a time."""

from __future__ import annotations

import random
from functools import partial

from solidstate.planner.simulated_time import Agenda, Latencies


def test_things_happen_in_order_of_time() -> None:
    """What falls on the same moment happens in the order it was asked for."""
    agenda = Agenda(Latencies())
    seen: list[tuple[str, float]] = []

    def note(name: str) -> None:
        seen.append((name, agenda.now))

    for name, seconds in (("b", 2.0), ("a", 1.0), ("c", 2.0)):
        agenda.after(seconds, partial(note, name))
    agenda.run()
    assert seen == [("a", 1.0), ("b", 2.0), ("c", 2.0)]


def test_no_more_functions_than_allowed() -> None:
    """The third call waits until one of the first two has ended, and takes its time to start then."""
    agenda = Agenda(Latencies(invocation_s=1), cap=2)
    begun: list[float] = []

    def work() -> None:
        begun.append(agenda.now)
        agenda.after(10.0, agenda.hang_up)

    for _ in range(3):
        agenda.call(work)
    agenda.run()
    assert begun == [1.0, 1.0, 12.0]
    assert (agenda.calls, agenda.peak) == (3, 2)


def test_jitter_needs_chance() -> None:
    """A latency varies by the part of itself that it may; the work and everything without chance is exact."""
    times: dict[str, list[float]] = {"soon": [], "after": [], "sure": []}

    def note(kind: str, agenda: Agenda) -> None:
        times[kind].append(agenda.now)

    for seed in range(50):
        agenda = Agenda(Latencies(jitter=0.5), chance=random.Random(seed))
        agenda.soon(1.0, partial(note, "soon", agenda))
        agenda.after(1.0, partial(note, "after", agenda))
        agenda.run()
        sure = Agenda(Latencies(jitter=0.5))
        sure.soon(1.0, partial(note, "sure", sure))
        sure.run()
    assert 0.5 <= min(times["soon"]) < 0.6
    assert 1.4 < max(times["soon"]) <= 1.5
    assert set(times["after"]) == set(times["sure"]) == {1.0}


def test_a_step_costs_a_state_and_a_call() -> None:
    """What the floor of a makespan adds to each step."""
    assert Latencies().per_step_s == 0.05
