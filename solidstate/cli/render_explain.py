"""``plan --explain`` as lines: what holds each step up, why there are rendezvous, what a run takes, uses and costs.

A screen of it, whatever the size of the pipeline: where there is more, the rest is counted, and ``--json`` has it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from solidstate.cli.text import BLANK, Line, Span, human_duration, line, plural, table
from solidstate.planner.explain import Explanation, StepFacts
from solidstate.planner.placement import Fork
from solidstate.planner.prices import AS_OF, REGION
from solidstate.planner.reasons import named

WIDTH = 120
"""Columns when there is no terminal to ask."""
EVERY_STEP = 24
"""Steps up to which each has its row."""
MOST_STEPS, MOST_FORKS, MOST_NAMES = 12, 4, 4
MOST_MEETINGS, FEW_MEETINGS = 8, 4
"""Rendezvous explained: of a pipeline all of whose steps are shown, and of a larger one."""
LONGEST_NAME = 40
STATES = {
    "step": ("for a step", "for steps"),
    "start": ("Start run", ""),
    "end": ("End run", ""),
    "fork": ("fork", "forks"),
    "map": ("Map", "Maps"),
    "items": ("list of items", "lists of items"),
    "gate": ("gate", "gates"),
    "ended": ("waking others", "waking others"),
    "nested execution": ("nested execution", "nested executions"),
    "woken": ("going on after a wait", "going on after a wait"),
    "other": ("other", "others"),
}


def explain_lines(explained: Explanation, *, width: int | None = None) -> list[Line]:
    width = width or WIDTH
    lines = [_head(explained)]
    if explained.description:
        lines.append(line(explained.description))
    lines += [BLANK, *_steps(explained, width)]
    if explained.rendezvous:
        lines += [BLANK, *_meetings(explained, width)]
    return [*lines, BLANK, *_expected(explained, width)]


def _head(explained: Explanation) -> Line:
    facts = [plural(len(explained.steps), "step"), plural(len(explained.forks), "fork")]
    waiting = sum(len(one.steps) for one in explained.rendezvous)
    facts.append(f"{waiting} with a rendezvous" if waiting else "no rendezvous")
    if len(explained.machines) > 1:
        facts.append(f"{len(explained.machines)} state machines")
    return line(Span(explained.pipeline, "bold"), Span(f"  {', '.join(facts)}", "dim"))


def _steps(explained: Explanation, width: int) -> list[Line]:
    """A row for each step; of many, for the first and the first that have a rendezvous."""
    steps = explained.steps
    if len(steps) > EVERY_STEP:
        first = steps[: MOST_STEPS // 2]
        steps = [*first, *[facts for facts in steps[len(first) :] if facts.waits][: MOST_STEPS - len(first)]]
    rows = table([_step_row(facts) for facts in steps], header=("step", "runs after", "and waits for"), width=width)
    return [*rows, *_rest(len(explained.steps) - len(steps), "step")]


def _step_row(facts: StepFacts) -> list[Span]:
    name = f"{_short(facts.step)} (each of {_short(facts.for_each)})" if facts.for_each else _short(facts.step)
    after = _listed(facts.after, 2) or "the start"
    return [Span(name, "bold"), Span(after, "" if facts.after else "dim"), Span(_listed(facts.waits, 3), "yellow")]


def _listed(names: Sequence[str], most: int = MOST_NAMES) -> str:
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(_short(name) for name in names[:most]) + more


def _short(name: str) -> str:
    """A long name without its middle."""
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME // 2]}...{name[3 - LONGEST_NAME // 2 :]}"


def _meetings(explained: Explanation, width: int) -> list[Line]:
    most = MOST_MEETINGS if len(explained.steps) <= EVERY_STEP else FEW_MEETINGS
    shown = explained.rendezvous[:most]
    rows = [[Span("parks" if one.parks else "", "yellow"), Span(f"{one.reason}.")] for one in shown]
    left = _rest(len(explained.rendezvous) - most, "rendezvous", "rendezvous", indent="  ")
    return [line(Span("rendezvous", "bold")), *_indented_rows(rows, width), *left]


def _rest(count: int, noun: str, many: str = "", *, indent: str = "") -> list[Line]:
    return (
        [line(Span(f"{indent}and {plural(count, f'more {noun}', many and f'more {many}')}; `--json` has all", "dim"))]
        if count > 0
        else []
    )


def _indented_rows(rows: Iterable[Sequence[Span]], width: int) -> list[Line]:
    return [(Span("  "), *one) for one in table(rows, width=width - 2)]


def _expected(explained: Explanation, width: int) -> list[Line]:
    """What a run that goes well takes, uses and costs."""
    rows = [
        ["makespan", _makespan(explained)],
        ["forks", _forks(explained)],
        ["waits", _waits(explained)],
        ["transitions", f"{explained.transitions:,}: {_states(explained.states)}"],
        ["invocations", _invocations(explained)],
        ["history", _history(explained)],
        ["definition", _definition(explained)],
        ["cost", _cost(explained)],
        ["assumed", _assumed(explained)],
    ]
    spans = [[Span(name, "dim"), Span(text)] for name, text in rows]
    return [line(Span("expected of a run that goes well", "bold")), *_indented_rows(spans, width)]


def _makespan(explained: Explanation) -> str:
    ratio = explained.makespan_s / explained.critical_path_s if explained.critical_path_s else 1.0
    path = [_short(step) for step in explained.critical_path]
    shown = path if len(path) <= 5 else [*path[:2], f"({len(path) - 4:,} more)", *path[-2:]]
    return (
        f"{human_duration(explained.makespan_s)}, {ratio:.2f} times the critical path of "
        f"{human_duration(explained.critical_path_s)}: {' > '.join(shown)}"
    )


def _forks(explained: Explanation) -> str:
    if not explained.forks:
        return "none"
    said = [_fork(fork, " branches" if number == 0 else "") for number, fork in enumerate(explained.forks[:MOST_FORKS])]
    more = len(explained.forks) - MOST_FORKS
    return ", ".join(said) + (f", and {plural(more, 'more fork')}" if more > 0 else "")


def _fork(fork: Fork, noun: str) -> str:
    where = f"after {_listed(fork.after, 1)}" if fork.after else "at the start"
    return f"{len(fork.first):,}{noun} {where}"


def _waits(explained: Explanation) -> str:
    """What the nesting leaves to the steps themselves."""
    if not explained.rendezvous:
        return "no rendezvous: the nesting has the order of the data, exactly"
    steps = sum(len(one.steps) for one in explained.rendezvous)
    parks = [step for one in explained.rendezvous if one.parks for step in one.steps]
    parked = f"expected to park: {_listed(parks)}" if parks else "none is expected to park"
    return f"{plural(steps, 'step')} with a rendezvous, {parked}"


def _states(states: dict[str, int]) -> str:
    said: list[str] = []
    for what, (one, many) in STATES.items():
        count = states.get(what, 0)
        if count:
            said.append(one if not many else plural(count, one, many))
    return ", ".join(said)


def _invocations(explained: Explanation) -> str:
    requests = explained.s3_requests
    return (
        f"{explained.invocations:,} of the Lambda function, {explained.gb_seconds:,.1f} GB-s; "
        f"{requests['GET']:,} GETs and {requests['PUT']:,} PUTs of S3"
    )


def _history(explained: Explanation) -> str:
    """Of the machine that comes nearest to the quota."""
    longest = max(explained.machines, key=lambda machine: machine.events_at_worst)
    of = f" in {longest.name}" if len(explained.machines) > 1 else ""
    return f"{longest.events:,} events{of}, at worst {longest.events_at_worst:,} of {explained.limits['events']:,}"


def _definition(explained: Explanation) -> str:
    most = explained.limits["definition_bytes"]
    largest = max(explained.machines, key=lambda machine: machine.definition_bytes)
    size = f"{largest.definition_bytes:,} of {most:,} bytes ({largest.definition_bytes / most:.1%})"
    if len(explained.machines) == 1:
        return size
    return f"{len(explained.machines)} state machines, the largest {largest.name}: {size}"


def _cost(explained: Explanation) -> str:
    parts = {
        "Step Functions": explained.dollars["transitions"],
        "Lambda": explained.dollars["compute"] + explained.dollars["invocations"],
        "S3": explained.dollars["storage"],
    }
    shares = ", ".join(f"{name} {dollars(value)}" for name, value in parts.items())
    million = f"${explained.dollars_a_million_steps:,.2f} for a million steps"
    return f"{dollars(explained.dollars['total'])} a run, {million}: {shares}"


def dollars(amount: float) -> str:
    """With three significant digits, without an exponent."""
    if amount >= 1:
        return f"${amount:,.2f}"
    text = f"{amount:.12f}".rstrip("0")
    zeros = len(text) - len(text[2:].lstrip("0")) - 2 if amount else 0
    return f"${amount:.{zeros + 3}f}" if amount else "$0"


def _assumed(explained: Explanation) -> str:
    known = explained.estimates
    if not known.runs:
        times = f"{human_duration(known.typical_s)} a step (`--durations last` takes measured ones)"
    else:
        times = f"durations of {plural(len(known.runs), 'run')}"
        if known.assumed:
            steps = named(known.assumed) if len(known.assumed) <= 3 else plural(len(known.assumed), "step")
            times += f", the median of {human_duration(known.typical_s)} for {steps}"
    counts = _by_count(known.items).items()
    items = ", ".join(f"{plural(count, 'item')} for {_listed(steps)}" for count, steps in counts)
    said = [times, items, "memory as declared, warm functions, small outputs", f"prices of {REGION}, {AS_OF}"]
    return "; ".join(part for part in said if part)


def _by_count(items: dict[str, int]) -> dict[int, list[str]]:
    """Mapped steps by how many items they are run for."""
    found: dict[int, list[str]] = {}
    for step, count in items.items():
        found.setdefault(count, []).append(step)
    return dict(list(found.items())[:MOST_NAMES])
