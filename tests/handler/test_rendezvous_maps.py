"""Gates, Maps and the steps in them as parties to a rendezvous."""

from __future__ import annotations

from typing import Any

import pytest

from solidstate import DynamicOut, DynamicOutput, pipeline, solid
from solidstate.handler.outcome import Refused
from tests.handler.rendezvous_bench import WOKEN, Run, add, one, same


@pipeline
def meet() -> None:
    add(one.alias("a")(), one.alias("b")())


def test_a_gate_waits_for_several_steps() -> None:
    """Its token is answered with nothing; parked, it goes by the name of the first of them."""
    run = Run(meet)
    run.step("a")
    gate: Any = {"waits": ["a", "b"], "token": "t"}
    assert run.call("gate", "add", **gate) == {"step": "add", "status": "parked", "reason": "waits for `a`, `b`"}
    assert run.parked("add") == {"token": "t", "missing": ["a", "b"]}
    run.step("b", wakes=["add"])
    assert run.tokens.answered == {"t": WOKEN}
    run.store.counts()
    assert run.call("gate", "add", waits=["a", "b"], token="t1") == {}
    assert run.store.counts() == {"look commits": 2}
    assert run.tokens.answered["t1"] == {}


@solid(outs={"items": DynamicOut(int, max_items=8)})
def make() -> Any:
    for key in ("k1", "k2"):
        yield DynamicOutput(1, key, "items")


@solid
def total(xs: list[int]) -> int:
    return sum(xs)


@pipeline
def mapped() -> None:
    x = one.alias("b")()

    def each(item: Any) -> Any:
        return add(same(item), add.alias("add2")(item, x))

    total(make().map(each).collect())


def keys_of(answer: Any) -> list[str]:
    """The keys of the items in an answer."""
    return [item["key"] for item in answer["items"]]


READER: Any = {"output": "items", "steps": ["same", "add2", "add"]}


def test_the_reader_of_items_waits_for_what_the_mapped_steps_read() -> None:
    """It parks by the name of the first of them, and answers its token with the items."""
    run = Run(mapped)
    run.step("make")
    parked = run.call("items", "make", **READER, waits=["make", "b"], token="t")
    assert parked == {"step": "same", "status": "parked", "reason": "waits for `make`, `b`"}
    run.step("b", wakes=["same"])
    assert run.tokens.answered == {"t": WOKEN}
    assert keys_of(run.call("items", "make", **READER, woken=True)) == ["k1", "k2"]
    run.store.counts()
    run.call("items", "make", **READER, waits=["make", "b"], token="t1")
    assert run.store.counts() == {"look commits": 2, "get commits": 1}
    assert keys_of(run.tokens.answered["t1"]) == ["k1", "k2"]


def test_a_reader_woken_too_early_says_so() -> None:
    """As a step does."""
    run = Run(mapped)
    run.call("items", "make", **READER, waits=["b"], token="t")
    with pytest.raises(Refused, match=r"^`same` was woken before `b` had ended"):
        run.call("items", "make", **READER, woken=True)


def test_a_reader_of_which_no_step_is_selected_waits_like_any() -> None:
    """There are no items to run, but what comes after the Map comes after what is before it."""
    run = Run(mapped, steps=["make", "b"])
    assert run.call("items", "make", **READER, waits=["make", "b"], token="t")["status"] == "parked"
    run.step("make")
    run.step("b", wakes=["same"])
    assert run.tokens.answered == {"t": WOKEN}
    assert run.call("items", "make", **READER, woken=True) == {"items": []}


def test_the_steps_of_one_item_meet_by_themselves() -> None:
    """All keys carry the item."""
    run = Run(mapped)
    run.step("make")
    run.step("b")
    for key in ("k1", "k2"):
        assert run.step("add", item=key, waits=["add2"], token=key)["status"] == "parked"
    assert run.parked("add", item="k1") == {"token": "k1", "missing": ["add2"]}
    run.step("same", item="k2")
    run.step("add2", item="k2", wakes=["add"])
    assert run.tokens.answered == {"k2": WOKEN}
    run.call("ended", "add2", item="k1", wakes=["add"])
    assert run.tokens.answered["k1"] == WOKEN
    assert (run.ended("add2", "k1"), run.ended("add2")) == (True, False)
    assert {who.get("item") for who, message, _ in run.lines if message.startswith("parked")} == {"k1", "k2"}


def test_a_whole_map_is_waited_for_by_its_first_step() -> None:
    """Nothing of its items is read before it has ended."""
    run = Run(mapped)
    run.step("make")
    run.store.counts()
    assert run.step("total", waits=["same"], token="t")["reason"] == "waits for `same`"
    assert run.store.counts() == {"look commits": 2, "look ended": 2, "put parked": 1}
    run.call("ended", "same", wakes=["total"])
    assert run.tokens.answered == {"t": WOKEN}
    assert run.step("total", waits=["same"])["reason"] == "upstream `add[k1]`, `add[k2]` did not succeed"
