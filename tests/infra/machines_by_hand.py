"""State machines whose steps meet, written by hand in small pieces, and a local AWS that runs them.

A piece is told the state to go on to, None at the end of a branch, and gives its first state's name and its states.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any

from solidstate.handler.entry import make_handler
from solidstate.handler.runtime import LoadedPipeline, Runtime
from solidstate.infra.local_aws import LocalAws, local_aws
from solidstate.pipeline import PipelineDefinition
from solidstate.planner.build import build_plan
from solidstate.planner.compile import substitute
from solidstate.planner.contract import READY
from solidstate.planner.plan import ExecutionPlan, plan_hash
from solidstate.planner.retries import step_retriers
from solidstate.planner.states import FUNCTION
from solidstate.storage import keys
from solidstate.storage.files import open_s3
from solidstate.storage.records import RunSummary, decode_run_summary
from solidstate.storage.s3 import S3Store, s3_client
from solidstate.storage.task_tokens import StepFunctionsTokens

States = dict[str, Any]
Piece = Callable[[str | None], tuple[str, States]]
BUCKET = "meetings"
CALLBACK = "arn:aws:states:::lambda:invoke.waitForTaskToken"
WAIT_TIMEOUT_S = 14_400


def _ahead(state: dict[str, Any], following: str | None) -> dict[str, Any]:
    return {**state, **({"Next": following} if following else {"End": True})}


def task(payload: dict[str, Any], *, token: bool = False, **more: Any) -> dict[str, Any]:
    """A call of the function; with a token the state waits until that is answered."""
    state: dict[str, Any] = {"Type": "Task", "Resource": FUNCTION, "Parameters": payload, "ResultPath": "$.result"}
    if token:
        sent = {**payload, "token.$": "$$.Task.Token"}
        state |= {"Resource": CALLBACK, "Parameters": {"FunctionName": FUNCTION, "Payload": sent}}
        state["TimeoutSeconds"] = WAIT_TIMEOUT_S
    return {**state, **more}


class Pieces:
    """The pieces of the machines of one plan."""

    def __init__(self, plan: ExecutionPlan) -> None:
        self.plan = plan
        self._base = {"pipeline": plan.pipeline, "plan": plan_hash(plan)}

    def step(
        self, name: str, *, waits: Sequence[str] = (), wakes: Sequence[str] = (), timeout_s: int = WAIT_TIMEOUT_S
    ) -> Piece:
        """A step, with a rendezvous when it ``waits``; what ``wakes`` names has one with it."""
        mapped = self.plan.step(name).map_over is not None
        item = {"item.$": "$.item"} if mapped else {}
        payload: dict[str, Any] = {"kind": "step", "step": name, "run.$": "$.run", "retry.$": "$$.State.RetryCount"}
        payload |= item | ({"waits": list(waits)} if waits else {}) | ({"wakes": list(wakes)} if wakes else {})
        retry = json.loads(_encoded(step_retriers(self.plan.step(name))))

        def piece(following: str | None) -> tuple[str, States]:
            failed = f"{name} failed"
            rest: dict[str, Any] = {"Retry": retry, "Catch": [_caught("States.ALL", failed)]}
            states: States = {}
            if waits:
                after = f"{name} (after wait)"
                timed = {"ErrorEquals": ["States.Timeout"], "IntervalSeconds": 1, "MaxAttempts": 99}
                both: dict[str, Any] = {"Retry": [timed, *retry], "Catch": [_caught(READY, after), *rest["Catch"]]}
                states[name] = _ahead(task(payload, token=True, **both) | {"TimeoutSeconds": timeout_s}, following)
                woken = {key: value for key, value in payload.items() if key != "waits"} | {"woken": True}
                states[after] = _ahead(task(woken, **rest), following)
            else:
                states[name] = _ahead(task(payload, **rest), following)
            if wakes:
                ended = {"kind": "ended", "step": name, "wakes": list(wakes), "run.$": "$.run", **item}
                states[failed] = _ahead(task(ended), following)
            else:
                states[failed] = {"Type": "Pass", **_ahead({}, following)}
            return name, states

        return piece

    def gate(self, step: str, waits: Sequence[str]) -> Piece:
        """One wait before several steps, of which ``step`` is the first."""

        def piece(following: str | None) -> tuple[str, States]:
            name = f"before {step}"
            payload = {"kind": "gate", "step": step, "run.$": "$.run", "waits": list(waits)}
            assert following
            return name, {name: _ahead(task(payload, token=True, Catch=[_caught(READY, following)]), following)}

        return piece

    def region(
        self, names: Sequence[str], inside: Piece, *, waits: Sequence[str] = (), wakes: Sequence[str] = ()
    ) -> Piece:
        """The steps ``names`` for each item, as ``inside`` has them; the reader of the items ``waits``."""
        over = self.plan.step(names[0]).map_over
        assert over is not None
        payload = {"kind": "items", "step": over.step, "output": over.output, "steps": list(names), "run.$": "$.run"}
        payload |= {"waits": list(waits)} if waits else {}

        def piece(following: str | None) -> tuple[str, States]:
            reader, mapper, ended = f"items for {names[0]}", f"{names[0]} for each", f"{names[0]} ended"
            entry, inner = inside(None)
            states: States = {
                reader: _ahead(task(payload, token=bool(waits)), mapper),
                mapper: _ahead(
                    {
                        "Type": "Map",
                        "ItemsPath": "$.result.items",
                        "ItemSelector": {"run.$": "$.run", "item.$": "$$.Map.Item.Value.key"},
                        "ItemProcessor": {
                            "ProcessorConfig": {"Mode": "INLINE"},
                            "StartAt": entry,
                            "States": inner,
                        },
                        "ResultPath": None,
                    },
                    ended if wakes else following,
                ),
            }
            if waits:
                after = f"{reader} (after wait)"
                states[reader]["Catch"] = [_caught(READY, after)]
                woken = {key: value for key, value in payload.items() if key != "waits"} | {"woken": True}
                states[after] = _ahead(task(woken), mapper)
            if wakes:
                told = {"kind": "ended", "step": names[0], "wakes": list(wakes), "run.$": "$.run"}
                states[ended] = _ahead(task(told), following)
            return reader, states

        return piece

    def definition(self, body: Piece) -> dict[str, Any]:
        """The whole machine, from Start run to End run."""
        entry, states = body("End run")
        start = {
            "kind": "start",
            **self._base,
            "execution.$": "$$.Execution.Id",
            "name.$": "$$.Execution.Name",
            "input.$": "$$.Execution.Input",
        }
        states["Start run"] = {"Type": "Task", "Resource": FUNCTION, "Parameters": start, "Next": entry}
        states["End run"] = {
            "Type": "Task",
            "Resource": FUNCTION,
            "Parameters": {"kind": "end", "run.$": "$.run"},
            "End": True,
        }
        return {"StartAt": "Start run", "States": states}


def _caught(error: str, following: str) -> dict[str, Any]:
    return {"ErrorEquals": [error], "ResultPath": "$.result", "Next": following}


def _encoded(value: Any) -> bytes:
    import msgspec

    return msgspec.json.encode(value)


def chain(*pieces: Piece) -> Piece:
    """One after the other."""

    def piece(following: str | None) -> tuple[str, States]:
        states: States = {}
        for one in reversed(pieces):
            following, found = one(following)
            states |= found
        assert following
        return following, states

    return piece


def parallel(name: str, *branches: Piece) -> Piece:
    """Side by side."""

    def piece(following: str | None) -> tuple[str, States]:
        made = [branch(None) for branch in branches]
        inner = [{"StartAt": entry, "States": states} for entry, states in made]
        return name, {name: _ahead({"Type": "Parallel", "Branches": inner, "ResultPath": None}, following)}

    return piece


def nested(name: str, machine: str) -> Piece:
    """Another machine, run to its end."""
    parameters = {"StateMachineArn": machine, "Input": {"run.$": "$.run"}}
    state = {
        "Type": "Task",
        "Resource": "arn:aws:states:::states:startExecution.sync:2",
        "Parameters": parameters,
        "ResultPath": None,
    }
    return lambda following: (name, {name: _ahead(state, following)})


class Ran:
    """One execution and what it left."""

    def __init__(
        self, aws: LocalAws, store: S3Store, pipeline: str, execution: str, invoked: list[dict[str, Any]]
    ) -> None:
        self.described = aws.wait(execution, timeout_s=60)
        self._history = lambda: aws.history(execution)
        self._store, self._pipeline, self.run = store, pipeline, execution.rpartition(":")[2]
        self.invoked = invoked
        key = keys.run_summary(pipeline, self.run)
        assert store.exists(key), self.described
        self.summary: RunSummary = decode_run_summary(store.get(key), key)

    def statuses(self) -> dict[str, str]:
        """Of every step."""
        return {step.step: step.status for step in self.summary.steps}

    def entered(self) -> list[str]:
        """The states of the execution itself, in the order in which they were entered."""
        details = [event.get("stateEnteredEventDetails") for event in self._history()]
        return [found["name"] for found in details if found]

    def failures(self) -> list[str]:
        """The error names of tasks that failed, in order."""
        found = []
        for event in self._history():
            details = event.get("taskFailedEventDetails") or event.get("lambdaFunctionFailedEventDetails")
            found += [details["error"]] if details else []
        return found

    def parked(self, step: str, item: str = "") -> int:
        """How often a step has parked."""
        prefix = keys.parked(self._pipeline, step, self.run, 0, item).rpartition("/")[0]
        return len(list(self._store.list(f"{prefix}/")))


class Meetings:
    """A local AWS whose function runs one pipeline after the other."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        self.store = S3Store(s3_client(aws.endpoint_url, aws.region), BUCKET)
        self.wrapped: Any = self.store
        self.function = aws.create_function("step", 60, 128)
        self.invoked: list[dict[str, Any]] = []
        self.answered: list[dict[str, Any]] = []
        self._count = 0
        self._handler: Any = None
        aws.create_bucket(BUCKET)

    def invoke(self, event: Any, context: Any) -> Any:
        """One call of the function."""
        self.invoked.append(event)
        answer = self._handler(event, context)
        self.answered.append(event)
        return answer

    def load(self, definition: PipelineDefinition, store: Any = None) -> Pieces:
        """Let the function run this pipeline from now on; ``store`` stands between it and S3."""
        loaded = LoadedPipeline(definition, build_plan(definition))
        runtime = Runtime(
            [loaded],
            store if store is not None else self.store,
            engine="moto",
            open_fs=open_s3,
            tokens=StepFunctionsTokens(lambda: self.aws.client("stepfunctions")),
        )
        self._handler = make_handler(runtime)
        self.invoked, self.answered = [], []
        return Pieces(loaded.plan)

    def machine(self, definition: dict[str, Any]) -> str:
        """Create a state machine."""
        self._count += 1
        return self.aws.create_machine(f"m{self._count}", substitute(_encoded(definition), self.function).decode())

    def start(self, pieces: Pieces, body: Piece, document: Any = None, run: str | None = None) -> str:
        """Start an execution."""
        machine = self.machine(pieces.definition(body))
        return self.aws.start(machine, run or f"r{self._count}", document or {})

    def run(self, pieces: Pieces, body: Piece, document: Any = None, run: str | None = None) -> Ran:
        """Start an execution and wait for its end."""
        execution = self.start(pieces, body, document, run)
        return Ran(self.aws, self.store, pieces.plan.pipeline, execution, self.invoked)

    def has_parked(self, pipeline: str, step: str, run: str, item: str = "", number: int = 0) -> bool:
        """Whether a step has."""
        return self.store.exists(keys.parked(pipeline, step, run, number, item))


@contextmanager
def meetings() -> Generator[Meetings]:
    """Open one."""
    made: list[Meetings] = []
    with local_aws(lambda _, event, context: made[0].invoke(event, context)) as aws:
        made.append(Meetings(aws))
        yield made[0]


def until(condition: Callable[[], bool], timeout_s: float = 20.0) -> None:
    """Wait for something that another thread brings about."""
    deadline = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)


class Calls:
    """What solids have done, noted by themselves; and what each is to wait for or to do first, set by a test."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.made: list[str] = []
        self.first: dict[str, Callable[[], object]] = {}

    def note(self, name: str) -> None:
        """To be called first in a solid's body."""
        with self._lock:
            self.made.append(name)
        self.first.get(name, _nothing)()

    def clear(self) -> None:
        """Forget all."""
        self.made.clear()
        self.first.clear()


def _nothing() -> None:
    """What most solids do first."""
