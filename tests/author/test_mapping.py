"""Mapping over dynamic outputs while a pipeline is built: what is recorded, and what is refused, word for word."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from solidstate import (
    DynamicOut,
    DynamicOutput,
    Out,
    Output,
    composite_solid,
    pipeline,
    pipeline_from_dependencies,
    solid,
)
from solidstate.composition import Source
from solidstate.errors import DefinitionError
from solidstate.planner.build import build_plan
from solidstate.planner.plan import OutputRef, decode_plan, encode_plan


@solid(outs={"items": DynamicOut(int), "count": Out(int)})
def make() -> Any:
    yield DynamicOutput(1, "a", "items")
    yield Output(1, "count")


@solid
def plus(number: int) -> int:
    return number + 1


@solid
def add(left: int, right: int) -> int:
    return left + right


@solid
def total(numbers: list[int]) -> int:
    return sum(numbers)


@solid(outs={"high": Out(int), "low": Out(int)})
def split(number: int) -> Any:
    yield Output(number, "high")
    yield Output(number, "low")


@composite_solid
def worked(number: int, other: int) -> Any:
    return add(plus(number), other)


def built(body: Callable[[], Any]) -> Any:
    """A pipeline of this body."""
    return pipeline(name="p")(body)


def planned(body: Callable[[], Any]) -> dict[str, Any]:
    """Each step of the plan: what it is mapped over, and its inputs' kinds."""
    plan = build_plan(built(body))
    assert decode_plan(encode_plan(plan)) == plan
    return {
        step.name: (
            f"{step.map_over.step}.{step.map_over.output}" if step.map_over else None,
            {i.name: i.kind for i in step.inputs},
        )
        for step in plan.steps
    }


def test_a_chain_with_a_broadcast() -> None:
    """Steps on the items are mapped over the dynamic output; other outputs are broadcast; a collect is a list."""

    def body() -> None:
        made = make()
        total(made.items.map(lambda item: add(plus(item), made.count)).collect())

    assert planned(body) == {
        "make": (None, {}),
        "plus": ("make.items", {"number": "item"}),
        "add": ("make.items", {"left": "item", "right": "output"}),
        "total": (None, {"numbers": "collect"}),
    }


def test_maps_follow_each_other_and_meet() -> None:
    """`.map` on what `.map` gave continues it, and two maps over the same items meet item by item."""

    def body() -> None:
        items = make().items
        first = items.map(plus)
        second = first.map(plus.alias("again"))
        met = first.map(lambda a: second.map(lambda b: add(a, b)))
        total(met.collect())
        total.alias("of_items")(items.collect())
        total.alias("of_first")(first.collect())

    found = planned(body)
    assert found["add"] == ("make.items", {"left": "item", "right": "item"})
    assert found["again"] == ("make.items", {"number": "item"})
    assert found["of_items"] == found["of_first"] == (None, {"numbers": "collect"})


def test_several_outputs_come_back_as_they_were_returned() -> None:
    """A tuple, a mapping, or all outputs of a solid, each with `map` and `collect`."""

    def body() -> None:
        items = make().items
        both = items.map(split)
        one, two = items.map(lambda item: (plus(item), plus.alias("other")(item)))
        named = items.map(lambda item: {"x": plus.alias("third")(item)})
        total(both.high.collect())
        total.alias("b")(one.collect())
        total.alias("c")(two.collect())
        total.alias("d")(named["x"].map(plus.alias("fourth")).collect())

    assert planned(body)["fourth"] == ("make.items", {"number": "item"})


def test_composites_can_be_mapped_and_can_map() -> None:
    """A composite called on an item is mapped with all that depends on the item; one can give items, too."""

    @composite_solid
    def source() -> Any:
        made = make()
        return {"items": made.items, "count": made.count}

    def body() -> None:
        given = source()
        total(given.items.map(lambda item: worked(item, given.count)).collect())

    found = planned(body)
    assert found["worked.plus"] == ("source.make.items", {"number": "item"})
    assert found["worked.add"] == ("source.make.items", {"left": "item", "right": "output"})


def test_what_does_not_depend_on_the_item_runs_once() -> None:
    """Only steps that are given an item are mapped."""

    def body() -> None:
        made = make()
        total(made.items.map(lambda item: add(item, plus(made.count))).collect())

    assert planned(body)["plus"] == (None, {"number": "output"})


def test_a_collect_can_be_broadcast_into_the_same_items() -> None:
    """The collected list of a map is one value for each item of the next."""

    def body() -> None:
        items = make().items
        summed = total(items.map(plus).collect())
        total.alias("end")(items.map(lambda item: add(item, summed)).collect())

    assert planned(body)["add"] == ("make.items", {"left": "item", "right": "output"})


def test_the_plan_knows_how_many_items_there_may_be() -> None:
    """`max_items` travels with the plan; plans without dynamic outputs have no trace of it."""
    plan = build_plan(built(lambda: make()))  # noqa: PLW0108 - a definition is no function
    assert plan.step("make").output("items").max_items == 1000
    assert b"dynamic" not in encode_plan(build_plan(built(lambda: plus(plus.alias("first")()))))
    assert plan.step("make").map_over is None
    assert build_plan(built(lambda: make().items.map(plus))).step("plus").map_over == OutputRef("make", "items")


def test_nodes_say_what_they_are_mapped_over() -> None:
    """Tools can ask a definition."""
    assert built(lambda: make().items.map(plus)).node("plus").map_over == Source("make", "items")


@solid(outs={"items": DynamicOut(int)})
def nested(number: int) -> Any:
    yield DynamicOutput(number, "a", "items")


def _leaked() -> None:
    kept: list[Any] = []
    make().items.map(kept.append)
    plus(kept[0])


def _two() -> None:
    first, second = make().items, make.alias("other")().items
    first.map(lambda a: second.map(lambda b: add(a, b)))


def _itself() -> None:
    items = make().items
    items.map(lambda a: items.map(lambda b: add(a, b)))


ERRORS: dict[str, tuple[Callable[[], Any], str]] = {
    "over itself": (
        lambda: built(_itself),
        "Output `items` of `make` is mapped inside of a `.map` over the same items: both would stand for one item.",
    ),
    "plain input": (
        lambda: built(lambda: plus(make().items)),
        "Input `number` of `plus` is given output `items` of `make`, which has any number of items.",
    ),
    "iterated": (
        lambda: built(lambda: [plus(item) for item in make().items]),
        "Iteration of output `items` of `make` is not possible while a pipeline is being built: how many items it has "
        "is known only when the pipeline runs.",
    ),
    "item of items": (
        lambda: built(lambda: make().items.map(nested)),
        "`nested` is mapped over output `items` of `make` and has the dynamic output `items` itself; items of items "
        "have no place in a state machine's keys and maps.",
    ),
    "two outputs": (
        lambda: built(_two),
        "`add` is given items of `make.items`, `other.items`; it can be mapped over one of them only.",
    ),
    "leaked": (
        lambda: built(_leaked),
        "Input `number` of `plus` is given an item of output `items` of `make` outside of the function that is mapped "
        "over it.",
    ),
    "not a function": (
        lambda: built(lambda: make().items.map(3)),
        "`.map` of output `items` of `make` takes a solid or a function, got 3.",
    ),
    "no item returned": (
        lambda: built(lambda: make().items.map(lambda item: plus())),
        "The function mapped over output `items` of `make` returned output `result` of `plus`, which does not depend "
        "on the item.",
    ),
    "map of one value": (
        lambda: built(lambda: make().count.map(plus)),
        "`.map` is for outputs with any number of items, but output `count` of `make` is one value.",
    ),
    "collect in a list": (
        lambda: built(lambda: total([make().items.collect()])),
        "Input `numbers` of `total` is given the collected output `items` of `make` as one element of a list.",
    ),
    "from data": (
        lambda: pipeline_from_dependencies("p", [make, plus], {"plus": {"number": "make.items"}}),
        "Input `number` of `plus` is fed by `make.items`, which has any number of items.",
    ),
    "no items at all": (
        lambda: DynamicOut(int, max_items=0),
        "`DynamicOut.max_items` must be a whole number from 1 to 10000, got 0.",
    ),
    "optional": (
        lambda: DynamicOut(int, optional=True),
        "`DynamicOut.optional` cannot be set: a dynamic output without items is an empty one.",
    ),
}


@pytest.mark.parametrize("case", ERRORS)
def test_what_is_wrong_is_told(case: str) -> None:
    """With a way out."""
    build, problem = ERRORS[case]
    with pytest.raises(DefinitionError) as caught:
        build()
    assert caught.value.problem == problem
    assert caught.value.hint
