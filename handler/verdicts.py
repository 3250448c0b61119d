"""Expectations while a step runs: recorded always, and acted upon as their severity says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, get_args

from solidstate.errors import closest, name_list, shown
from solidstate.events import ExpectationResult, Severity, StepExpectation, plain_metadata
from solidstate.expectations import Expectation
from solidstate.handler.awaiting import settled
from solidstate.handler.boundary import call
from solidstate.handler.outcome import ExpectationFailed, Refused
from solidstate.handler.plain import text_of
from solidstate.handler.recorder import Recorder
from solidstate.solid import SolidDefinition
from solidstate.types import TypeCheck

_SEVERITIES: tuple[Severity, ...] = get_args(Severity)


def is_bool(value: object) -> bool:
    """Python's bool, or numpy's own, which is what a comparison on a frame gives."""
    return isinstance(value, bool) or (type(value).__module__ == "numpy" and type(value).__name__ in ("bool", "bool_"))


def record_expectation(recorder: Recorder, result: ExpectationResult) -> StepExpectation:
    """Record a verdict. Raises ExpectationFailed for one that fails the step, Refused for an unknown severity and for
    a ``success`` that is neither True nor False."""
    if not is_bool(result.success):
        raise Refused(
            f"Expectation `{text_of(result.label)}` has the success {shown(result.success)} of type "
            f"`{type(result.success).__name__}`; expected a bool.",
            subject=text_of(result.label),
            hint="compare: `ExpectationResult(success=len(rows) > 0, ...)`",
        )
    if result.severity not in _SEVERITIES:
        raise Refused(
            f"Expectation `{text_of(result.label)}` has the severity {shown(result.severity)}; expected one of "
            f"{name_list(_SEVERITIES)}.",
            subject=text_of(result.label),
            hint='use `severity="warn"` for a visible warning, `"fail"` to fail the step',
        )
    event = recorder.emit(
        StepExpectation,
        success=bool(result.success),
        label=text_of(result.label),
        description=text_of(result.description),
        metadata=plain_metadata(result.metadata),
        severity=result.severity,
        output=text_of(result.output),
    )
    if not event.success and event.severity != "record":
        recorder.unmet.append(event)
        fail_if_unmet([event])
    return event


def fail_if_unmet(unmet: Iterable[StepExpectation]) -> None:
    """Raises ExpectationFailed for the first that is to fail the step. Asked once more when the solid has ended: what
    it raised inside the solid's own code may have been caught there."""
    for event in unmet:
        if event.severity == "fail":
            why = f": {event.description}" if event.description else ""
            raise ExpectationFailed(
                f"Expectation `{event.label or 'expectation'}` was not met{why}.",
                subject=event.label,
                hint="correct the data, or give the expectation a milder `severity`",
                metadata=event.metadata,
            )


def withheld(unmet: Iterable[StepExpectation], solid: SolidDefinition, step: str) -> dict[str, str]:
    """Names of the outputs that stay out of reach of those downstream, each with the label of the expectation that is
    to blame. Raises Refused for an expectation about an output the solid does not have."""
    names = [out.name for out in solid.outputs]
    found: dict[str, str] = {}
    for event in unmet:
        if event.severity != "skip":
            continue
        if event.output and event.output not in names:
            near = closest(event.output, names)
            raise Refused(
                f"Expectation `{event.label}` of `{step}` is about an output `{event.output}`; it declares "
                f"{name_list(names) or 'none'}.",
                subject=step,
                hint=f"did you mean `{near}`?" if near else "leave `output` out: it then stands for all of them",
            )
        for name in [event.output] if event.output else names:
            found.setdefault(name, event.label or "expectation")
    return found


def judge(expectation: Expectation, value: Any, recorder: Recorder) -> StepExpectation:
    """Check one value and record the verdict, as :func:`record_expectation` does."""
    doing = f"checking expectation `{expectation.label}`"
    answer = call(doing, settled, call(doing, expectation.check, value))
    facts: Mapping[str, Any] = {}
    told = ""
    if isinstance(answer, (ExpectationResult, TypeCheck)):
        success, told, facts = answer.success, answer.description, answer.metadata
    elif is_bool(answer):
        success = bool(answer)
    else:
        raise Refused(
            f"The check of expectation `{expectation.label}` must return a bool or an ExpectationResult, got "
            f"{shown(answer)} of type `{type(answer).__name__}`.",
            subject=expectation.label,
            hint="compare: `return len(value) > 0`",
        )
    return record_expectation(
        recorder,
        ExpectationResult(
            success=success,
            label=expectation.label,
            description=told or expectation.description,
            metadata=dict(facts),
            severity=expectation.severity,
            output=expectation.name if expectation.side == "output" else "",
        ),
    )


def judge_inputs(solid: SolidDefinition, values: Mapping[str, Any], recorder: Recorder) -> StepExpectation | None:
    """Check the inputs somebody attached expectations to. The first unmet one that is to skip the step, if any."""
    verdicts = [
        judge(expectation, values[expectation.name], recorder)
        for expectation in solid.expectations
        if expectation.side == "input" and expectation.name in values
    ]
    return next((event for event in verdicts if not event.success and event.severity == "skip"), None)
