"""Repairs of tasks that wait: for their token to be answered, or for an execution that they have started."""

from __future__ import annotations

import threading
from typing import Any

from solidstate.infra.moto_inside import inside, swap
from solidstate.infra.moto_repairs_api import abort

_SERVICE = "stepfunctions.parser.asl.component.state.exec.state_task.service"
_CLOSED = "Task Timed Out: 'Provided task does not exist anymore'"


class _Over(Exception):
    """Ends a task whose branch or execution was stopped while it waited: there is nobody to hear of an outcome."""


def token_for_each_attempt() -> None:
    """A task that is tried again gets the token of the attempt before, and with it that one's answer: it fails, or
    succeeds, before its function has said anything. A token also stays open when the function has raised."""
    callback = inside(f"{_SERVICE}.state_task_service_callback").StateTaskServiceCallback
    waits = inside(f"{_SERVICE}.resource").ResourceCondition.WaitForTaskToken

    def execute(self: Any, env: Any) -> None:
        if self.resource.condition != waits:
            original(self, env)
            return
        endpoint = env.callback_pool_manager.add(env.states.context_object.update_task_token())
        try:
            original(self, env)
        finally:
            endpoint.interrupt_all()

    original = swap(callback, "_eval_execution", execute)


def first_answer_counts() -> None:
    """The second answer to a token takes the place of the first, if it comes before the task's thread has looked, and
    is accepted even after the task has ended; AWS refuses it. While any execution is still being parsed, every answer
    dies with "'NoneType' object has no attribute 'callback_pool_manager'"."""
    module = inside("stepfunctions.parser.asl.eval.callback.callback")
    api = inside("stepfunctions.parser.api")
    backend = inside("stepfunctions.parser.models").StepFunctionsParserBackend
    lock = threading.Lock()

    def answer(self: Any, token: str, outcome: Any) -> None:
        for execution in self._get_executions():
            worker = execution.exec_worker
            endpoint = worker.env.callback_pool_manager.get(token) if worker is not None and worker.env else None
            if endpoint is None:
                continue
            with lock:
                if endpoint._notify_event.is_set() or execution.status != "RUNNING":
                    raise api.TaskTimedOut(_CLOSED, "TaskTimedOut", 400)
                endpoint.notify(outcome)
            return
        raise api.InvalidToken

    def succeed(self: Any, task_token: str, outcome: str) -> None:
        answer(self, task_token, module.CallbackOutcomeSuccess(callback_id=task_token, output=outcome))

    def fail(self: Any, task_token: str, error: str | None = None, cause: str | None = None) -> None:
        answer(self, task_token, module.CallbackOutcomeFailure(callback_id=task_token, error=error, cause=cause))

    swap(backend, "send_task_success", succeed)
    swap(backend, "send_task_failure", fail)


def stop_what_waits() -> None:
    """A task that waits for its token goes on waiting, in two threads and up to its own time-out, after its execution
    was stopped or a neighbouring branch has failed; and an execution that was stopped takes what its tasks raise then
    for an end of its own."""
    environment = inside("stepfunctions.parser.asl.eval.environment").Environment
    states = inside("stepfunctions.parser.asl.eval.program_state")
    final = (states.ProgramStopped, states.ProgramTimedOut)
    waits = inside(f"{_SERVICE}.resource").ResourceCondition.WaitForTaskToken
    callback = inside(f"{_SERVICE}.state_task_service_callback").StateTaskServiceCallback
    environment.waker = None

    def waking(name: str) -> None:
        def end(self: Any, *given: Any, **named: Any) -> None:
            if name == "set_error" and isinstance(self._program_state, final):
                return
            original(self, *given, **named)
            if self.waker is not None and not self.is_running():
                self.waker()

        original = swap(environment, name, end)

    for name in ("set_ended", "set_error", "set_timed_out", "set_stop"):
        waking(name)

    def wait(self: Any, env: Any, timeout_seconds: int, callback_endpoint: Any, heartbeat_endpoint: Any) -> Any:
        if self.resource.condition == waits:
            _wake_with(env, callback_endpoint.interrupt_all)
        outcome = original_wait(self, env, timeout_seconds, callback_endpoint, heartbeat_endpoint)
        if self.resource.condition == waits and not env.is_running():
            raise _reason(env)
        return outcome

    def failure(self: Any, env: Any, ex: Exception) -> Any:
        if isinstance(ex, _Over):
            raise ex
        return original_failure(self, env, ex)

    original_wait = swap(callback, "_eval_wait_for_task_token", wait)
    original_failure = swap(callback, "_from_error", failure)


def _wake_with(env: Any, waker: Any) -> None:
    """Call ``waker`` as soon as ``env`` does not run any more."""
    env.waker = waker
    if not env.is_running():
        waker()


def _reason(env: Any) -> Exception:
    """Why a task that was woken by the end of its ``env`` goes without an outcome."""
    ended = inside("stepfunctions.parser.asl.eval.program_state").ProgramEnded
    return TimeoutError() if isinstance(env.program_state(), ended) else _Over()


def nested_executions() -> None:
    """A task that waits for a nested execution asks every half second whether it has ended, and leaves it running when
    its own execution is stopped; AWS stops it."""
    module = inside("stepfunctions.parser.backend.execution")
    service = inside(f"{_SERVICE}.state_task_service_sfn").StateTaskServiceSfn
    backends = inside("stepfunctions.parser.models").stepfunctions_parser_backends

    def started(self: Any) -> None:
        self.over = threading.Event()
        original_start(self)

    def stop(self: Any, *given: Any, **named: Any) -> None:
        original_stop(self, *given, **named)
        self.over.set()

    def terminated(self: Any) -> None:
        original_terminated(self)
        self.execution.over.set()

    original_start = swap(module.Execution, "start", started)
    original_stop = swap(module.Execution, "stop", stop)
    original_terminated = swap(module.BaseExecutionWorkerCommunication, "terminated", terminated)

    def waiting(name: str) -> None:
        def resolver(self: Any, env: Any, *given: Any, **named: Any) -> Any:
            arn = str(env.stack[-1]["ExecutionArn"])
            _, _, _, region, account, *_ = arn.split(":")
            nested = backends[account][region].describe_execution(arn)
            ask = original(self, env, *given, **named)

            def leave() -> None:
                nested.over.set()  # nobody but its one starter waits for it
                if nested.status == "RUNNING":
                    why = "the execution that started it goes without it"
                    threading.Thread(target=abort, args=(nested, "", why), daemon=True).start()

            def ended() -> Any:
                nested.over.wait()
                if not env.is_running():
                    raise _reason(env)
                return ask()

            _wake_with(env, leave)
            return ended

        original = swap(service, name, resolver)

    waiting("_build_sync_resolver")
    waiting("_build_sync2_resolver")
