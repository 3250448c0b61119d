"""Gates, Maps and the steps in them meet with others, on moto."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from solidstate import DynamicOut, DynamicOutput, pipeline, solid
from solidstate.storage import keys
from tests.infra.machines_by_hand import Meetings, chain, meetings, parallel, until
from tests.infra.steps_that_meet import CALLS, a, b, c, d, when_committed, when_parked


@pytest.fixture(scope="module")
def aws() -> Iterator[Meetings]:
    """One local AWS for all tests."""
    with meetings() as opened:
        yield opened


@pytest.fixture(autouse=True)
def _clean() -> None:
    CALLS.clear()


@solid(outs={"items": DynamicOut(str, max_items=8)})
def make() -> Iterator[DynamicOutput[str]]:
    CALLS.note("make")
    for key in ("one", "two", "three"):
        yield DynamicOutput(key, key, "items")


@solid
def left(key: str) -> str:
    CALLS.note(f"left {key}")
    return key


@solid
def right(key: str) -> str:
    CALLS.note(f"right {key}")
    return key


@solid
def other(key: str) -> str:
    CALLS.note(f"other {key}")
    return key


@solid
def both(key: str, y: str) -> str:
    CALLS.note(f"both {key}")
    return key + y


@solid
def gathered(keys: list[str]) -> int:
    CALLS.note("gathered")
    return len(keys)


@pipeline
def mapping() -> None:
    def each(key: Any) -> Any:
        made = left(key)
        other(made)
        return both(made, right(key))

    gathered(make().map(each).collect())


def test_the_steps_of_an_item_meet(aws: Meetings) -> None:
    """Those of one item with each other, whatever the other items do."""
    pieces = aws.load(mapping)
    CALLS.first["right one"] = when_parked(aws, "items", "both", "mapping", "one")
    CALLS.first["left two"] = lambda: until(lambda: aws.store.exists(keys.commit("mapping", "right", "items", "two")))

    def fail() -> None:
        when_parked(aws, "items", "both", "mapping", "three")()
        raise ValueError("no")

    CALLS.first["right three"] = fail
    under = parallel("2 branches after left", pieces.step("other"), pieces.step("both", waits=["right"]))
    inside = parallel("2 branches", chain(pieces.step("left"), under), pieces.step("right", wakes=["both"]))
    names = ["left", "other", "right", "both"]
    body = chain(pieces.step("make"), pieces.region(names, inside), pieces.step("gathered"))
    ran = aws.run(pieces, body, run="items")
    assert {step.step: step.items for step in ran.summary.steps if step.items} == {
        "left": {"success": 3},
        "other": {"success": 3},
        "right": {"success": 2, "failed": 1},
        "both": {"success": 2, "skipped": 1},
    }
    assert ran.statuses()["gathered"] == "skipped"
    assert {key: ran.parked("both", key) for key in ("one", "two", "three")} == {"one": 1, "two": 0, "three": 1}
    assert len(CALLS.made) == len(set(CALLS.made)) == 1 + 3 * 3 + 2


@pipeline
def gated() -> None:
    made, second = a(), b()
    c(made)
    d(made, second)
    d.alias("d2")(made, second)


@pytest.mark.parametrize("parked", [True, False])
def test_a_gate_lets_several_steps_begin_at_once(aws: Meetings, *, parked: bool) -> None:
    """It waits in their place."""
    run = f"gate-{parked}"
    pieces = aws.load(gated)
    if parked:
        CALLS.first["b"] = when_parked(aws, run, "d", "gated")
    else:
        CALLS.first["a"] = when_committed(aws, run, "b", "gated")
    block = chain(pieces.gate("d", ["b"]), parallel("2 after b", pieces.step("d"), pieces.step("d2")))
    under_a = parallel("2 branches after a", pieces.step("c"), block)
    ran = aws.run(
        pieces, parallel("2 branches", chain(pieces.step("a"), under_a), pieces.step("b", wakes=["d"])), run=run
    )
    assert set(ran.statuses().values()) == {"success"}
    assert sorted(CALLS.made) == ["a", "b", "c", "d", "d"]
    assert (ran.parked("d"), ran.failures()) == (int(parked), ["Ready"] * parked)


@solid
def scaled(key: str, factor: int) -> str:
    CALLS.note(f"scaled {key}")
    return key * factor


@solid
def joined(keys: list[str], x: int) -> int:
    CALLS.note("joined")
    return len(keys) + x


@pipeline
def around_a_map() -> None:
    factor, made = b(), make()
    c(factor)
    joined(made.map(lambda key: scaled(key, factor)).collect(), a())


@pytest.mark.parametrize("parked", [True, False])
def test_a_map_meets_with_steps_around_it(aws: Meetings, *, parked: bool) -> None:
    """Its items are listed when all that its steps read is there; its end wakes who collects from it."""
    run = f"map-{parked}"
    pieces = aws.load(around_a_map)
    if parked:
        CALLS.first["b"] = when_parked(aws, run, "scaled", "around_a_map")
        CALLS.first["scaled two"] = when_parked(aws, run, "joined", "around_a_map")
    else:
        CALLS.first["make"] = when_committed(aws, run, "b", "around_a_map")
        CALLS.first["a"] = lambda: until(lambda: aws.store.exists(keys.ended("around_a_map", "scaled", run)))
    region = pieces.region(["scaled"], pieces.step("scaled"), waits=["b"], wakes=["joined"])
    body = parallel(
        "3 branches",
        chain(pieces.step("make"), region),
        chain(pieces.step("b", wakes=["scaled"]), pieces.step("c")),
        chain(pieces.step("a"), pieces.step("joined", waits=["scaled"])),
    )
    ran = aws.run(pieces, body, run=run)
    assert set(ran.statuses().values()) == {"success"}
    assert len(CALLS.made) == len(set(CALLS.made)) == 8
    assert (ran.parked("scaled"), ran.parked("joined")) == (int(parked), int(parked))


def test_part_of_a_map_is_waited_for(aws: Meetings) -> None:
    """A Map goes by the name of its first step, and runs when any of its steps is selected."""
    pieces = aws.load(mapping)
    inside = parallel("2", chain(pieces.step("left"), pieces.step("other")), pieces.step("right"))
    names = ["left", "other", "right", "both"]

    def body() -> Any:
        whole = chain(inside, pieces.step("both"))
        region = pieces.region(names, whole, wakes=["gathered"])
        return parallel("2 branches", chain(pieces.step("make"), region), pieces.step("gathered", waits=["left"]))

    CALLS.first["make"] = when_parked(aws, "m1", "gathered", "mapping")
    assert set(aws.run(pieces, body(), run="m1").statuses().values()) == {"success"}
    CALLS.first["both one"] = when_parked(aws, "m2", "gathered", "mapping")
    ran = aws.run(pieces, body(), {"steps": "both,gathered", "from_run": "m1"}, run="m2")
    assert (ran.statuses()["gathered"], ran.statuses()["left"], ran.parked("gathered")) == (
        "success",
        "not selected",
        1,
    )
