"""Composites, optional and dynamic outputs together: both engines do what a plain computation says they should."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings

from solidstate import (
    DynamicOut,
    DynamicOutput,
    RetryPolicy,
    RetryRequested,
    composite_solid,
    execute_pipeline,
    pipeline,
    solid,
)
from solidstate.handler.runtime import LoadedPipeline
from solidstate.infra.home import home_from
from solidstate.infra.local_run import run_local
from solidstate.infra.results import PipelineResult
from solidstate.planner.build import build_plan
from solidstate.planner.compile import build_machines
from solidstate.planner.lint import lint
from solidstate.planner.states import encode_machine
from tests.infra.graphs_by_hand import Op, bodies, build, found


@settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(bodies())
def test_random_graphs_inline(ops: list[Op]) -> None:
    """Every step's status, every item's, and every value."""
    built, expected = build(ops)
    assert found(execute_pipeline(built, raise_on_error=False)) == expected
    assert [lint(encode_machine(one.machine)) for one in build_machines(build_plan(built))] == [[]]


def ran(built: Any, home: Path, engine: Any, run_id: str, document: Any = None) -> PipelineResult:
    """A run on an engine, with everything it left."""
    opened = home_from(str(home))
    summary = run_local(built, document or {}, engine=engine, home=opened, run_id=run_id)
    return PipelineResult(LoadedPipeline(built, build_plan(built)), opened.store, summary)


@pytest.mark.slow
def test_random_graphs_on_moto(tmp_path: Path) -> None:
    """The same through Step Functions, where regions become Map states."""
    seen: list[str] = []

    @settings(
        deadline=None,
        max_examples=8,
        database=None,
        derandomize=True,
        phases=[Phase.generate],  # shrinking takes a run for each step
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    )
    @given(bodies(max_size=9))
    def check(ops: list[Op]) -> None:
        built, expected = build(ops)
        seen.append("run")
        assert found(ran(built, tmp_path, "moto", f"r{len(seen)}")) == expected

    check()
    assert len(seen) >= 8


BODY = [
    Op("start", value=6),
    Op("make", (0, 0)),  # two items, 6 and 7
    Op("map_work", (0, 0), wrapped=True),
    Op("map_some", (1, 0)),
    Op("map_pair", (1, 0)),
    Op("zip", (1, 3)),
    Op("collect", (2, 0)),
    Op("collect", (4, 0)),
    Op("make", (1, 0)),
    Op("map_work", (5, 0)),
    Op("collect", (6, 0)),
]


@pytest.mark.parametrize("engine", ["inline", "moto"])
def test_one_graph_with_everything(tmp_path: Path, engine: str) -> None:
    """Chains, zips, broadcasts, two dynamic outputs, one fed by a collect of the other."""
    built, expected = build(BODY)
    assert found(ran(built, tmp_path, engine, "r1")) == expected
    assert len(expected.items) == 5


@solid(outs={"cities": DynamicOut(str, max_items=5)})
def cities(count: int = 4) -> Any:
    for number in range(count):
        yield DynamicOutput(f"city {number}", key=f"c{number}", name="cities")


@solid
def clean(context: Any, city: str) -> str:
    if city == "city 2":
        raise ValueError("no such city")
    return f"{context.item}: {city} {context.idempotency_key.partition('/')[2]}"


@solid
def report(lines: list[str]) -> str:
    return "; ".join(lines)


@composite_solid
def for_each(city: Any) -> Any:
    return clean(city)


@pipeline
def weather() -> None:
    report(cities().map(for_each).collect())


@pytest.mark.parametrize("engine", ["inline", "moto"])
def test_an_item_that_fails(tmp_path: Path, engine: str) -> None:
    """Its neighbours succeed, what collects is skipped, the run says which item it was."""
    result = ran(weather, tmp_path, engine, "r1", {"solids": {"cities": {"inputs": {"count": 4}}}})
    assert result.summary.status == "failed"
    step = result.result_for_solid("for_each.clean").summary
    assert (step.status, step.items) == ("failed", {"success": 3, "failed": 1})
    assert result.output("for_each.clean")["c1"] == "c1: city 1 for_each.clean/c1"
    assert list(result.output("for_each.clean")) == ["c0", "c1", "c3"]
    assert result.result_for_solid("report").summary.reason == "upstream `for_each.clean[c2]` did not succeed"
    first, second, *_ = result.summary.message.splitlines()
    assert first == "1 step failed: `for_each.clean[c2]`"
    assert second == "  `for_each.clean[c2]`: ValueError: no such city"


@pytest.mark.parametrize("engine", ["inline", "moto"])
def test_no_items_at_all(tmp_path: Path, engine: str) -> None:
    """The mapped steps have nothing to do, and who collects gets an empty list."""
    result = ran(weather, tmp_path, engine, "r1", {"solids": {"cities": {"inputs": {"count": 0}}}})
    assert result.summary.status == "success"
    assert result.output("report") == ""
    assert result.result_for_solid("for_each.clean").summary.items == {}


@pytest.mark.parametrize("engine", ["inline", "moto"])
def test_more_items_than_allowed(tmp_path: Path, engine: str) -> None:
    """The step that yields them is refused with the way out, and nothing runs for any of them."""
    result = ran(weather, tmp_path, engine, "r1", {"solids": {"cities": {"inputs": {"count": 6}}}})
    error = result.result_for_solid("cities").error
    assert error is not None
    assert error.message == "`cities` produced more than 5 items of output `cities`."
    assert error.hint == "declare it `DynamicOut(..., max_items=10)`, or put several into one item"
    skipped = result.result_for_solid("for_each.clean").summary
    assert (skipped.status, skipped.reason) == ("skipped", "upstream `cities` did not succeed")


def test_each_item_has_attempts_of_its_own(tmp_path: Path) -> None:
    """A retry repeats one item; its events carry its key."""
    tries: dict[str, int] = {}

    @solid(retry=RetryPolicy(max_attempts=3, delay_s=1))
    def flaky(context: Any, city: str) -> str:
        tries[context.item] = tries.get(context.item, 0) + 1
        if context.item == "c1" and context.attempt < 2:
            raise RetryRequested("again")
        return city

    @pipeline
    def p() -> None:
        report(cities().map(flaky).collect())

    result = execute_pipeline(p, sleep=lambda seconds: None)
    assert tries == {"c0": 1, "c1": 2, "c2": 1, "c3": 1}
    assert result.result_for_solid("flaky").summary.attempts == 2
    kinds = [type(event).__name__ for event in result.events if event.item == "c1"]
    assert kinds == ["StepStart", "StepInput", "StepRetry", "StepStart", "StepInput", "StepOutput", "StepSuccess"]
    assert {event.item for event in result.events if event.step == "report"} == {""}


@pytest.mark.parametrize("engine", ["inline", "moto"])
def test_mapped_steps_are_reused(tmp_path: Path, engine: str) -> None:
    """A later run takes the items of an earlier one by reference."""
    document = {"solids": {"cities": {"inputs": {"count": 2}}}}
    first = ran(weather, tmp_path, engine, "r1", document)
    again = ran(weather, tmp_path, engine, "r2", {**document, "steps": "report", "from_run": "r1"})
    assert again.output("report") == first.output("report")
    assert {s.step: s.status for s in again.summary.steps} == {
        "cities": "not selected",
        "for_each.clean": "not selected",
        "report": "success",
    }
    middle = ran(weather, tmp_path, engine, "r3", {**document, "steps": "for_each*", "from_run": "r1"})
    assert middle.output("report") == first.output("report")


@pytest.mark.slow
def test_hundreds_of_items(tmp_path: Path) -> None:
    """Inline Map and distributed Map give what the inline engine gives."""
    for limit in (1_000, 2_000):

        @solid(outs={"numbers": DynamicOut(int, max_items=limit)})
        def numbers() -> Any:
            for number in range(300):
                yield DynamicOutput(number, f"n{number}", "numbers")

        @solid
        def square(number: int) -> int:
            return number * number

        @solid
        def summed(squares: list[int]) -> int:
            return sum(squares)

        @pipeline
        def p() -> None:
            summed(numbers().map(square).collect())

        assert ran(p, tmp_path, "moto", f"r{limit}").output("summed") == sum(n * n for n in range(300))
