"""What a solid sees as its context."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from solidstate import ExpectationResult, Materialization, RetryRequested, pipeline, solid
from solidstate.events import LogMessage, StepExpectation, StepMaterialization

if TYPE_CHECKING:
    from tests.handler.conftest import Bench

SEEN: dict[str, Any] = {}


@solid(tags={"team": "ops"})
def look(context: Any) -> None:
    SEEN.setdefault("keys", []).append(context.idempotency_key)
    SEEN.setdefault("attempts", []).append(context.attempt)
    SEEN.update(
        run=context.run_id,
        step=context.step_key,
        pipeline=context.pipeline,
        tags=context.tags,
        left=context.remaining_time_s,
    )
    if context.attempt == 1:
        raise RetryRequested("again")


@pipeline
def looking() -> None:
    look.alias("first")()


def test_context_names_run_step_and_attempt(bench: type[Bench]) -> None:
    """The idempotency key is the same for every attempt, so that outside systems recognise a repetition."""
    SEEN.clear()
    run = bench(looking)
    run.fails("first")
    run.step("first", retry=1, timeout_s=20)
    assert SEEN["keys"] == ["run-1/first", "run-1/first"]
    assert SEEN["attempts"] == [1, 2]
    assert (SEEN["run"], SEEN["step"], SEEN["pipeline"], SEEN["tags"]) == ("run-1", "first", "looking", {"team": "ops"})
    assert 19 < SEEN["left"] <= 20


class Mute:
    """No text at all."""

    def __str__(self) -> str:
        raise RuntimeError("no text")

    __repr__ = __str__


@solid
def talk(context: Any) -> None:
    for say in (context.log.debug, context.log.info, context.log.warning, context.log.error, context.log.critical):
        say("hello", rows=3, path=Path("a/b"))
    context.log.info("\udcff\x1b[2J\n", message="a field", self="another", odd=Mute())
    context.log.info(Mute())


@pipeline
def talking() -> None:
    talk()


def test_log_calls_are_events_and_lines(bench: type[Bench]) -> None:
    """Fields may have any name and any value; control characters stay data."""
    run = bench(talking)
    run.step("talk")
    events = [event for event in run.events("talk") if isinstance(event, LogMessage)]
    said = [(event.level, event.message, event.fields) for event in events]
    assert [level for level, *_ in said[:5]] == ["debug", "info", "warning", "error", "critical"]
    assert said[0][1:] == ("hello", {"rows": 3, "path": "a/b"})
    message, fields = said[5][1:]
    assert message == "\\udcff\x1b[2J\n"
    assert fields == {"message": "a field", "self": "another", "odd": "<Mute whose repr() fails>"}
    assert said[6][1] == "<Mute whose repr() fails>"
    assert [line for line in run.lines if line[1] not in ("step started", "step succeeded")] == said


@solid
def emit(context: Any) -> int:
    context.emit(Materialization("report", path=Path("out/report.html")))  # type: ignore[arg-type]  # as people do
    context.emit(ExpectationResult(success=True, label=None))  # type: ignore[arg-type]  # as people do
    return 1


@solid
def emit_other(context: Any) -> None:
    context.emit("rows: 3")


@pipeline
def emitting() -> None:
    emit()
    emit_other()


def test_emit_records_what_was_given_in_readable_form(bench: type[Bench]) -> None:
    """A path is a natural thing to give, and must not make the events of the run unreadable."""
    run = bench(emitting)
    digest = run.step("emit")
    made, tested = run.events("emit")[1:3]
    assert isinstance(made, StepMaterialization)
    assert isinstance(tested, StepExpectation)
    assert (made.path, tested.success, tested.label) == ("out/report.html", True, "")
    assert digest.materializations == ["report out/report.html"]
    assert digest.expectations == {"expectation": "passed"}


def test_emit_refuses_anything_else(bench: type[Bench]) -> None:
    """By name, with what to do instead, and the line that did it."""
    failed = bench(emitting).fails("emit_other")
    assert failed.error.message == "`context.emit` takes a Materialization or an ExpectationResult, got `str`."
    assert failed.error.hint == "log other facts with `context.log.info(message, key=value)`"
    assert failed.error.place is not None
    assert failed.error.place.code == 'context.emit("rows: 3")'


@solid
def write_file(context: Any) -> str:
    assert context.fs is context.fs
    context.fs.pipe_file("bucket/a.txt", b"hello")
    return str(context.fs.cat_file("bucket/a.txt").decode())


@pipeline
def writing() -> None:
    write_file()


def test_fs_is_opened_once_a_step(bench: type[Bench]) -> None:
    """It is made when it is first asked for."""
    opened: list[int] = []
    run = bench(writing)
    make = run.runtime.open_fs

    def counted() -> Any:
        opened.append(1)
        return make()

    run.runtime.open_fs = counted
    assert run.step("write_file").status == "success"
    assert opened == [1]
