"""Execution plans, subsets and re-execution as 2019 had them, and the retries it had not."""

from __future__ import annotations

from typing import Any

import msgspec

from solidstate import In, Nothing, Out, Output, composite_solid, solid
from solidstate.planner.build import build_plan
from solidstate.planner.graph import dag_of_plan
from solidstate.planner.plan import ExecutionPlan, decode_plan, encode_plan, plan_hash
from tests.parity.running import built, run

calls: list[str] = []


class Factor(msgspec.Struct):
    factor: int = 1


@solid(tags={"team": "a"})
def one() -> int:
    """The first."""
    calls.append("one")
    return 1


@solid
def scale(config: Factor, number: int) -> int:
    calls.append("scale")
    return number * config.factor


@solid
def show(number: int) -> int:
    calls.append("show")
    return number


@solid
def add(left: int, right: int = 5) -> int:
    return left + right


@solid
def total(numbers: list[int]) -> int:
    return sum(numbers)


@solid(ins={"after": In(Nothing)})
def end() -> None: ...


def chain() -> None:
    show(scale(one()))


def plan_of(body: Any) -> ExecutionPlan:
    return build_plan(built(body))


def test_a_plan_is_in_topological_order() -> None:
    """Whatever the order of the calls."""

    def body() -> None:
        first = one()
        show.alias("z")(first)
        add(show.alias("a")(first))

    assert [step.name for step in plan_of(body).steps] == ["one", "z", "a", "add"]


def test_levels() -> None:
    """Steps of one level do not need each other."""

    def body() -> None:
        total([show.alias("a")(one()), show.alias("b")(one.alias("other")())])

    dag = dag_of_plan(plan_of(body))
    assert dict(zip(dag.names, dag.levels(), strict=True)) == {"one": 0, "other": 0, "a": 1, "b": 1, "total": 2}


def test_one_step_for_each_solid() -> None:
    """Named like its handle; 2019 added `.compute` and steps for joins and expectations, which 0.5.6 gave up too."""
    assert [(step.name, step.solid) for step in plan_of(lambda: total([one(), one.alias("two")()])).steps] == [
        ("one", "one"),
        ("two", "one"),
        ("total", "total"),
    ]


def test_a_step_knows_its_inputs_and_outputs() -> None:
    """Names, types, sources, whether optional."""

    @solid(outs={"some": Out(int, optional=True)})
    def maybe(number: int) -> Any:
        yield Output(number, "some")

    step = plan_of(lambda: maybe(one())).step("maybe")
    assert [(i.name, i.type, [(s.step, s.output) for s in i.sources]) for i in step.inputs] == [
        ("number", "int", [("one", "result")])
    ]
    assert [(o.name, o.type, o.optional) for o in step.outputs] == [("some", "int", True)]


def test_kinds_of_inputs() -> None:
    """SINGLE_OUTPUT, MULTIPLE_OUTPUTS and CONFIG of 0.5.6."""

    def body() -> None:
        add(total([one(), one.alias("two")()]))

    plan = plan_of(body)
    assert [inp.kind for step in plan.steps for inp in step.inputs] == ["fan_in", "output", "config"]


def test_an_ordering_input_in_a_plan() -> None:
    """It has a source and no value."""
    (inp,) = plan_of(lambda: end(one())).step("end").inputs
    assert (inp.nothing, inp.sources[0].step) == (True, "one")


def test_a_plan_carries_tags_and_descriptions() -> None:
    """What the solid says of itself."""
    step = plan_of(one).step("one")
    assert (step.tags, step.description) == ({"team": "a"}, "The first.")


def test_steps_of_composites() -> None:
    """A plan is flat."""

    @composite_solid
    def outer() -> Any:
        return show(one())

    assert [step.name for step in plan_of(outer).steps] == ["outer.one", "outer.show"]


def test_a_plan_is_data() -> None:
    """JSON and back; config and mode do not change it, as they did in 2019."""
    plan = plan_of(chain)
    assert decode_plan(encode_plan(plan)) == plan
    assert plan_hash(plan) == plan_hash(plan_of(chain))


def test_steps_run_in_the_order_of_the_plan() -> None:
    """The in-process engine takes one after the other."""
    calls.clear()
    run(chain)
    assert calls == ["one", "scale", "show"]
