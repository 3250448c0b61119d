"""The Lambda function of a simulation: what each payload makes it do, without doing any work.

It plays the wrapper around a step (markers, parking, waking, skipping) and watches: a body that would begin before its
inputs have ended, or a second time, ends the simulation with an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, Protocol

import msgspec

from solidstate.errors import name_list
from solidstate.planner import contract
from solidstate.planner.plan import ExecutionPlan, OutputRef, Step, StepInput
from solidstate.planner.simulated_data import SimulationError
from solidstate.planner.simulated_time import Agenda

ASSUMED_ITEMS = 10
"""Items of a dynamic output of which nothing is known."""
ASSUMED_SECONDS = 1.0
"""A step of which nothing is known."""

Ending = Literal["done", "skipped", "failed"]


class Behaviour(msgspec.Struct, frozen=True):
    """What a step does instead of succeeding. It raises ``error`` (:data:`contract.STEP_FAILED`, or what Lambda says of
    a killed function) in its first ``attempts`` attempts, None meaning all, or leaves out ``withheld`` outputs."""

    error: str = ""
    attempts: int | None = None
    withheld: tuple[str, ...] = ()


_Waiting = contract.StepPayload | contract.ItemsPayload | contract.GatePayload


class Call(Protocol):
    """One invocation, as the machine sees it. Each ends in one of these ways; a parked one is woken later."""

    def answer(self, value: Any) -> None: ...
    def fail(self, error: str, cause: str) -> None: ...
    def park(self) -> None: ...
    def wake(self) -> None: ...


class _Parked(msgspec.Struct, frozen=True):
    call: Call
    waits: tuple[str, ...]


def label(step: str, item: str | None) -> str:
    """A step, or one item of a mapped step."""
    return step if item is None else f"{step}[{item}]"


class SimulatedSteps:
    """The function and what it keeps in S3. Labels are names of steps, or ``step[item]`` for an item of a mapped one; a
    mapped step's own name stands for its whole region."""

    def __init__(
        self,
        plan: ExecutionPlan,
        agenda: Agenda,
        seconds: Mapping[str, float],
        behaviours: Mapping[str, Behaviour],
        items: Mapping[OutputRef, int],
    ) -> None:
        self.starts: dict[str, float] = {}
        self.ends: dict[str, float] = {}
        self.endings: dict[str, Ending] = {}
        self.parked: dict[str, None] = {}
        self.begun = 0.0
        self._plan = plan
        self._steps = {step.name: step for step in plan.steps}
        self._agenda = agenda
        self._seconds = seconds
        self._behaviours = behaviours
        self._items = items
        self._attempts: dict[str, int] = {}
        self._working: set[str] = set()
        self._undecided: set[str] = set()  # skipped, or failed, in a way that leaves no commit
        self._outside: set[str] = set()  # skipped for a reason that concerns all items
        self._marked: set[str] = set()
        self._asleep: dict[str, _Parked] = {}
        self._awaited: dict[str, tuple[str, ...]] = {}  # by those who were woken

    # What the machine asks for.

    def handle(self, payload: contract.Payload, call: Call) -> None:
        """One invocation. ``call`` is told how it ends, now or later."""
        match payload:
            case contract.StartPayload():
                run = contract.RunHandle("simulated", "", payload.pipeline, payload.plan)
                self.begun = self._agenda.now
                call.answer({"run": msgspec.to_builtins(run)})
            case contract.EndPayload():
                self._end_run(call)
            case contract.ItemsPayload():
                self._tell_items(payload, call)
            case contract.GatePayload():
                key = label(payload.step, payload.item)
                if self._settled(payload, key, call):
                    call.answer({})
            case contract.EndedPayload():
                self._mark(label(payload.step, payload.item), payload.wakes, payload.item)
                call.answer({})
            case contract.StepPayload():
                self._run_step(payload, call)

    def listing(self, key: str) -> list[dict[str, Any]]:
        """The items in the object that a distributed Map reads."""
        step, _, output = key.rpartition("/")
        return self._told(OutputRef(step, output))

    def gave_up(self, payload: contract.Payload) -> None:
        """No further attempt will be made: a step has failed for good."""
        if isinstance(payload, contract.StepPayload):
            name = label(payload.step, payload.item)
            self._undecided.add(name)
            self._over(name, "failed")

    def ended_as(self, ending: Ending) -> frozenset[str]:
        """Who has ended that way."""
        return frozenset(name for name, found in self.endings.items() if found == ending)

    def stuck(self) -> str:
        """Who is parked at the end of all that happens, and why."""
        said: list[str] = []
        for name, parked in list(self._asleep.items())[:5]:
            missing = [one for one in parked.waits if one not in self._marked]
            if missing:
                said.append(f"`{name}` waits for {name_list(missing, 5)}")
            else:
                said.append(f"`{name}` waits for nothing any more, but nobody wakes it")
        return "; ".join(said) or "nothing is parked"

    # What the function does.

    def _settled(self, payload: _Waiting, key: str, call: Call) -> bool:
        """Whether all that is waited for is on record. If not, the call is parked and nothing more is to be done."""
        woken = not isinstance(payload, contract.GatePayload) and payload.woken
        if woken and key not in self._awaited:
            raise SimulationError(f"`{key}` is invoked as woken, but it never parked.", subject=key)
        item = None if isinstance(payload, contract.ItemsPayload) else payload.item
        waits = self._awaited[key] if woken else tuple(label(name, item) for name in payload.waits)
        missing = [name for name in waits if name not in self._marked]
        if not missing:
            return True
        if payload.token is None:
            raise SimulationError(
                f"`{key}` waits for {name_list(missing)}, but has no token to park with.", subject=key
            )
        self.parked[key] = None
        self._asleep[key] = _Parked(call, waits)
        call.park()
        return False

    def _run_step(self, payload: contract.StepPayload, call: Call) -> None:
        step = self._steps.get(payload.step)
        if step is None or (step.map_over is None) != (payload.item is None):
            raise SimulationError(
                f"The plan has no step `{payload.step}` that is run {'once' if payload.item is None else 'for items'}."
            )
        name = label(step.name, payload.item)
        if not self._settled(payload, name, call):
            return
        early = [one for one in self._inputs(step, payload.item) if one not in self.endings]
        if early:
            raise SimulationError(f"`{name}` would begin before {name_list(early)} ended.", subject=name)
        if name in self.endings or name in self._working:
            raise SimulationError(f"`{name}` would run a second time.", subject=name)
        self._working.add(name)
        if self._skipped(step, payload.item):
            self._agenda.after(self._agenda.latencies.skip_s, lambda: self._finish(payload, name, "skipped", call))
            return
        self.starts.setdefault(name, self._agenda.now)
        taken = self._seconds.get(name, self._seconds.get(step.name, ASSUMED_SECONDS))
        attempt = self._attempts[name] = self._attempts.get(name, 0) + 1
        behaviour = self._behaviour(name)
        if behaviour.error and (behaviour.attempts is None or attempt <= behaviour.attempts):
            self._agenda.after(taken, lambda: self._break(name, behaviour.error, call))
        else:
            self._agenda.after(taken, lambda: self._finish(payload, name, "done", call))

    def _behaviour(self, name: str) -> Behaviour:
        return self._behaviours.get(name) or self._behaviours.get(name.partition("[")[0], Behaviour())

    def _break(self, name: str, error: str, call: Call) -> None:
        self._working.discard(name)
        call.fail(error, f"`{name}` failed")

    def _finish(self, payload: contract.StepPayload, name: str, ending: Ending, call: Call) -> None:
        self._working.discard(name)
        self._over(name, ending)
        self._mark(name, payload.wakes, payload.item)
        call.answer({"step": payload.step, "status": "success" if ending == "done" else "skipped"})

    def _over(self, name: str, ending: Ending) -> None:
        self.endings[name] = ending
        self.ends[name] = self._agenda.now

    def _mark(self, name: str, wakes: list[str], item: str | None) -> None:
        """Put on record that something has ended, and wake those for whom it was the last."""
        self._marked.add(name)
        for sleeper in wakes:
            key = label(sleeper, item)
            parked = self._asleep.get(key)
            if parked is not None and self._marked.issuperset(parked.waits):
                self._awaited[key] = parked.waits
                del self._asleep[key]
                self._agenda.soon(self._agenda.latencies.wake_s, parked.call.wake)

    def _tell_items(self, payload: contract.ItemsPayload, call: Call) -> None:
        if not self._settled(payload, payload.steps[0], call):
            return
        if payload.step not in self.endings:
            raise SimulationError(
                f"The items of `{payload.step}` would be asked for before it ended.", subject=payload.step
            )
        ref = OutputRef(payload.step, payload.output)
        if payload.listed:
            call.answer({"bucket": "simulated", "key": f"{ref.step}/{ref.output}", "count": len(self._keys(ref))})
        else:
            call.answer({"items": self._told(ref)})

    def _end_run(self, call: Call) -> None:
        for step in self._plan.steps:
            over = step.map_over
            if over is not None and self.endings.get(over.step) != "done":
                self.endings.setdefault(step.name, "skipped")
            never = [one for one in self._labels_of(step, over) if one not in self.endings]
            if never:
                raise SimulationError(f"The run would end before {name_list(never)} ran.", subject=never[0])
        failed = sorted(name for name, ending in self.endings.items() if ending == "failed")
        if failed:
            call.fail(contract.RUN_FAILED, f"{len(failed)} failed: {name_list(failed)}")
        else:
            call.answer({"status": "success"})

    # What the plan says.

    def _keys(self, ref: OutputRef) -> list[str]:
        """The items of a dynamic output; none when its step did not succeed or left it out."""
        if self.endings.get(ref.step) != "done" or ref.output in self._behaviour(ref.step).withheld:
            return []
        limit = self._steps[ref.step].output(ref.output).max_items
        return [str(number) for number in range(min(limit, self._items.get(ref, ASSUMED_ITEMS)))]

    def _told(self, ref: OutputRef) -> list[dict[str, Any]]:
        """The same as Map states are told."""
        entry = {"at": 0, "size": 0, "head": 0}  # of a commit that is not there
        return [{"key": key, "entry": entry} for key in self._keys(ref)]

    def _labels_of(self, step: Step, over: OutputRef | None) -> list[str]:
        return [step.name] if over is None else [label(step.name, key) for key in self._keys(over)]

    def _sources(self, step: Step, item: str | None) -> Iterator[tuple[StepInput, OutputRef, str]]:
        """Each output of each other step, or of an item of it, that a step reads."""
        for inp in step.inputs:
            for ref in inp.sources:
                over = self._steps[ref.step].map_over
                if over is None:
                    yield inp, ref, ref.step
                elif inp.kind != "collect":
                    yield inp, ref, label(ref.step, item)
                else:
                    for key in self._keys(over):
                        yield inp, ref, label(ref.step, key)

    def _producers(self, step: Step) -> Iterator[OutputRef]:
        """The dynamic outputs that tell which items a step collects, or is itself run for."""
        if step.map_over is not None:
            yield step.map_over
        for inp in step.inputs:
            for ref in inp.sources if inp.kind == "collect" else ():
                over = self._steps[ref.step].map_over
                if over is not None:
                    yield over

    def _inputs(self, step: Step, item: str | None) -> list[str]:
        found = dict.fromkeys(ref.step for ref in self._producers(step))
        found.update(dict.fromkeys(name for _, _, name in self._sources(step, item)))
        return list(found)

    def _skipped(self, step: Step, item: str | None) -> bool:
        """Whether something the step needs will never come; noted for those that read it in turn."""
        own = label(step.name, item)
        inputs = self._inputs(step, item)
        if not self._undecided.isdisjoint(inputs):
            self._undecided.add(own)
            return True
        blamed = [ref.step for ref in self._producers(step) if self._lacks(ref.step, ref.output)]
        for inp, ref, name in self._sources(step, item):
            one_of_many = inp.kind == "collect" and name != ref.step and name not in self._outside
            if self._lacks(name, ref.output) and not one_of_many:
                blamed.append(name)
        if blamed and item is not None and any("[" not in one or one in self._outside for one in blamed):
            self._outside.add(own)
        return bool(blamed)

    def _lacks(self, name: str, output: str) -> bool:
        return self.endings.get(name) == "skipped" or output in self._behaviour(name).withheld
