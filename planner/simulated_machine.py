"""A definition, walked state by state as the service would: branches at once, items at once, nested executions."""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from solidstate.planner.history import (
    CALLBACK_EVENTS,
    EXECUTION_EVENTS,
    ITERATION_EVENTS,
    MAP_EVENTS,
    OTHER_EVENTS,
    PARALLEL_EVENTS,
    TASK_EVENTS,
)
from solidstate.planner.map_states import MAP_CONCURRENCY
from solidstate.planner.simulated_calls import Attempt, Caller
from solidstate.planner.simulated_data import SimulationError, fill_in, look_up, placed, put_result
from solidstate.planner.simulated_steps import SimulatedSteps
from solidstate.planner.simulated_time import Agenda
from solidstate.planner.states import CALLBACK, START_EXECUTION, STATES_ALL, group_in, machine_arn

_FIELDS = {
    "Task": {"Resource", "Parameters", "TimeoutSeconds", "Retry", "Catch"},
    "Parallel": {"Branches", "Catch"},
    "Map": {"ItemsPath", "ItemReader", "ItemSelector", "MaxConcurrency", "ToleratedFailureCount"}
    | {"ItemProcessor", "Catch", "Label"},
    "Pass": {"Parameters"},
    "Succeed": set[str](),
    "Fail": {"Error", "CausePath"},
}
_ANYWHERE = {"Type", "Comment", "Next", "End", "ResultPath", "OutputPath"}


class Execution:
    """One history: how many events it has so far."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.events = EXECUTION_EVENTS


class End(msgspec.Struct, frozen=True):
    """How and when the pipeline's own execution ended."""

    succeeded: bool
    at_s: float


class _Scope(msgspec.Struct, frozen=True):
    """A machine, a branch or the processor of a Map while it runs for one item: ``context`` is what ``$$`` means."""

    execution: Execution
    states: dict[str, Any]
    context: dict[str, Any]
    done: Callable[[Any], None]
    broken: Callable[[str], None]


class Interpreter:
    """Walks states. What takes time is handed to the agenda, so nothing recurses deeper than branches are nested.

    ``last_entered`` is when the pipeline's own execution went on to its last call of the function: End run.
    """

    def __init__(self, agenda: Agenda, steps: SimulatedSteps, parts: Mapping[str, dict[str, Any]]) -> None:
        self.transitions = 0
        self.executions: list[Execution] = []
        self.last_entered = 0.0
        self._agenda = agenda
        self._times = agenda.latencies
        self._steps = steps
        self._parts = parts
        self._end: End | None = None

    def run(self, name: str, machine: dict[str, Any]) -> End | None:
        """One execution of the pipeline's own machine, to its end; None when it never comes to one."""
        self._begin(
            name,
            machine,
            {},
            lambda _: self._finish(succeeded=True),
            lambda _: self._finish(succeeded=False),
        )
        self._agenda.run()
        return self._end

    def _finish(self, *, succeeded: bool) -> None:
        self._end = End(succeeded, self._agenda.now)

    def _begin(
        self,
        name: str,
        machine: dict[str, Any],
        given: Any,
        done: Callable[[Any], None],
        broken: Callable[[str], None],
        context: Mapping[str, Any] | None = None,
    ) -> None:
        """A new execution of a machine."""
        execution = Execution(name)
        self.executions.append(execution)
        about = {"Id": f"arn:{name}", "Name": name, "Input": given}
        scope = _Scope(execution, machine["States"], {**(context or {}), "Execution": about}, done, broken)
        self._enter(scope, machine["StartAt"], given)

    def _enter(self, scope: _Scope, name: str, data: Any) -> None:
        if name not in scope.states:
            raise SimulationError(f"There is no state `{name}` where one is to be entered.", subject=name)
        self.transitions += 1
        if scope.states[name].get("Parameters", {}).get("kind") == "end":
            self.last_entered = self._agenda.now
        self._agenda.soon(self._times.transition_s, lambda: self._do(scope, name, data))

    def _do(self, scope: _Scope, name: str, data: Any) -> None:
        state = scope.states[name]
        kind = state["Type"]
        unknown = state.keys() - _FIELDS.get(kind, set()) - _ANYWHERE
        if kind not in _FIELDS or unknown:
            field = min(unknown) if kind in _FIELDS else kind
            raise SimulationError(f"The simulator does not know `{field}` of state `{name}`.", subject=name)
        if kind == "Task":
            self._task(scope, name, data)
        elif kind == "Parallel":
            self._parallel(scope, name, data)
        elif kind == "Map":
            self._map(scope, name, data)
        elif kind == "Fail":
            scope.execution.events += 1  # entered, and never left
            look_up(state["CausePath"], data, scope.context)
            scope.broken(state["Error"])
        else:
            scope.execution.events += OTHER_EVENTS
            result = fill_in(state["Parameters"], data, scope.context) if "Parameters" in state else data
            self._leave(scope, state, data, result)

    def _leave(self, scope: _Scope, state: dict[str, Any], data: Any, result: Any) -> None:
        output = put_result(state, data, result)
        if "Next" in state:
            self._enter(scope, state["Next"], output)
        else:
            scope.done(output)

    def _fault(self, scope: _Scope, name: str, data: Any, error: str, cause: str) -> None:
        """A state failed for good: on to whoever catches it."""
        for catcher in scope.states[name].get("Catch", ()):
            if error in catcher["ErrorEquals"] or STATES_ALL in catcher["ErrorEquals"]:
                said = {"Error": error, "Cause": msgspec.json.encode({"errorMessage": cause}).decode()}
                self._enter(scope, catcher["Next"], placed(catcher.get("ResultPath", "$"), data, said))
                return
        scope.broken(error)

    def _count_retry(self, execution: Execution, events: int) -> None:
        self.transitions += 1
        execution.events += events

    def _parallel(self, scope: _Scope, name: str, data: Any) -> None:
        state = scope.states[name]
        scope.execution.events += PARALLEL_EVENTS
        results: list[Any] = [None] * len(state["Branches"])
        left = set(range(len(results)))

        def join(number: int, output: Any) -> None:
            results[number] = output
            left.remove(number)
            if not left:
                self._leave(scope, state, data, results)

        for number, branch in enumerate(state["Branches"]):
            done = functools.partial(join, number)
            inner = _Scope(scope.execution, branch["States"], scope.context, done, _stopper(name))
            self._enter(inner, branch["StartAt"], data)

    def _map(self, scope: _Scope, name: str, data: Any) -> None:
        state = scope.states[name]
        scope.execution.events += MAP_EVENTS
        processor = state["ItemProcessor"]
        apart = processor["ProcessorConfig"]["Mode"] == "DISTRIBUTED"
        if apart:
            items = self._steps.listing(fill_in(state["ItemReader"]["Parameters"], data, scope.context)["Key"])
        else:
            items = look_up(state["ItemsPath"], data, scope.context)
        todo = deque(enumerate(items))
        left = set(range(len(items)))

        def begin_next() -> None:
            number, value = todo.popleft()
            context = {**scope.context, "Map": {"Item": {"Index": number, "Value": value}}}
            given = fill_in(state["ItemSelector"], data, context)
            done = functools.partial(end, number)
            if apart:
                begin = functools.partial(self._begin, f"{name} {number}", processor, given, done, _stopper(name))
                self._agenda.soon(self._times.nested_start_s, begin)
            else:
                scope.execution.events += ITERATION_EVENTS
                inner = _Scope(scope.execution, processor["States"], context, done, _stopper(name))
                self._enter(inner, processor["StartAt"], given)

        def end(number: int, _: Any) -> None:
            left.remove(number)
            if todo:
                begin_next()
            elif not left:
                pause = self._times.nested_end_s if apart else 0.0
                self._agenda.soon(pause, lambda: self._leave(scope, state, data, [{}] * len(items)))

        if not items:
            self._leave(scope, state, data, [])
        most = state.get("MaxConcurrency") or len(items)
        for _ in range(min(len(items), most if apart else min(most, MAP_CONCURRENCY))):
            begin_next()

    def _task(self, scope: _Scope, name: str, data: Any) -> None:
        state = scope.states[name]
        resource = state["Resource"]
        if resource not in (CALLBACK, START_EXECUTION) and group_in(resource) is None:
            raise SimulationError(f"The simulator does not know the resource `{resource}` of `{name}`.", subject=name)
        scope.execution.events += CALLBACK_EVENTS if resource in (CALLBACK, START_EXECUTION) else TASK_EVENTS
        if resource == START_EXECUTION:
            self._nested(scope, name, data)
        else:
            caller = Caller(
                functools.partial(self._leave, scope, state, data),
                functools.partial(self._fault, scope, name, data),
                functools.partial(self._count_retry, scope.execution),
            )
            Attempt(self._agenda, self._steps, caller, (name, state, data, scope.context)).start()

    def _nested(self, scope: _Scope, name: str, data: Any) -> None:
        state = scope.states[name]
        asked = fill_in(state["Parameters"], data, scope.context)
        arn = str(asked["StateMachineArn"])
        part = next((part for part in self._parts if machine_arn(part) == arn), None)
        if part is None:
            raise SimulationError(f"`{name}` starts `{arn}`, but there is no part of that name.", subject=name)

        def done(output: Any) -> None:
            self._agenda.soon(self._times.nested_end_s, lambda: self._leave(scope, state, data, {"Output": output}))

        begin = functools.partial(self._begin, part, self._parts[part], asked["Input"], done, _stopper(name))
        self._agenda.soon(self._times.nested_start_s, begin)


def _stopper(name: str) -> Callable[[str], None]:
    """Branches, items and nested executions never fail in what we compile: each would stop its neighbours."""

    def stop(error: str) -> None:
        raise SimulationError(f"`{error}` inside of `{name}` would stop everything beside it.", subject=name)

    return stop
