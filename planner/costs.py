"""What a run that goes well is expected to use, counted on the very definitions that are deployed, and its price.

Walked are the states on the way of success: failures, retries and what catches them cost extra when they happen. S3
requests are those of the handler, which ``tests/e2e/test_costs.py`` compares: one GET for each distinct upstream step
and one PUT a step; outputs beyond 256 KiB, which have objects of their own, are not known here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec

from solidstate.planner import prices
from solidstate.planner.estimates import Estimates
from solidstate.planner.history import (
    CALLBACK_EVENTS,
    EXECUTION_EVENTS,
    ITERATION_EVENTS,
    MAP_EVENTS,
    OTHER_EVENTS,
    PARALLEL_EVENTS,
    TASK_EVENTS,
)
from solidstate.planner.plan import ExecutionPlan, Step, StepCompute
from solidstate.planner.simulated_steps import ASSUMED_ITEMS

OWN_S = 0.1
"""What an invocation takes that runs no step: Start run, End run, the items of a Map, a step that only parks."""
LOOKS = 4
"""Requests of a step that parks to see that one has not ended: neither a commit nor the mark of a failure, twice."""
PARKED_EVENTS = TASK_EVENTS
"""What waking a parked step adds: the state it goes on in."""


class Counts(msgspec.Struct):
    """What one run uses. ``states`` counts entered states by what they are for; each is a transition. ``events`` are
    those of the pipeline's own execution, which has the longest history unless a part has."""

    states: dict[str, int] = {}
    invocations: int = 0
    gets: int = 0
    puts: int = 0
    gb_seconds: float = 0.0
    events: dict[str, int] = {}

    @property
    def transitions(self) -> int:
        return sum(self.states.values())

    def enter(self, what: str, times: int) -> None:
        self.states[what] = self.states.get(what, 0) + times


class Cost(msgspec.Struct, frozen=True):
    """Dollars of one run."""

    transitions: float
    compute: float
    invocations: float
    storage: float

    @property
    def total(self) -> float:
        return self.transitions + self.compute + self.invocations + self.storage


class _Scope(msgspec.Struct, frozen=True):
    """States to be walked: in which execution, how many times in a run, and how many times in that execution."""

    states: dict[str, Any]
    start: str
    machine: str
    runs: int
    passes: int


def counts_of(
    definitions: Mapping[str, bytes], plan: ExecutionPlan, estimates: Estimates, parked: Iterable[str] = ()
) -> Counts:
    """Count a run. ``definitions`` has the pipeline's machine under the empty name and its parts under theirs;
    ``parked`` are the steps that are expected to park, an item of a mapped one as ``step[item]``."""
    counter = _Counter(definitions, plan, estimates)
    counter.walk()
    for name in parked:
        counter.park(name)
    return counter.counts


class _Counter:
    def __init__(self, definitions: Mapping[str, bytes], plan: ExecutionPlan, estimates: Estimates) -> None:
        self._machines: dict[str, Any] = {name: msgspec.json.decode(body) for name, body in definitions.items()}
        self._steps = {step.name: step for step in plan.steps}
        self._estimates = estimates
        self._machine_of: dict[str, str] = {}
        self._gates: set[str] = set()
        self._todo: list[_Scope] = []
        self.counts = Counts(states={}, events={})

    def walk(self) -> None:
        self._execution("", 1)
        while self._todo:
            scope = self._todo.pop()
            for name, state in _way_of_success(scope):
                self._state(state, scope, self._items_before(scope, name))

    def park(self, name: str) -> None:
        """One wait that is not over when it is looked at: a token stored between two looks. Woken, a gate goes on; a
        step or the list of a Map's items goes on in a state of its own, which reads its inputs again."""
        step = self._steps[name.partition("[")[0]]
        self.counts.puts += 1
        self.counts.gets += LOOKS
        if name in self._gates:
            return
        listed = step.map_over is not None and step.name == name
        self.counts.gets += 1 if listed else self._upstream_gets(step, 1)
        self.counts.enter("woken", 1)
        self.counts.invocations += 1
        self.counts.gb_seconds += OWN_S * _gb(StepCompute() if listed else step.compute)
        self.counts.events[self._machine_of.get(name, "")] += PARKED_EVENTS

    def _execution(self, machine: str, runs: int) -> None:
        definition = self._machines[machine]
        self.counts.events[machine] = self.counts.events.get(machine, 0) + EXECUTION_EVENTS
        self._todo.append(_Scope(definition["States"], definition["StartAt"], machine, runs, 1))

    def _state(self, state: dict[str, Any], scope: _Scope, items: int) -> None:
        kind = state["Type"]
        if kind == "Task":
            self._task(state, scope)
        elif kind == "Parallel":
            self.counts.enter("fork", scope.runs)
            self._add_events(scope, PARALLEL_EVENTS)
            for branch in state["Branches"]:
                self._todo.append(_Scope(branch["States"], branch["StartAt"], scope.machine, scope.runs, scope.passes))
        elif kind == "Map":
            self._map(state, scope, items)
        else:
            self.counts.enter("other", scope.runs)
            self._add_events(scope, OTHER_EVENTS)

    def _map(self, state: dict[str, Any], scope: _Scope, items: int) -> None:
        self.counts.enter("map", scope.runs)
        self._add_events(scope, MAP_EVENTS)
        inner = state["ItemProcessor"]
        inline = inner.get("ProcessorConfig", {}).get("Mode", "INLINE") == "INLINE"
        if inline:
            self._add_events(scope, ITERATION_EVENTS * items)
        # The items of a distributed Map have histories of their own, short ones.
        passes = scope.passes * items if inline else 0
        self._todo.append(_Scope(inner["States"], inner["StartAt"], scope.machine, scope.runs * items, passes))

    def _task(self, state: dict[str, Any], scope: _Scope) -> None:
        resource = str(state["Resource"])
        if "startExecution" in resource:
            part = str(state["Parameters"]["StateMachineArn"]).removeprefix("${").removesuffix("Arn}")
            self.counts.enter("nested execution", scope.runs)
            self._add_events(scope, CALLBACK_EVENTS)
            self._execution(part, scope.runs)
            return
        callback = resource.endswith(".waitForTaskToken")
        self._add_events(scope, CALLBACK_EVENTS if callback else TASK_EVENTS)
        payload = state["Parameters"]["Payload"] if callback else state["Parameters"]
        self.counts.enter(payload["kind"], scope.runs)
        self.counts.invocations += scope.runs
        self._use(payload, scope)

    def _use(self, payload: dict[str, Any], scope: _Scope) -> None:
        """Requests and time of one kind of invocation."""
        counts, kind, runs = self.counts, payload["kind"], scope.runs
        counts.gets += runs * len(payload.get("wakes", ()))
        step = self._steps.get(payload.get("step", ""))
        if kind == "step" and step is not None:
            self._machine_of[step.name] = scope.machine
            counts.gets += self._upstream_gets(step, runs)
            counts.puts += runs
            counts.gb_seconds += self._estimates.work[step.name] * _gb(step.compute)
            return
        counts.gb_seconds += OWN_S * runs * _gb(StepCompute())
        if kind == "start":
            counts.puts += 2
        elif kind == "items":
            self._machine_of[payload["steps"][0]] = scope.machine
            counts.gets += runs * (1 + len(payload.get("waits", ())))
            counts.puts += runs if payload.get("listed") else 0
        elif kind == "gate":
            self._gates.add(payload["step"])
            counts.gets += runs * len(payload.get("waits", ()))
        elif kind == "end":
            mapped = {step.map_over for step in self._steps.values()} - {None}
            counts.gets += 1 + len(mapped) + sum(self._estimates.items.get(name, 1) for name in self._steps)
            counts.puts += 2

    def _upstream_gets(self, step: Step, runs: int) -> int:
        """One for each distinct upstream step; where the results of all items are collected, one for each item and one
        for the list of them."""
        collected = {ref.step for inp in step.inputs if inp.kind == "collect" for ref in inp.sources}
        items = self._estimates.items
        return runs * sum(1 + items[name] if name in collected & items.keys() else 1 for name in step.upstream())

    def _add_events(self, scope: _Scope, events: int) -> None:
        self.counts.events[scope.machine] += events * scope.passes

    def _items_before(self, scope: _Scope, name: str) -> int:
        """How many items the Map ``name`` runs over: as many as the steps that the Task before it names."""
        for state in scope.states.values():
            if state.get("Next") == name and state["Type"] == "Task":
                asked = state["Parameters"].get("Payload", state["Parameters"])
                for step in asked.get("steps", ()):
                    return self._estimates.items.get(step, ASSUMED_ITEMS)
        return ASSUMED_ITEMS


def _way_of_success(scope: _Scope) -> Iterator[tuple[str, dict[str, Any]]]:
    """The states that are entered when nothing goes wrong and nothing parks."""
    name: str | None = scope.start
    while name is not None:
        state = scope.states[name]
        yield name, state
        name = state.get("Next")


def _gb(compute: StepCompute) -> float:
    return compute.memory_mb / 1024


def cost_of(counts: Counts) -> Cost:
    """The price of a run."""
    return Cost(
        transitions=prices.TRANSITION.of(counts.transitions),
        compute=prices.GB_SECOND.of(counts.gb_seconds),
        invocations=prices.INVOCATION.of(counts.invocations),
        storage=prices.PUT.of(counts.puts) + prices.GET.of(counts.gets),
    )
