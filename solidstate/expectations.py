"""Expectations attached from outside, to inputs or outputs of solids one does not own, and rows that do not meet one.

What an expectation that fails means is its ``severity``:

========== =========================================================================================================
``record`` it is an event of the run, as a yielded ``ExpectationResult`` has always been
``warn``   the same, and a warning in the run's summary and log
``skip``   on an input: the step is skipped. On an output: that output is stored, but withheld from those downstream,
           who are skipped. Yielded by a solid: so are all its outputs, or the one it names with ``output=``
``fail``   the step fails for good, with the expectation's label in its error
========== =========================================================================================================
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal, TypeVar, get_args

import msgspec

from solidstate.errors import DefinitionError, name_list, shown
from solidstate.events import Severity

if TYPE_CHECKING:
    from solidstate.solid import SolidDefinition

S = TypeVar("S", bound="SolidDefinition[..., Any]")


class Expectation(msgspec.Struct, frozen=True, eq=False):
    """A check of one input or output of a solid. ``check(value)`` returns a bool, or an ``ExpectationResult``, whose
    facts are then recorded; label and severity are those given here."""

    side: Literal["input", "output"]
    name: str
    check: Callable[[Any], Any]
    label: str
    severity: Severity = "record"
    description: str = ""


def expect_input(
    solid: S,
    name: str,
    check: Callable[[Any], Any],
    *,
    label: str = "",
    severity: Severity = "record",
    description: str = "",
) -> S:
    """The same solid with one more expectation, of its input ``name``: checked when it was loaded, before the solid is
    called. Raises DefinitionError for an input the solid does not have."""
    value = solid.input(name)
    return _with(
        solid, Expectation("input", value.name, check, label, severity, description), nothing=value.type.nothing
    )


def expect_output(
    solid: S,
    name: str,
    check: Callable[[Any], Any],
    *,
    label: str = "",
    severity: Severity = "record",
    description: str = "",
) -> S:
    """The same solid with one more expectation, of its output ``name``: checked when it was yielded, before it is
    stored. Raises DefinitionError for an output the solid does not have."""
    value = solid.output(name)
    return _with(
        solid, Expectation("output", value.name, check, label, severity, description), nothing=value.type.nothing
    )


def _with(solid: S, given: Expectation, *, nothing: bool) -> S:
    subject = f"The expectation of {given.side} `{given.name}` of solid `{solid.name}`"
    if nothing:
        raise DefinitionError(
            f"{subject} has nothing to look at: the {given.side} is `Nothing`, which carries no value.",
            subject=solid.name,
            hint="attach it where the value is",
        )
    if not callable(given.check):
        raise DefinitionError(
            f"{subject} must be a function of the value, got {shown(given.check)} of type "
            f"`{type(given.check).__name__}`.",
            subject=solid.name,
            hint="write `lambda value: len(value) > 0`",
        )
    check_severity(given.severity, subject)
    named = str(getattr(given.check, "__name__", type(given.check).__name__))
    label = given.label or (f"{given.side} {given.name}" if named == "<lambda>" else named)
    complete = msgspec.structs.replace(given, label=label)
    return msgspec.structs.replace(solid, expectations=(*solid.expectations, complete))


def check_severity(severity: object, subject: str) -> None:
    """Raises DefinitionError for a word that is no severity."""
    known = get_args(Severity)
    if severity not in known:
        raise DefinitionError(
            f"{subject} has the severity {shown(severity)}; expected one of {name_list(known)}.",
            subject=shown(severity),
            hint='use `severity="warn"` for a visible warning, `"fail"` to fail the step',
        )
