"""The events and log messages of 2019, and what replaced those that are gone."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from solidstate import (
    ExpectationResult,
    Failure,
    Materialization,
    Out,
    Output,
    execute_pipeline_iterator,
    expect_input,
    expect_output,
    solid,
)
from solidstate.events import AnyEvent, decode_events, encode_events, kind_of
from tests.parity.running import built, run, statuses


@solid
def one() -> int:
    return 1


@solid
def show(number: int) -> int:
    return number


@solid
def boom(number: int) -> int:
    raise Failure("no", {"why": "because"})


def kinds(events: list[AnyEvent]) -> list[str]:
    return [kind_of(event) for event in events]


def of(kind: str, body: Any, **options: Any) -> list[Any]:
    """The events of one kind that a run leaves."""
    found: list[Any] = run(body, **options).events_of_kind(kind)
    return found


def emitting(*events: Any) -> Any:
    """A solid that yields these and then its output."""

    def body() -> Any:
        yield from events
        yield Output(1)

    return solid(name="emit")(body)


def test_the_events_of_a_run_that_succeeds() -> None:
    """PIPELINE_START, and for each step STEP_START, STEP_INPUT, STEP_OUTPUT, STEP_SUCCESS, at last PIPELINE_SUCCESS."""
    assert kinds(run(lambda: show(one())).events) == [
        "run_start",
        *("step_start", "step_output", "step_success"),
        *("step_start", "step_input", "step_output", "step_success"),
        "run_success",
    ]


def test_the_events_of_a_run_that_fails() -> None:
    """STEP_FAILURE, STEP_SKIPPED for what is downstream, at last PIPELINE_FAILURE."""
    assert kinds(run(lambda: show(boom(one()))).events)[4:] == [
        *("step_start", "step_input", "step_failure"),
        *("step_start", "step_skipped"),
        "run_failure",
    ]


def test_other_branches_go_on_after_a_failure() -> None:
    """Only what needs the failed step is skipped; 2019's in-process engine did the same."""

    def body() -> None:
        number = one()
        boom(number)
        show(number)

    assert statuses(run(body)) == {"one": "success", "boom": "failed", "show": "success"}


def test_every_event_says_who_speaks() -> None:
    """Run, pipeline and step."""
    result = run(one)
    assert {(event.run, event.pipeline) for event in result.events} == {(result.run_id, "p")}
    assert [event.step for event in result.events] == ["", "one", "one", "one", ""]


def test_an_input_event() -> None:
    """STEP_INPUT: name, type and where the value came from."""
    (event,) = of("step_input", lambda: show(one()))
    assert (event.name, event.type, event.sources) == ("number", "int", ["one.result"])


def test_an_output_event() -> None:
    """STEP_OUTPUT: name, type, how and in how many bytes it is stored."""
    (event,) = of("step_output", one)
    assert (event.name, event.type, event.codec, event.size) == ("result", "int", "msgpack", 1)


def test_an_output_carries_metadata() -> None:
    """What `Output(metadata=...)` says is in its event."""
    made: Any = solid(name="make")(lambda: Output(1, metadata={"rows": 3}))
    assert of("step_output", made)[0].metadata == {"rows": 3}


def test_a_success_event_tells_the_time() -> None:
    """STEP_SUCCESS: how long the step took."""
    assert of("step_success", one)[0].duration_s >= 0


def test_a_failure_event_tells_the_error() -> None:
    """STEP_FAILURE: the exception with its traceback, and what the author said about it."""
    (event,) = of("step_failure", lambda: boom(one()))
    assert (event.error.type, event.error.message, event.error.metadata) == ("Failure", "no", {"why": "because"})
    assert "in boom" in event.error.traceback


def test_a_skip_tells_why() -> None:
    """STEP_SKIPPED: which step it waited for in vain."""
    (event,) = of("step_skipped", lambda: show(boom(one())))
    assert (event.step, event.reason, event.because) == ("show", "upstream `boom` did not succeed", ["boom"])


def test_a_materialization_is_an_event() -> None:
    """STEP_MATERIALIZATION: label, path, description and metadata."""
    (event,) = of("step_materialization", emitting(Materialization("table", "s3://b/t", "all rows", {"rows": 3})))
    assert (event.label, event.path, event.description, event.metadata) == (
        "table",
        "s3://b/t",
        "all rows",
        {"rows": 3},
    )


@pytest.mark.parametrize(
    "entry",
    [{"text": "free"}, {"url": "https://example.org"}, {"path": "/tmp/a"}, {"json": {"a": [1, None, {"b": 2.5}]}}],  # noqa: S108 - not opened
    ids=["text", "url", "path", "json"],
)
def test_metadata_entries(entry: dict[str, Any]) -> None:
    """`EventMetadataEntry.text`, `.url`, `.path` and `.json` are values of one plain mapping here."""
    assert of("step_materialization", emitting(Materialization("table", metadata=entry)))[0].metadata == entry


@pytest.mark.parametrize("success", [True, False])
def test_an_expectation_is_an_event(success: bool) -> None:
    """STEP_EXPECTATION_RESULT: success, label, description and metadata."""
    (event,) = of("step_expectation_result", emitting(ExpectationResult(success, "rows", "any", {"rows": 0})))
    assert (event.success, event.label, event.description, event.metadata) == (success, "rows", "any", {"rows": 0})


def test_a_failed_expectation_fails_nothing() -> None:
    """It is a fact; the author raises `Failure` (or says `severity="fail"`) when it matters."""
    result = run(lambda: show(emitting(ExpectationResult(success=False, label="rows"))()))
    assert (result.success, result.result_for_solid("emit").summary.expectations_failed) == (True, 1)


def test_an_expectation_may_fail_the_step() -> None:
    """By its severity, without a `Failure` of the author's."""
    result = run(lambda: show(emitting(ExpectationResult(success=False, label="rows", severity="fail"))()))
    assert statuses(result) == {"emit": "failed", "show": "skipped"}


@pytest.mark.parametrize("side", ["input", "output"])
def test_expectations_of_inputs_and_outputs(side: str) -> None:
    """`IOExpectationDefinition`: a check attached to an input or output, an event of the step rather than a step."""
    attach = expect_input if side == "input" else expect_output
    checked = attach(show, "number" if side == "input" else "result", lambda number: number > 1, label="large")
    result = run(lambda: checked(one()))
    (event,) = result.events_of_kind("step_expectation_result")
    assert (event.step, result.success, list(statuses(result))) == ("show", True, ["one", "show"])
    assert not event.success  # type: ignore[union-attr]  # told by kind


def test_an_io_expectation_may_fail_the_step() -> None:
    """`DagsterIOExpectationFailedError`."""
    checked = expect_output(show, "result", lambda number: number > 1, label="large", severity="fail")
    result = run(lambda: show.alias("last")(checked(one())))
    assert statuses(result) == {"one": "success", "show": "failed", "last": "skipped"}


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error", "critical"])
def test_log_levels(level: str) -> None:
    """`context.log` has the five levels; each message is an event of the step."""

    @solid
    def talk(context: Any) -> None:
        levels = {
            "debug": context.log.debug,
            "info": context.log.info,
            "warning": context.log.warning,
            "error": context.log.error,
            "critical": context.log.critical,
        }
        levels[level]("said")

    assert [(event.step, event.level, event.message) for event in of("log", talk)] == [("talk", level, "said")]


def test_log_messages_have_fields() -> None:
    """Structured facts beside the text."""

    @solid
    def talk(context: Any) -> None:
        context.log.info("read", rows=3, source={"bucket": "b"})

    assert of("log", talk)[0].fields == {"rows": 3, "source": {"bucket": "b"}}


def test_logs_and_events_are_one_stream() -> None:
    """In the order in which they happened."""

    def body(context: Any) -> Any:
        context.log.info("before")
        yield Materialization("table")
        context.log.info("after")
        yield Output(1)

    result = run(solid(name="talk")(body))
    assert kinds(result.events)[1:-1] == [
        *("step_start", "log", "step_materialization", "log", "step_output", "step_success")
    ]


def test_events_can_be_taken_while_a_run_goes_on() -> None:
    """`event_callback` and `execute_pipeline_iterator` are one iterator here."""
    seen = [kind_of(event) for event in execute_pipeline_iterator(built(lambda: show(one())))]
    assert seen == kinds(run(lambda: show(one())).events)


def test_events_can_be_stored() -> None:
    """One JSON object a line, and back."""
    events = run(lambda: show(one())).events
    assert decode_events(encode_events(events)) == events


def test_events_are_counted_by_kind() -> None:
    """`events_of_kind`, of the run and of a solid, by class or by name."""
    result = run(lambda: show(one()))
    assert Counter(kinds(result.events))["step_output"] == len(result.events_of_kind("step_output")) == 2
    assert len(result.result_for_solid("show").events_of_kind("step_output")) == 1


def test_nothing_is_emitted_for_what_stays_out() -> None:
    """An optional output that is not yielded has no event."""

    def body() -> Any:
        yield Output(1, "there")

    made: Any = solid(name="make", outs={"there": Out(int), "gone": Out(int, optional=True)})(body)
    assert [event.name for event in of("step_output", made)] == ["there"]
