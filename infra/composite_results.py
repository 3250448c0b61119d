"""A composite of a finished run, looked at as one step."""

from __future__ import annotations

from solidstate.composites import CompositeUse
from solidstate.storage.records import RunSummary, StepStatus, StepSummary


def composite_summary(use: CompositeUse, run: RunSummary) -> StepSummary:
    """Failed when a step inside failed, skipped when none ran. ``outputs`` has the sizes of those produced."""
    inside = [step for step in run.steps if step.step.startswith(f"{use.name}.")]
    by_name = {step.step: step for step in inside}
    sizes = {
        name: by_name[source.node].outputs[source.output]
        for name, source in use.outputs.items()
        if source.node in by_name and source.output in by_name[source.node].outputs
    }
    return StepSummary(
        step=use.name,
        solid=use.definition.name,
        status=_status([step.status for step in inside]),
        duration_s=round(sum(step.duration_s for step in inside), 6),
        attempts=max((step.attempts for step in inside), default=0),
        outputs=sizes,
        expectations=sum(step.expectations for step in inside),
        expectations_failed=sum(step.expectations_failed for step in inside),
        materializations=[one for step in inside for one in step.materializations],
        warnings=[one for step in inside for one in step.warnings],
        reason=next((step.reason for step in inside if step.reason), ""),
        error=next((step.error for step in inside if step.status == "failed"), None),
    )


def _status(found: list[StepStatus]) -> StepStatus:
    for status in ("failed", "not reached", "success", "skipped"):
        if status in found:
            return status
    return "not selected"
