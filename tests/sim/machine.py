"""The service in small: a compiled definition, walked as Step Functions would, time aside.

Branches and items at once, Catch, nested executions, what becomes of everything beside a branch that fails, stopping,
and a redrive, which keeps what has succeeded. States that call the function are in ``tests.sim.tasks``.
"""

from __future__ import annotations

import functools
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Protocol

import msgspec

from solidstate.planner.map_states import MAP_CONCURRENCY
from solidstate.planner.simulated_data import fill_in, look_up, placed, put_result
from solidstate.planner.states import START_EXECUTION, STATES_ALL, machine_arn
from tests.sim.tasks import Asking, TaskRun


class Service(Protocol):
    """What a machine needs of the world around it."""

    queue: deque[Callable[[], None]]

    def ask(self, asking: Asking) -> None: ...
    def close(self, asking: Asking) -> None: ...
    def gave_up(self, asking: Asking, error: str) -> None: ...
    def listed(self, key: str) -> list[Any]: ...


class Scope:
    """A machine, a branch, or what is done for one item, while it runs. ``context`` is what ``$$`` means."""

    __slots__ = ("broken", "context", "done", "execution", "path", "states", "stopped", "within")

    def __init__(
        self,
        execution: Execution,
        states: dict[str, Any],
        context: dict[str, Any],
        path: str,
        done: Callable[[Any], None],
        broken: Callable[[str, str], None],
        within: Scope | None = None,
    ) -> None:
        self.execution = execution
        self.states = states
        self.context = context
        self.path = path
        self.done = done
        self.broken = broken
        self.within = within
        self.stopped = False

    def is_over(self) -> bool:
        """Whether it was stopped, itself or with what is around it."""
        scope: Scope | None = self
        while scope is not None:
            if scope.stopped:
                return True
            scope = scope.within
        return False


class Execution:
    """One execution of a pipeline's machine, with all that are nested in it. ``status`` as the service has it."""

    def __init__(self, service: Service, definition: dict[str, Any], parts: Mapping[str, dict[str, Any]]) -> None:
        self.service = service
        self.definition = definition
        self.parts = {machine_arn(name): part for name, part in parts.items()}
        self.status = "RUNNING"
        self.error = ""
        self.entered = 0
        self.tasks: dict[int, TaskRun] = {}
        self._kept: dict[str, tuple[str | None, Any]] = {}
        self._top: Scope | None = None
        self._about: dict[str, Any] = {}

    def start(self, name: str, given: Any) -> None:
        self._about = {"Id": f"arn:{name}", "Name": name, "Input": given}
        self._begin(given)

    def _begin(self, given: Any) -> None:
        self.status = "RUNNING"
        states, context = self.definition["States"], {"Execution": self._about}
        self._top = Scope(self, states, context, "", lambda _: self._finish("SUCCEEDED"), self._fail)
        self.enter(self._top, self.definition["StartAt"], given)

    def redrive(self) -> None:
        """Once more, with what has succeeded kept."""
        self._begin(self._about["Input"])

    def stop(self) -> None:
        """As somebody asks for it: what runs goes on, and nobody listens."""
        self._finish("ABORTED")

    def _fail(self, error: str, cause: str) -> None:
        self.error = f"{error}: {cause}"
        self._finish("FAILED")

    def _finish(self, status: str) -> None:
        if self.status == "RUNNING":
            self.status = status
            if self._top is not None:
                self._stop(self._top)

    def _stop(self, scope: Scope) -> None:
        scope.stopped = True
        for task in list(self.tasks.values()):
            if task.scope.is_over():
                task.abandon()

    def enter(self, scope: Scope, name: str, data: Any) -> None:
        self.service.queue.append(lambda: self._do(scope, name, data))

    def _do(self, scope: Scope, name: str, data: Any) -> None:
        if scope.is_over():
            return
        self.entered += 1
        kept = self._kept.get(f"{scope.path}/{name}")
        if kept is not None:
            self._go_on(scope, kept[0], kept[1])
            return
        state = scope.states[name]
        kind = state["Type"]
        if kind == "Task" and state["Resource"] == START_EXECUTION:
            self._nested(scope, name, data)
        elif kind == "Task":
            TaskRun(self, scope, name, data).start()
        elif kind == "Parallel":
            self._parallel(scope, name, data)
        elif kind == "Map":
            self._map(scope, name, data)
        elif kind == "Fail":
            scope.broken(state["Error"], str(look_up(state["CausePath"], data, scope.context)))
        elif kind in ("Pass", "Succeed"):
            self.leave(scope, name, data, fill_in(state["Parameters"], data, scope.context) if kind == "Pass" else data)
        else:
            raise AssertionError(kind)

    def leave(self, scope: Scope, name: str, data: Any, result: Any) -> None:
        """A state has succeeded."""
        state = scope.states[name]
        self._keep(scope, name, state.get("Next"), put_result(state, data, result))

    def fault(self, scope: Scope, name: str, data: Any, error: str, cause: str) -> None:
        """A state has failed for good: on to whoever catches it, else all around it fails."""
        for catcher in scope.states[name].get("Catch", ()):
            if error in catcher["ErrorEquals"] or STATES_ALL in catcher["ErrorEquals"]:
                said = {"Error": error, "Cause": msgspec.json.encode({"errorMessage": cause}).decode()}
                self._keep(scope, name, catcher["Next"], placed(catcher.get("ResultPath", "$"), data, said))
                return
        if not scope.is_over():
            scope.broken(error, cause)

    def _keep(self, scope: Scope, name: str, following: str | None, output: Any) -> None:
        if scope.is_over():
            return
        self._kept[f"{scope.path}/{name}"] = following, output
        self._go_on(scope, following, output)

    def _go_on(self, scope: Scope, following: str | None, output: Any) -> None:
        if following is not None:
            self.enter(scope, following, output)
        else:
            self.service.queue.append(lambda: None if scope.is_over() else scope.done(output))

    def _parallel(self, scope: Scope, name: str, data: Any) -> None:
        branches = scope.states[name]["Branches"]
        results: list[Any] = [None] * len(branches)
        left = set(range(len(branches)))

        def join(number: int, output: Any) -> None:
            results[number] = output
            left.discard(number)
            if not left:
                self.leave(scope, name, data, results)

        around = self._around(scope, name, data)
        for number, branch in enumerate(branches):
            done = functools.partial(join, number)
            inner = Scope(
                self, branch["States"], scope.context, f"{scope.path}/{name}:{number}", done, around.broken, around
            )
            self.enter(inner, branch["StartAt"], data)

    def _around(self, scope: Scope, name: str, data: Any) -> Scope:
        """What holds several branches or items: the failure of one stops all."""

        def broken(error: str, cause: str) -> None:
            if not around.is_over():
                self._stop(around)
                self.fault(scope, name, data, error, cause)

        around = Scope(self, {}, scope.context, scope.path, lambda _: None, broken, scope)
        return around

    def _map(self, scope: Scope, name: str, data: Any) -> None:
        state = scope.states[name]
        processor = state["ItemProcessor"]
        apart = processor["ProcessorConfig"]["Mode"] == "DISTRIBUTED"
        if apart:
            items = self.service.listed(fill_in(state["ItemReader"]["Parameters"], data, scope.context)["Key"])
        else:
            items = look_up(state["ItemsPath"], data, scope.context)
        if not items:
            self.leave(scope, name, data, [])
            return
        around = self._around(scope, name, data)
        todo = iter(range(len(items)))
        left = [len(items), state.get("ToleratedFailureCount", 0)]

        def begin_next() -> None:
            number = next(todo, None)
            if number is None:
                return
            context = {**scope.context, "Map": {"Item": {"Index": number, "Value": items[number]}}}
            given = fill_in(state["ItemSelector"], data, context)
            broken = failed if apart else around.broken
            path = f"{scope.path}/{name}:{items[number]['key']}"
            self.enter(
                Scope(self, processor["States"], context, path, ended, broken, around), processor["StartAt"], given
            )

        def ended(_: Any) -> None:
            left[0] -= 1
            begin_next()
            if not left[0]:
                self.leave(scope, name, data, [])

        def failed(error: str, cause: str) -> None:
            left[1] -= 1
            if left[1] < 0:
                around.broken(error, cause)
            else:
                ended(None)

        most = state.get("MaxConcurrency") or len(items)
        for _ in range(min(len(items), most if apart else min(most, MAP_CONCURRENCY))):
            begin_next()

    def _nested(self, scope: Scope, name: str, data: Any) -> None:
        asked = fill_in(scope.states[name]["Parameters"], data, scope.context)
        machine = self.parts[asked["StateMachineArn"]]

        def done(output: Any) -> None:
            self.leave(scope, name, data, {"Output": output})

        def broken(error: str, cause: str) -> None:
            self.fault(scope, name, data, "States.TaskFailed", f"{error}: {cause}")

        context = {**scope.context, "Execution": {**self._about, "Input": asked["Input"]}}
        inner = Scope(self, machine["States"], context, f"{scope.path}/{name}", done, broken, scope)
        self.enter(inner, machine["StartAt"], asked["Input"])
