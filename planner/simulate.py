"""A compiled pipeline, run in thought: how long it takes, what it costs, and whether it does what its plan says.

Interprets the emitted definitions themselves, as the service would, against assumed latencies and given durations.
Nothing of it is random unless a source of chance is handed in. Users meet it as the estimated makespan of
``solidstate plan --explain``.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from solidstate.planner import contract
from solidstate.planner.limits import (
    ATTEMPT_EVENTS,
    EXECUTION_EVENTS,
    ITERATION_EVENTS,
    MAP_EVENTS,
    OTHER_EVENTS,
    PARALLEL_EVENTS,
    TASK_EVENTS,
)
from solidstate.planner.plan import ExecutionPlan, OutputRef
from solidstate.planner.simulated_data import SimulationError, fill_in, look_up, placed, put_result
from solidstate.planner.simulated_steps import Behaviour, SimulatedSteps
from solidstate.planner.simulated_time import Agenda, Chance, Latencies
from solidstate.planner.states import FUNCTION, STATES_ALL

CALLBACK = "arn:aws:states:::lambda:invoke.waitForTaskToken"
NESTED = "arn:aws:states:::states:startExecution.sync:2"
SUBMITTED_EVENTS = 1
"""What a Task of an optimized integration that waits writes beyond a plain one: that it was submitted."""
INLINE_CONCURRENCY = 40
"""Iterations of an inline Map that run at a time at most (developer guide, "Map state")."""

_FIELDS = {
    "Task": {"Resource", "Parameters", "TimeoutSeconds", "Retry", "Catch"},
    "Parallel": {"Branches", "Catch"},
    "Map": {"ItemsPath", "ItemReader", "ItemSelector", "MaxConcurrency", "ToleratedFailurePercentage"}
    | {"ItemProcessor", "Catch", "Label"},
    "Pass": {"Parameters"},
    "Succeed": set[str](),
    "Fail": {"Error", "CausePath"},
}
_ANYWHERE = {"Type", "Comment", "Next", "End", "ResultPath", "OutputPath"}


class Simulation(msgspec.Struct, frozen=True):
    """What a run would be like. Steps are named as in the plan, one item of a mapped step as ``step[item]``.

    ``makespan_s`` is the whole execution. ``begun_s`` is when Start run had answered and ``ended_s`` when End run was
    gone on to: what lies between is what the nesting answers for. ``parked`` are the steps that had to be woken,
    ``histories`` the events of each execution, the pipeline's own first, ``peak`` the most functions at a time.
    """

    succeeded: bool
    makespan_s: float
    begun_s: float
    ended_s: float
    transitions: int
    invocations: int
    peak: int
    parked: tuple[str, ...]
    histories: tuple[tuple[str, int], ...]
    starts: dict[str, float]
    ends: dict[str, float]
    done: frozenset[str]
    failed: frozenset[str]
    skipped: frozenset[str]


def simulate(
    plan: ExecutionPlan,
    definition: bytes,
    parts: Mapping[str, bytes] | None = None,
    seconds: Mapping[str, float] | None = None,
    *,
    latencies: Latencies | None = None,
    behaviours: Mapping[str, Behaviour] | None = None,
    items: Mapping[OutputRef, int] | None = None,
    cap: int | None = None,
    chance: Chance | None = None,
) -> Simulation:
    """Run ``definition``, which starts ``parts`` by their names, in thought.

    ``seconds`` says how long the steps take, by label or step; what it leaves out takes one second. ``items`` says how
    many items dynamic outputs have, ten where it does not. ``cap`` bounds how many functions run at a time. Raises
    :class:`SimulationError` when a step would begin before its inputs ended or twice, when the run would end without
    it or never, when a branch would fail, and for what only other compilers write.
    """
    agenda = Agenda(latencies or Latencies(), cap, chance)
    steps = SimulatedSteps(plan, agenda, seconds or {}, behaviours or {}, items or {})
    machines = {name: msgspec.json.decode(body) for name, body in (parts or {}).items()}
    return _Interpreter(agenda, steps, machines).run(plan.pipeline, msgspec.json.decode(definition))


class _Execution:
    """One history."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.events = EXECUTION_EVENTS


class _Scope(msgspec.Struct, frozen=True):
    """A machine, a branch or the processor of a Map while it runs for one item: ``context`` is what ``$$`` means."""

    execution: _Execution
    states: dict[str, Any]
    context: dict[str, Any]
    done: Callable[[Any], None]
    broken: Callable[[str], None]


class _Interpreter:
    """Walks states. Every method that ends in time hands on to the agenda, so nothing recurses deeper than nesting."""

    def __init__(self, agenda: Agenda, steps: SimulatedSteps, parts: Mapping[str, dict[str, Any]]) -> None:
        self.agenda = agenda
        self.steps = steps
        self.invocations = 0
        self.begun = self.ended = 0.0
        self._parts = parts
        self._transitions = 0
        self._executions: list[_Execution] = []
        self._end: tuple[bool, float] | None = None

    def run(self, pipeline: str, machine: dict[str, Any]) -> Simulation:
        self._begin(pipeline, machine, {}, lambda _: self._finish(True), lambda _: self._finish(False))
        self.agenda.run()
        if self._end is None:
            raise SimulationError(f"The run would never end: {self.steps.stuck()}.", subject=pipeline)
        endings = self.steps.endings
        return Simulation(
            succeeded=self._end[0],
            makespan_s=self._end[1],
            begun_s=self.begun,
            ended_s=self.ended,
            transitions=self._transitions,
            invocations=self.invocations,
            peak=self.agenda.peak,
            parked=tuple(self.steps.waited),
            histories=tuple((execution.name, execution.events) for execution in self._executions),
            starts=self.steps.starts,
            ends=self.steps.ends,
            done=frozenset(name for name, ending in endings.items() if ending == "done"),
            failed=frozenset(name for name, ending in endings.items() if ending == "failed"),
            skipped=frozenset(name for name, ending in endings.items() if ending == "skipped"),
        )

    def _finish(self, succeeded: bool) -> None:
        self._end = (succeeded, self.agenda.now)

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
        execution = _Execution(name)
        self._executions.append(execution)
        about = {"Id": f"arn:{name}", "Name": name, "Input": given}
        scope = _Scope(execution, machine["States"], {**(context or {}), "Execution": about}, done, broken)
        self._enter(scope, machine["StartAt"], given)

    def _enter(self, scope: _Scope, name: str, data: Any) -> None:
        if name not in scope.states:
            raise SimulationError(f"There is no state `{name}` where one is to be entered.", subject=name)
        self._transitions += 1
        self.agenda.soon(self.agenda.latencies.transition_s, lambda: self._do(scope, name, data))

    def _do(self, scope: _Scope, name: str, data: Any) -> None:
        state = scope.states[name]
        kind = state["Type"]
        unknown = state.keys() - _FIELDS.get(kind, set()) - _ANYWHERE
        if kind not in _FIELDS or unknown:
            field = min(unknown, default=kind)
            raise SimulationError(f"The simulator does not know `{field}` of state `{name}`.", subject=name)
        match kind:
            case "Task":
                self._task(scope, name, data)
            case "Parallel":
                self._parallel(scope, name, data)
            case "Map":
                self._map(scope, name, data)
            case "Pass":
                scope.execution.events += OTHER_EVENTS
                self._leave(scope, state, data, fill_in(state.get("Parameters", data), data, scope.context))
            case "Succeed":
                scope.execution.events += OTHER_EVENTS
                scope.done(put_result({**state, "ResultPath": None}, data, None))
            case _:
                scope.execution.events += 1  # entered, and never left
                look_up(state["CausePath"], data, scope.context)
                scope.broken(state["Error"])

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

    def _parallel(self, scope: _Scope, name: str, data: Any) -> None:
        state = scope.states[name]
        scope.execution.events += PARALLEL_EVENTS
        left = len(state["Branches"])
        results: list[Any] = [None] * left

        def joined(number: int) -> Callable[[Any], None]:
            def join(output: Any) -> None:
                nonlocal left
                results[number] = output
                left -= 1
                if not left:
                    self._leave(scope, state, data, results)

            return join

        for number, branch in enumerate(state["Branches"]):
            inner = _Scope(scope.execution, branch["States"], scope.context, joined(number), _stopper(name))
            self._enter(inner, branch["StartAt"], data)

    def _map(self, scope: _Scope, name: str, data: Any) -> None:
        state = scope.states[name]
        scope.execution.events += MAP_EVENTS
        apart = state["ItemProcessor"].get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED"
        if apart:
            where = fill_in(state["ItemReader"]["Parameters"], data, scope.context)
            items = self.steps.listing(where["Key"])
        else:
            items = look_up(state.get("ItemsPath", "$"), data, scope.context)
        todo = deque(enumerate(items))
        left = len(items)
        pause = self.agenda.latencies.nested_end_s if apart else 0.0
        if not left:
            self._leave(scope, state, data, [])
            return

        def next_one() -> None:
            number, value = todo.popleft()
            context = {**scope.context, "Map": {"Item": {"Index": number, "Value": value}}}
            given = fill_in(state["ItemSelector"], data, context) if "ItemSelector" in state else value
            processor = state["ItemProcessor"]
            if apart:
                begin = self.agenda.latencies.nested_start_s
                child = f"{name} {value}"
                self.agenda.soon(
                    begin, lambda: self._begin(child, processor, given, one_done, _stopper(name), scope.context)
                )
                return
            scope.execution.events += ITERATION_EVENTS
            inner = _Scope(scope.execution, processor["States"], context, one_done, _stopper(name))
            self._enter(inner, processor["StartAt"], given)

        def one_done(_: Any) -> None:
            nonlocal left
            left -= 1
            if not left:
                self.agenda.soon(pause, lambda: self._leave(scope, state, data, [{}] * len(items)))
            elif todo:
                next_one()

        most = state.get("MaxConcurrency") or len(items)
        for _ in range(min(most, len(items)) if apart else min(most, len(items), INLINE_CONCURRENCY)):
            next_one()

    def _task(self, scope: _Scope, name: str, data: Any) -> None:
        state = scope.states[name]
        resource = state["Resource"]
        scope.execution.events += TASK_EVENTS
        if resource == NESTED:
            self._nested(scope, name, data)
        elif resource in (FUNCTION, CALLBACK):
            scope.execution.events += SUBMITTED_EVENTS if resource == CALLBACK else 0
            _Attempt(self, scope, name, data, []).start()
        else:
            raise SimulationError(f"The simulator does not know the resource `{resource}` of `{name}`.", subject=name)

    def _nested(self, scope: _Scope, name: str, data: Any) -> None:
        state = scope.states[name]
        scope.execution.events += SUBMITTED_EVENTS
        asked = fill_in(state["Parameters"], data, scope.context)
        part = str(asked["StateMachineArn"]).removeprefix("${").removesuffix("Arn}")
        if part not in self._parts:
            raise SimulationError(f"`{name}` starts `{asked['StateMachineArn']}`, which is no part.", subject=name)
        times = self.agenda.latencies

        def done(output: Any) -> None:
            self.agenda.soon(times.nested_end_s, lambda: self._leave(scope, state, data, {"Output": output}))

        machine = self._parts[part]
        self.agenda.soon(
            times.nested_start_s, lambda: self._begin(part, machine, asked["Input"], done, _stopper(name))
        )

    # What an attempt of a Task asks for.

    def succeed(self, scope: _Scope, name: str, data: Any, result: Any) -> None:
        self._leave(scope, scope.states[name], data, result)

    def fault(self, scope: _Scope, name: str, data: Any, error: str, cause: str) -> None:
        self._fault(scope, name, data, error, cause)

    def count_retry(self, execution: _Execution, events: int) -> None:
        self._transitions += 1
        execution.events += events


def _stopper(name: str) -> Callable[[str], None]:
    """Branches, items and nested executions never fail in what we compile: each would stop its neighbours."""

    def stop(error: str) -> None:
        raise SimulationError(f"`{error}` inside of `{name}` would stop everything beside it.", subject=name)

    return stop


class _Attempt:
    """One attempt of a Task that calls the function; it makes the next one itself. Counts of uses are by retrier."""

    def __init__(self, machine: _Interpreter, scope: _Scope, name: str, data: Any, used: list[int]) -> None:
        self._machine = machine
        self._scope = scope
        self._name = name
        self._data = data
        self._state: dict[str, Any] = scope.states[name]
        self._used = used or [0] * len(self._state.get("Retry", ()))
        self._callback = self._state["Resource"] == CALLBACK
        self._payload: contract.Payload = self._asked()

    def _asked(self) -> contract.Payload:
        about: dict[str, Any] = {"State": {"Name": self._name, "RetryCount": sum(self._used)}}
        if self._callback:
            about["Task"] = {"Token": self._name}
        asked = fill_in(self._state["Parameters"], self._data, {**self._scope.context, **about})
        try:
            payload: contract.Payload = msgspec.convert(asked["Payload"] if self._callback else asked, contract.Payload)
        except (msgspec.ValidationError, KeyError) as error:
            raise SimulationError(f"`{self._name}` calls the function wrongly: {error}.", subject=self._name) from error
        if self._callback and getattr(payload, "token", None) is None:
            raise SimulationError(f"`{self._name}` waits for a token that it does not hand over.", subject=self._name)
        return payload

    def start(self) -> None:
        self._machine.invocations += 1
        if isinstance(self._payload, contract.EndPayload):
            self._machine.ended = self._machine.agenda.now - self._machine.agenda.latencies.transition_s
        self._machine.agenda.call(lambda: self._machine.steps.handle(self._payload, self))

    def answer(self, value: Any) -> None:
        self._machine.agenda.hang_up()
        if isinstance(self._payload, contract.StartPayload):
            self._machine.begun = self._machine.agenda.now
        self._machine.succeed(self._scope, self._name, self._data, value)

    def park(self) -> None:
        self._machine.agenda.hang_up()

    def wake(self) -> None:
        self._machine.fault(self._scope, self._name, self._data, contract.READY, "")

    def fail(self, error: str, cause: str) -> None:
        self._machine.agenda.hang_up()
        for number, retrier in enumerate(self._state.get("Retry", ())):
            if error not in retrier["ErrorEquals"] and STATES_ALL not in retrier["ErrorEquals"]:
                continue
            if self._used[number] < retrier.get("MaxAttempts", 3):
                self._again(number, retrier)
                return
            break
        self._machine.steps.gave_up(self._payload)
        self._machine.fault(self._scope, self._name, self._data, error, cause)

    def _again(self, number: int, retrier: dict[str, Any]) -> None:
        delay = retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2.0) ** self._used[number]
        delay = min(delay, retrier.get("MaxDelaySeconds", delay))
        if retrier.get("JitterStrategy") == "FULL":
            delay = self._machine.agenda.spread(delay)
        self._used[number] += 1
        self._machine.count_retry(self._scope.execution, ATTEMPT_EVENTS + (SUBMITTED_EVENTS if self._callback else 0))
        following = _Attempt(self._machine, self._scope, self._name, self._data, self._used)
        self._machine.agenda.after(delay, following.start)
