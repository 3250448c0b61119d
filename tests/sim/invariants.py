"""What must hold when nothing is left to happen, whatever has gone wrong on the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from solidstate.errors import SolidstateError
from solidstate.events import AnyEvent, RunFailure, RunStart, RunSuccess, decode_events
from solidstate.handler.committed import read_commit
from solidstate.handler.inputs import decoded_output
from solidstate.planner.contract import RUN_FAILED, RUN_REFUSED
from solidstate.planner.plan import OutputRef
from solidstate.storage import keys
from solidstate.storage.commits import Commit, decode_commit_events
from solidstate.storage.records import RunSummary, decode_run_summary
from tests.sim import faults as fault
from tests.sim.invocations import label
from tests.sim.solids import Unit, origin_of, parsed
from tests.sim.world import World

DOUBLED = (fault.DUPLICATE, fault.ZOMBIE, fault.CRASH_DELAYED)


def standing(world: World) -> list[str]:
    """What is wrong while a run may still be redriven: somebody waits and nobody will come."""
    if world.execution.status != "RUNNING":
        return []
    waiting = ", ".join(
        label((asking.payload["step"], asking.payload.get("item") or "")) for asking in world.open.values()
    )
    return [f"the run is stuck; parked: {waiting or 'nobody'}"]


class Check:
    """Looks at one run that has ended. ``selected``: the steps that were to run, None meaning all; ``earlier``: the run
    that the others were read from."""

    def __init__(self, world: World, run: str, selected: frozenset[str] | None = None, earlier: str = "") -> None:
        self._world = world
        self._run = run
        self._earlier = earlier
        self._case = world.case
        self._selected = selected
        self._objects = world.store.objects
        self._commits: dict[Unit, Commit] = {}

    def problems(self) -> list[str]:
        try:
            return list(self._all())
        except SolidstateError as error:
            return [f"what is stored cannot be read: {error}"]

    def _all(self) -> Iterator[str]:
        world = self._world
        for key in world.store.changes:
            yield f"`{key}` was overwritten"
        yield from world.seen
        yield from self._bodies()
        yield from self._results()
        yield from self._answers()
        yield from self._missing()
        yield from self._failures()
        yield from self._ends()

    def _mine(self) -> list[Unit]:
        chosen = self._selected
        return [unit for unit in self._case.expected.units if chosen is None or unit[0] in chosen]

    def _bodies(self) -> Iterator[str]:
        """Everybody runs once, and once more for each thing that went wrong."""
        world = self._world
        more = world.injected[fault.REDRIVE] + sum(world.struck.get(("", ""), Counter()).values())
        for unit, count in world.bodies.items():
            of_items = sum(world.struck.get((unit[0], ""), Counter()).values()) if unit[1] else 0
            most = 1 + more + of_items + sum(world.struck.get(unit, Counter()).values())
            if count > most:
                yield f"the body of {label(unit)} ran {count} times, with faults for {most}"

    def _results(self) -> Iterator[str]:
        """What is committed is what it must be, and what everybody has read."""
        case, committed = self._case, dict[str, str]()
        for unit, skipped in case.expected.units.items():
            own = self._selected is None or unit[0] in self._selected
            commit = read_commit(self._objects, case.name, unit[0], self._run if own else self._earlier, unit[1])
            if commit is None:
                continue
            if own:
                self._commits[unit] = commit
                yield from self._events(unit)
            if (commit.status == "skipped") != skipped:
                yield f"{label(unit)} was committed as {commit.status}"
            for out in commit.outputs:
                if out.name in commit.withheld:
                    continue
                ref = OutputRef(unit[0], out.name)
                value = decoded_output(case.loaded, ref, out, self._objects, "the check")
                origin, digest, _ = parsed(value)
                if origin != origin_of(*unit, out.name, out.item) or digest != case.expected.values.get(origin):
                    yield f"output `{out.name}` of {label(unit)} is `{value[:60]}`"
                committed[origin] = value
            lacking = [origin for origin in case.expected.gives.get(unit, ()) if origin not in committed]
            if lacking:
                yield f"{label(unit)} was committed without {', '.join(lacking)}"
        for unit, value in self._world.read:
            if committed.get(parsed(value)[0]) != value:
                yield f"{label(unit)} has read `{value[:60]}`, which is not what was committed"

    def _events(self, unit: Unit) -> Iterator[str]:
        key = keys.commit(self._case.name, unit[0], self._run, unit[1])
        events = decode_commit_events(self._objects.get(key), key)
        if [event.seq for event in events] != list(range(1, len(events) + 1)):
            yield f"the events of {label(unit)} have a gap"

    def _answers(self) -> Iterator[str]:
        """Whoever answers that a step has succeeded answers with the result that counts, and says so when it is that of
        another attempt."""
        for unit, request, digest in self._world.returned:
            if digest["status"] not in ("success", "skipped") or unit not in self._commits:
                if digest["status"] == "success":
                    yield f"{label(unit)} has answered with success, and there is no result"
                continue
            commit = self._commits[unit]
            if digest["status"] == "success" and digest.get("attempt", 1) != commit.attempt:
                yield f"{label(unit)} has answered with another result than that of attempt {commit.attempt}"
            if digest["status"] == "success" and not commit.attempt_id.endswith(f"-{request}"):
                struck = self._world.struck.get(unit, Counter())
                if not struck[fault.ERROR_AFTER] and not any(
                    b"adopted" in one for one in self._world.attempts_of(request)
                ):
                    yield f"{label(unit)} has answered with the result of another attempt, which is not on record"

    def _missing(self) -> Iterator[str]:
        """A unit without a result has failed of something that went wrong, or reads one that has."""
        world = self._world
        if world.execution.status != "SUCCEEDED" and not world.execution.error.startswith(RUN_FAILED):
            return
        lost: set[Unit] = set()
        for unit in self._mine():
            if unit in world.given_up or any(one in lost or one in world.given_up for one in self._before(unit)):
                lost.add(unit)
            elif unit not in self._commits:
                yield f"{label(unit)} has no result, and nothing it could have failed of"
        if world.execution.status == "SUCCEEDED":
            for unit in self._mine():
                if unit not in self._commits:
                    yield f"the run has succeeded without a result of {label(unit)}"

    def _before(self, unit: Unit) -> tuple[Unit, ...]:
        before = self._case.expected.before[unit]
        return (*before, (unit[0], "")) if unit[1] else before

    def _failures(self) -> Iterator[str]:
        """A state fails for good only of what a fault explains."""
        for unit, errors in self._world.given_up.items():
            struck = self._world.struck.get(unit, Counter())
            if RUN_REFUSED in errors:
                yield "the run was refused"
            for error in errors:
                if unit[0] and not any(struck[kind] for kind in fault.MAY_FAIL_OF.get(error, ())):
                    yield f"{label(unit)} failed of {error} without a fault that explains it"

    def _was_closed(self) -> bool:
        return keys.run_summary(self._case.name, self._run) in self._world.store.born

    def _ends(self) -> Iterator[str]:
        """The terminal event is there once, and agrees with the summary, which agrees with the results."""
        case, world = self._case, self._world
        if keys.run_record(case.name, self._run) not in world.store.born:
            if not world.struck.get(("", "")) and not world.injected[fault.CANCEL]:
                yield "the run was never recorded"
            return
        key = keys.run_events(case.name, self._run)
        if key not in world.store.born or not self._was_closed():
            yield "the run has no terminal event"
            return
        events = decode_events(self._objects.get(key))
        ends = [event for event in events if isinstance(event, (RunSuccess, RunFailure))]
        if len(ends) != 1 or events[-1] is not ends[0] or not isinstance(events[0], RunStart):
            yield f"the run has {len(ends)} terminal events"
            return
        key = keys.run_summary(case.name, self._run)
        summary = decode_run_summary(self._objects.get(key), key)
        # A late duplicate of End run may overwrite one of both with what it saw earlier.
        doubled = any(world.struck.get(("", ""), Counter())[kind] for kind in DOUBLED)
        agree = ends[0].steps == summary.counts() and isinstance(ends[0], RunSuccess) == (summary.status == "success")
        if not agree and not doubled:
            yield "the terminal event and the summary do not agree"
        yield from self._summary(summary, events)

    def _summary(self, summary: RunSummary, events: list[AnyEvent]) -> Iterator[str]:
        case, world = self._case, self._world
        status = world.execution.status if not world.struck.get(("", "")) else ""
        if (status == "SUCCEEDED") and summary.status != "success":
            yield f"the execution has succeeded, and the summary says {summary.status}"
        if status == "FAILED" and summary.status == "success":
            yield f"the execution has failed ({world.execution.error[:80]}), and the summary says success"
        keys_of = keys.run_events(case.name, self._run), keys.run_summary(case.name, self._run)
        # Each tells what was there when its writer began to look.
        told_at, said_at = (world.closing.get(world.store.writers.get(key, 0), world.reconciled_at) for key in keys_of)
        of_step = {step.step: step for step in summary.steps}
        told = {(event.step, event.item) for event in events}
        for unit, commit in self._commits.items():
            born = world.store.born[keys.commit(case.name, unit[0], self._run, unit[1])]
            if unit not in told and born <= told_at:
                yield f"the events of {label(unit)} are lost"
            said = of_step[unit[0]].status
            if not unit[1] and said != commit.status and born <= said_at:
                yield f"{label(unit)} is committed as {commit.status}, and the summary says {said}"
