"""Async solids, run by plain code, from inside and outside of a running loop."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator
from typing import Any

import pytest

from solidstate import ExpectationResult, Out, Output, execute_pipeline, execute_solid, pipeline, solid
from solidstate.handler.awaiting import settled

seen: contextvars.ContextVar[str] = contextvars.ContextVar("seen", default="")
closed: list[str] = []


@solid
async def fetch(context: Any, number: int = 20) -> int:
    await asyncio.sleep(0)
    context.log.info("fetched")
    return number + 1


@solid(outs={"result": Out(int), "extra": Out(int, optional=True)})
async def stream(number: int) -> AsyncIterator[Any]:
    seen.set("set before the first yield")
    try:
        yield ExpectationResult(success=True, label="there")
        await asyncio.sleep(0)
        assert seen.get() == "set before the first yield"
        yield Output(number * 2)
    finally:
        closed.append("stream")


@solid
async def broken(number: int) -> int:
    await asyncio.sleep(0)
    raise LookupError(f"no {number}")


@pipeline
def chain() -> None:
    broken(stream(fetch()).result)


def outcome() -> list[tuple[str, str]]:
    result = execute_pipeline(chain, raise_on_error=False)
    assert result.output("stream") == 42
    error = result.result_for_solid("broken").failure
    assert error is not None
    assert (error.type, error.message) == ("LookupError", "no 42")
    assert error.place is not None
    assert error.place.function == "broken"
    return [(step.step, step.status) for step in result.summary.steps]


def test_coroutines_and_async_generators_are_solids() -> None:
    """Types are read from the annotations as for any other function, and errors name the user's line."""
    assert [out.type.name for out in fetch.outputs] == ["int"]
    assert outcome() == [("fetch", "success"), ("stream", "success"), ("broken", "failed")]
    assert closed.pop() == "stream"


def test_they_run_where_a_loop_runs_already() -> None:
    """In a notebook, or called by an async test: they get a loop of their own."""

    async def main() -> list[tuple[str, str]]:
        return outcome()

    assert asyncio.run(main()) == [("fetch", "success"), ("stream", "success"), ("broken", "failed")]


def test_a_generator_is_closed_when_its_output_is_refused() -> None:
    """Its `finally` runs then and there, not whenever the interpreter gets to it."""
    closed.clear()
    result = execute_solid(stream, inputs={"number": "x" * 2}, raise_on_error=False)
    assert (result.success, closed) == (False, [])  # refused before it began
    wrong: Any = solid(name="wrong", outs={"result": Out(str), "extra": Out(int, optional=True)})(stream.fn)
    refused = execute_solid(wrong, inputs={"number": 1}, raise_on_error=False)
    assert refused.failure is not None
    assert refused.failure.message == (
        "Output `result` of `wrong` does not pass the check of type `str`: expected `str`, got 2 of type `int`."
    )
    assert closed == ["stream"]


def test_a_generator_that_fails_while_it_is_closed_is_not_news(caplog: pytest.LogCaptureFixture) -> None:
    """What went wrong first is what is told, once; nothing goes to asyncio's log."""

    @solid(outs={"result": Out(str)})
    async def stubborn() -> AsyncIterator[Any]:
        try:
            yield Output(1)
        finally:
            raise RuntimeError("cannot stop")

    failure = execute_solid(stubborn, raise_on_error=False).failure
    assert failure is not None
    assert failure.type == "Refused"
    assert caplog.records == []


def test_called_directly_it_is_the_function() -> None:
    """A test of a solid awaits it."""
    assert asyncio.run(broken_message()) == "no 7"


async def broken_message() -> str:
    with pytest.raises(LookupError) as caught:
        await broken(number=7)
    return str(caught.value)


def test_anything_else_is_left_alone() -> None:
    """A plain result, even a generator, is not touched."""
    values = iter([1])
    assert settled(values) is values
