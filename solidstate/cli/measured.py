"""``--durations RUN``: estimates from what local runs have measured, and what is to be said about them."""

from __future__ import annotations

from solidstate.cli.terminal import Terminal
from solidstate.cli.text import Line, human_duration, line, plural
from solidstate.errors import name_list
from solidstate.infra.home import home_from
from solidstate.planner.estimates import Estimates, Measured, estimates_of, map_concurrency, most_items
from solidstate.planner.plan import ExecutionPlan
from solidstate.storage.durations import durations_of


def estimates_from(plan: ExecutionPlan, wanted: str | None, home: str | None, terminal: Terminal) -> Estimates:
    """Estimates for ``plan``; without a run to take them from, assumed ones. What runs do not tell, or tell of steps
    that are not there, is noted on stderr."""
    if wanted is None:
        return estimates_of(plan)
    most = most_items(plan)
    at_a_time = {step.name: map_concurrency(most[step.map_over]) for step in plan.steps if step.map_over is not None}
    found = durations_of(home_from(home).store, plan.pipeline, wanted, at_a_time)
    measured = Measured(found.runs, found.seconds, found.work, found.items)
    estimates = estimates_of(plan, measured)
    terminal.note(_notes(estimates, [step for step in found.seconds if step not in estimates.seconds]))
    return estimates


def _notes(estimates: Estimates, gone: list[str]) -> list[Line]:
    runs = f"`{estimates.runs[0]}`" if len(estimates.runs) == 1 else plural(len(estimates.runs), "run")
    verb = "has" if len(estimates.runs) == 1 else "have"
    notes: list[Line] = []
    if estimates.assumed:
        names = name_list(list(estimates.assumed), limit=5)
        value = human_duration(estimates.typical_s)
        notes.append(line(f"{runs} {verb} not measured {names}: taken to last {value}, the median of the others"))
    if gone:
        notes.append(line(f"{runs} {verb} measured {name_list(gone, limit=5)}, which this plan does not have"))
    return notes
