"""Mapped steps, looked at as one: from how each of their items ended to how the step did."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import msgspec

from solidstate.events import AnyEvent, ErrorInfo
from solidstate.handler.committed import label
from solidstate.handler.plain import clip
from solidstate.planner.plan import Step
from solidstate.storage.records import StepStatus, StepSummary

MAX_ERRORS = 20
"""Items that failed whose errors a summary keeps; the others are counted, and their events stay."""


def by_item(events: Sequence[AnyEvent]) -> dict[str, list[AnyEvent]]:
    """Events of a mapped step by item; under the empty key those of the step as a whole."""
    found: dict[str, list[AnyEvent]] = {}
    for event in events:
        found.setdefault(event.item, []).append(event)
    return found


def summarise_mapped(
    step: Step,
    events: Sequence[AnyEvent],
    items: Sequence[str] | None,
    summarise: Callable[[Step, list[AnyEvent]], StepSummary],
) -> StepSummary:
    """``items`` are the keys that there should be, None when only the events tell. A step of which one item failed has
    failed; one whose items were all skipped was skipped; one without items has succeeded."""
    groups = by_item(events)
    whole = groups.pop("", None)
    if whole is not None and not groups:
        return summarise(step, whole)
    known = list(groups) if items is None else list(items)
    if items is None and not known:
        return summarise(step, [])
    parts = {key: summarise(step, groups.get(key, [])) for key in known}
    counts: dict[str, int] = {}
    for part in parts.values():
        counts[part.status] = counts.get(part.status, 0) + 1
    failed = {key: _error(part) for key, part in parts.items() if part.status == "failed"}
    return StepSummary(
        step=step.name,
        solid=step.solid,
        status=_status(counts),
        duration_s=round(sum(part.duration_s for part in parts.values()), 6),
        attempts=max((part.attempts for part in parts.values()), default=0),
        inputs=_sums([part.inputs for part in parts.values()]),
        outputs=_sums([part.outputs for part in parts.values()]),
        expectations=sum(part.expectations for part in parts.values()),
        expectations_failed=sum(part.expectations_failed for part in parts.values()),
        materializations=[one for part in parts.values() for one in part.materializations],
        warnings=[f"[{key}] {one}" for key, part in parts.items() for one in part.warnings],
        reason=next((part.reason for part in parts.values() if part.reason), ""),
        error=next(iter(failed.values()), None),
        items=counts,
        item_errors=dict(list(failed.items())[:MAX_ERRORS]),
    )


def _status(counts: Mapping[str, int]) -> StepStatus:
    if "failed" in counts:
        return "failed"
    if "not reached" in counts:
        return "not reached"
    return "skipped" if list(counts) == ["skipped"] else "success"


def _error(part: StepSummary) -> ErrorInfo:
    return part.error if part.error is not None else ErrorInfo(type="NoEnd", message=part.reason)


def _sums(many: Sequence[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for sizes in many:
        for name, size in sizes.items():
            total[name] = total.get(name, 0) + size
    return total


class FailedStep(msgspec.Struct, frozen=True):
    """A step, or one item of a mapped step, that failed."""

    label: str
    error: ErrorInfo | None
    reason: str


def failed_steps(failed: Sequence[StepSummary]) -> tuple[list[FailedStep], int]:
    """What failed, item by item as far as that is known, and how many there are of them in all."""
    found: list[FailedStep] = []
    total = 0
    for step in failed:
        total += (step.items or {}).get("failed", 1)
        if step.item_errors:
            found += [FailedStep(label(step.step, key), error, "") for key, error in step.item_errors.items()]
        else:
            found.append(FailedStep(step.step, step.error, step.reason))
    return found, total


def failure_lines(failed: Sequence[StepSummary], limit: int = 20) -> list[str]:
    """Which steps failed and why, as the cause of the execution says it."""
    found, total = failed_steps(failed)
    named = ", ".join(f"`{one.label}`" for one in found)
    more = f" and {total - len(found)} more" if total > len(found) else ""
    lines = [f"{total} step{'s' if total > 1 else ''} failed: {named}{more}"]
    for one in found[:limit]:
        error = one.error
        said = f"{error.type}: {clip(error.message, 500)}" if error else one.reason
        lines.append(f"  `{one.label}`: {said}")
        if error and error.place:
            lines.append(f"    at {error.place.file}:{error.place.line}: {error.place.code}")
        if error and error.hint:
            lines.append(f"    fix: {error.hint}")
    return lines


def never_mapped(producer: StepSummary) -> str:
    """Why a mapped step was not run for any item, when its producer has none to give; empty when it has."""
    if producer.status == "skipped":
        return f"upstream `{producer.step}` was skipped"
    return f"upstream `{producer.step}` did not succeed" if producer.status in ("failed", "not reached") else ""
