"""The log shows a step's life even when the solid says nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from solidstate import RetryPolicy, pipeline, solid

if TYPE_CHECKING:
    from tests.handler.conftest import Bench


@solid
def fine() -> bytes:
    return b"12345"


@solid(retry=RetryPolicy(max_attempts=2, delay_s=4))
def flaky() -> None:
    raise OSError("try later")


@solid
def after(value: Any) -> None: ...


@solid
def wrong() -> int:
    return "x"  # type: ignore[return-value]  # the point


@pipeline
def lives() -> None:
    fine()
    after(flaky())
    wrong()


def lines_of(run: Bench) -> list[tuple[str, str]]:
    """Level and message of all lines so far, which are taken away."""
    lines = [(level, message) for level, message, _ in run.lines]
    run.lines.clear()
    return lines


def test_success_tells_time_and_sizes(bench: type[Bench]) -> None:
    """Each line says whose it is."""
    run = bench(lives)
    run.step("fine")
    facts = run.lines[1][2]
    assert (facts["output_bytes"], facts["duration_s"] >= 0) == ({"result": 5}, True)
    assert lines_of(run) == [("info", "step started"), ("info", "step succeeded")]
    assert run.who[0] == {"run": "run-1", "step": "fine", "attempt": 1}


def test_failure_tells_error_place_and_what_follows(bench: type[Bench]) -> None:
    """A warning while another attempt follows, an error with its traceback when none does."""
    run = bench(lives)
    run.fails("flaky")
    facts = run.lines[1][2]
    assert {key: facts[key] for key in ("error", "reason", "delay_s", "code")} == {
        "error": "OSError",
        "reason": "try later",
        "delay_s": 4.0,
        "code": 'raise OSError("try later")',
    }
    assert facts["place"].endswith("test_lifelines.py:20")
    assert lines_of(run) == [("info", "step started"), ("warning", "attempt failed, another follows")]
    run.fails("flaky", retry=1)
    assert run.lines[1][2]["traceback"].startswith("Traceback (most recent call last):")
    assert lines_of(run) == [("info", "step started"), ("error", "step failed")]
    assert run.who[-1] == {"run": "run-1", "step": "flaky", "attempt": 2}


def test_skip_and_refusal_tell_why(bench: type[Bench]) -> None:
    """With the way to fix it, where there is one."""
    run = bench(lives)
    run.step("after")
    assert run.lines[1] == ("info", "step skipped", {"reason": "upstream `flaky` did not succeed"})
    run.fails("wrong")
    assert run.lines[-1][2]["fix"] == "return what the annotation says, or correct the annotation"


def test_adopting_a_result_is_worth_a_warning(bench: type[Bench]) -> None:
    """Two attempts ran; somebody may wonder."""
    run = bench(lives)
    run.step("fine")
    lines_of(run)
    run.step("fine", retry=1)
    assert lines_of(run) == [("warning", "adopted the commit of another attempt")]
