"""Async solids, hooks, expectations and asked pauses leave the same behind on moto as inline."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

from solidstate import (
    ExpectationResult,
    Mode,
    Nothing,
    Out,
    Output,
    RetryPolicy,
    RetryRequested,
    expect_input,
    failure_hook,
    pipeline,
    resource,
    solid,
    success_hook,
)
from solidstate.errors import StorageUnavailable
from solidstate.events import AnyEvent, kind_of
from solidstate.infra.home import Home
from solidstate.infra.local_run import Engine, run_local
from solidstate.storage.history import events_of


@resource
def board(context: Any) -> Any:
    return lambda text: context.fs.pipe(f"{context.run_tags['board']}/{context.step_key}", text.encode())


@success_hook(resources={"board"})
async def note(context: Any) -> None:
    context.log.info("noted", outputs=context.outputs, key=context.idempotency_key)


@failure_hook
def stumble(context: Any) -> None:
    raise RuntimeError(f"while telling of {context.error.type}")


@solid(outs={"rows": Out(list[int]), "odd": Out(list[int], optional=True)})
async def read() -> AsyncIterator[Any]:
    yield ExpectationResult(success=False, label="all_even", severity="skip", output="rows", metadata={"odd": 1})
    yield ExpectationResult(success=False, label="many", description="only three", severity="warn")
    yield Output([2, 3, 4], "rows")
    yield Output([3], "odd")


@solid
def use(rows: list[int]) -> int:
    return len(rows)


@solid
def look(context: Any, odd: list[int]) -> int:
    if context.attempt == 1:
        raise RetryRequested("look again", delay_s=1.2)
    return odd[0]


@solid(hooks=[stumble], outs={"done": Out(Nothing)})
async def give_up(number: int) -> None:
    raise LookupError("nothing there")


@solid
def count(odd: list[int]) -> int:
    return len(odd)


guarded = expect_input(count, "odd", lambda odd: len(odd) > 1, label="several", severity="skip").alias("guarded")


@pipeline(modes=[Mode("default", {"board": board})], hooks=[note])
def everything() -> None:
    both = read()
    use(both.rows)
    give_up(look(both.odd))
    guarded(both.odd)


@success_hook
def cheer(_: Any) -> None:
    raise AssertionError("nothing succeeds here")


ALARMS: list[int] = []


@failure_hook
def alarm(context: Any) -> None:
    ALARMS.append(context.attempt)


@solid(retry=RetryPolicy(max_attempts=2), hooks=[alarm, cheer])
def stubborn(context: Any) -> None:
    if context.attempt <= 2:
        raise StorageUnavailable("The store does not answer.")
    raise OSError(f"no {context.attempt}")


@pipeline
def outage() -> None:
    stubborn()


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["inline", "moto"])
def test_an_outage_uses_up_none_of_the_solids_attempts(tmp_path: Any, engine: Engine) -> None:
    """The store has two lapses, then the solid fails twice, as its policy allows: only then is it told as failed."""
    ALARMS.clear()
    home = Home(tmp_path)
    summary = run_local(outage, {}, engine=engine, home=home, run_id="one")
    events = [told(event) for event in events_of(home.store, summary) if event.step]
    ends = [(attempt, kind, error) for _, attempt, kind, _, error in events if error]
    assert ends == [(3, "step_up_for_retry", ("OSError", "no 3")), (4, "step_failure", ("OSError", "no 4"))]
    assert ALARMS == [4]
    assert (summary.steps[0].status, summary.steps[0].attempts) == ("failed", 4)


def told(event: AnyEvent) -> tuple[Any, ...]:
    names = ("name", "label", "severity", "success", "reason", "message", "fields", "delay_s", "on")
    facts = tuple((name, getattr(event, name)) for name in names if hasattr(event, name))
    error = getattr(event, "error", None)
    return (event.step, event.attempt, kind_of(event), facts, error and (error.type, error.message))


def ran(tmp_path: Any, engine: Engine) -> tuple[list[Any], list[Any]]:
    home = Home(tmp_path / engine)
    summary = run_local(everything, {"tags": {"board": "b"}}, engine=engine, home=home, run_id="one")
    steps = [(s.step, s.status, s.attempts, s.warnings, s.reason, s.error and s.error.message) for s in summary.steps]
    return steps, [told(event) for event in events_of(home.store, summary) if event.step]


@pytest.mark.slow
def test_moto_and_inline_agree(tmp_path: Any) -> None:
    """Statuses, warnings, reasons, and every event of every step in its order."""
    steps, events = ran(tmp_path, "inline")
    unmet = "expectation `all_even` was not met"
    assert steps == [
        (
            "read",
            "success",
            1,
            ["many: only three"],
            "withheld output `rows`: expectation `all_even` was not met",
            None,
        ),
        ("use", "skipped", 1, [], f"output `read.rows` was withheld: {unmet}", None),
        ("look", "success", 2, [], "", None),
        (
            "give_up",
            "failed",
            1,
            ["hook `stumble`: RuntimeError: while telling of LookupError (while calling hook `stumble`)"],
            "",
            "nothing there",
        ),
        ("guarded", "skipped", 1, [], "expectation `several` was not met", None),
    ]
    assert ran(tmp_path, "moto") == (steps, events)
