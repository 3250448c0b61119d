"""What an expectation that is not met does to its step and to those downstream."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from solidstate import (
    ExpectationResult,
    Out,
    Output,
    SolidDefinition,
    execute_pipeline,
    execute_solid,
    expect_input,
    expect_output,
    pipeline,
    solid,
)


@solid(outs={"good": Out(int), "other": Out(int)})
def parts(severity: str = "record", output: str = "") -> Iterator[Any]:
    verdict: Any = severity
    yield Output(1, "good")
    yield ExpectationResult(False, "few", "only one row", {"rows": 1}, severity=verdict, output=output)
    yield Output(2, "other")


@solid
def left(number: int) -> int:
    return number


@solid
def right(number: int) -> int:
    return number


@pipeline
def fork() -> None:
    both = parts()
    left(both.good)
    right(both.other)


def run(severity: str, output: str = "") -> Any:
    inputs = {"severity": severity, "output": output}
    return execute_pipeline(fork, {"solids": {"parts": {"inputs": inputs}}}, raise_on_error=False)


def statuses(result: Any) -> dict[str, str]:
    return {step.step: step.status for step in result.summary.steps}


FINE = {"parts": "success", "left": "success", "right": "success"}


def test_record_records() -> None:
    """As in 2019: an event, a count, and nothing else."""
    result = run("record")
    assert statuses(result) == FINE
    step = result.result_for_solid("parts").summary
    assert (step.expectations, step.expectations_failed, step.warnings) == (1, 1, [])


def test_warn_is_seen() -> None:
    """In the run's summary."""
    result = run("warn")
    assert statuses(result) == FINE
    assert result.result_for_solid("parts").warnings == ["few: only one row"]


def test_skip_withholds_outputs() -> None:
    """All of them, or the one it names. They are stored all the same: somebody will want to look at them."""
    result = run("skip")
    assert statuses(result) == {"parts": "success", "left": "skipped", "right": "skipped"}
    assert result.output("parts", "other") == 2
    assert result.result_for_solid("parts").summary.reason == "withheld its outputs: expectation `few` was not met"
    assert result.result_for_solid("left").summary.reason == (
        "output `parts.good` was withheld: expectation `few` was not met"
    )
    assert statuses(run("skip", "other")) == {**FINE, "right": "skipped"}


def test_fail_fails_the_step_for_good() -> None:
    """The error has the label and the facts."""
    result = run("fail")
    assert statuses(result) == {"parts": "failed", "left": "skipped", "right": "skipped"}
    error = result.result_for_solid("parts").failure
    assert (error.type, error.message, error.metadata) == (
        "ExpectationFailed",
        "Expectation `few` was not met: only one row.",
        {"rows": 1},
    )
    assert error.hint == "correct the data, or give the expectation a milder `severity`"


@pytest.mark.parametrize(
    ("severity", "output", "message"),
    [
        ("loud", "", "Expectation `few` has the severity 'loud'; expected one of `record`, `warn`, `skip`, `fail`."),
        ("skip", "othr", "Expectation `few` of `parts` is about an output `othr`; it declares `good`, `other`."),
    ],
)
def test_nonsense_is_refused(severity: str, output: str, message: str) -> None:
    """An unknown word, an unknown output."""
    error = run(severity, output).result_for_solid("parts").failure
    assert (error.type, error.message) == ("Refused", message)


def test_a_failed_expectation_cannot_be_swallowed() -> None:
    """Solids catch exceptions; the step fails nevertheless."""

    @solid
    def careless(context: Any) -> int:
        try:
            context.emit(ExpectationResult(success=False, label="sane", severity="fail"))
        except Exception:  # as careless code does
            return 1
        return 2

    @pipeline
    def one() -> None:
        careless()

    result = execute_pipeline(one, raise_on_error=False)
    assert result.failures["careless"].message == "Expectation `sane` was not met."  # type: ignore[union-attr]  # it has one


def attached(of_input: bool, severity: Any, check: Any) -> Any:
    @solid
    def number() -> int:
        return 4

    middle: SolidDefinition[..., Any] = (
        expect_input(left, "number", check, label="even", severity=severity)
        if of_input
        else expect_output(left, "result", check, label="even", severity=severity)
    )

    @pipeline
    def line() -> None:
        right(middle(number()))

    return execute_pipeline(line, raise_on_error=False)


@pytest.mark.parametrize("of_input", [True, False], ids=["input", "output"])
def test_attached_expectations_judge_values(of_input: bool) -> None:
    """Met ones are recorded with the facts of the check; unmet ones act by severity."""
    facts = attached(of_input, "record", lambda n: ExpectationResult(n % 2 == 0, "own", "told", {"n": n}))
    assert statuses(facts) == {"number": "success", "left": "success", "right": "success"}
    events = facts.result_for_solid("left").expectations
    assert [(e.label, e.success, e.description, e.metadata) for e in events] == [("even", True, "told", {"n": 4})]
    skipping = attached(of_input, "skip", lambda n: n > 4)
    left_status = "skipped" if of_input else "success"
    assert statuses(skipping) == {"number": "success", "left": left_status, "right": "skipped"}
    failing = attached(of_input, "fail", lambda n: n > 4)
    assert statuses(failing) == {"number": "success", "left": "failed", "right": "skipped"}


def test_a_skipped_step_says_why() -> None:
    """An input that is not as expected."""
    result = attached(True, "skip", lambda n: n > 4)
    assert result.result_for_solid("left").summary.reason == "expectation `even` was not met"


def test_a_check_that_breaks_is_told_apart() -> None:
    """What it raised, while doing what; what it answered instead of a verdict."""
    error = attached(True, "record", lambda n: n / 0).result_for_solid("left").failure
    assert (error.type, error.message) == (
        "ZeroDivisionError",
        "division by zero (while checking expectation `even`)",
    )
    error = attached(False, "record", lambda n: n).result_for_solid("left").failure
    assert (error.type, error.message) == (
        "Refused",
        "The check of expectation `even` must return a bool or an ExpectationResult, got 4 of type `int`.",
    )


def test_a_success_is_a_bool() -> None:
    """Text would always be true; numpy's own bool is one."""

    @solid
    def sloppy(context: Any, success: Any) -> int:
        context.emit(ExpectationResult(success=success, label="sane"))
        return 1

    error = execute_solid(sloppy, inputs={"success": "no"}, raise_on_error=False).failure
    assert error is not None
    assert (error.message, error.hint) == (
        "Expectation `sane` has the success 'no' of type `str`; expected a bool.",
        "compare: `ExpectationResult(success=len(rows) > 0, ...)`",
    )
    assert execute_solid(sloppy, inputs={"success": np.bool_(True)}).expectations[0].success is True
