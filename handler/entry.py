"""The Lambda function: one entry for Start run, every step and what is between steps, and End run. Payload in, contract
out, every line logged with its run, step and attempt."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import msgspec

from solidstate.errors import EngineError, short
from solidstate.handler.runtime import InvocationContext, Runtime
from solidstate.handler.step import run_step
from solidstate.planner.contract import (
    EndedPayload,
    EndPayload,
    GatePayload,
    ItemsPayload,
    Payload,
    StartPayload,
    StepPayload,
)

Handler = Callable[[dict[str, Any], InvocationContext], dict[str, Any]]


def make_handler(runtime: Runtime) -> Handler:
    """The function Lambda calls, for a given runtime. Local engines call the very same one."""

    def handler(event: dict[str, Any], context: InvocationContext) -> dict[str, Any]:
        payload = _decoded(event)
        during = runtime.during(context)
        try:
            return answer(during, payload, context)
        finally:
            if during.repeats is not None:
                during.repeats.log_unheard(during, payload)

    def answer(runtime: Runtime, payload: Any, context: InvocationContext) -> dict[str, Any]:
        match payload:
            case StartPayload():
                from solidstate.handler.start import start_run  # once a run; a step needs nothing of it

                return start_run(runtime, payload)
            case StepPayload():
                return msgspec.to_builtins(run_step(runtime, payload, context))  # type: ignore[no-any-return]
            case ItemsPayload():
                from solidstate.handler.items import answer_items

                return answer_items(runtime, payload)
            case GatePayload():
                from solidstate.handler.rendezvous import answer_gate

                return answer_gate(runtime, payload)
            case EndedPayload():
                from solidstate.handler.rendezvous import record_end

                return record_end(runtime, payload)
            case EndPayload():
                from solidstate.handler.end import end_run

                return msgspec.to_builtins(end_run(runtime, payload))  # type: ignore[no-any-return]
            case _:
                raise TypeError(f"unknown payload {type(payload).__name__}")

    return handler


def _decoded(event: Any) -> Payload:
    """Whoever may invoke the function may write anything."""
    try:
        msgspec.json.encode(event)  # half a surrogate pair is valid JSON, and could not be recorded
        return msgspec.convert(event, Payload)  # type: ignore[no-any-return]  # mypy cannot tell of a union
    except (msgspec.ValidationError, ValueError, RecursionError) as error:
        raise EngineError(
            f"This function was invoked with what no state machine of solidstate sends: {short(str(error), 300)}.",
            subject="payload",
            hint="start a run instead: `solidstate start`, or the state machine in the console",
        ) from error


@functools.cache
def _deployed() -> Handler:
    """Made at the first invocation, not at import: a failing import of user code then fails with its own message."""
    from solidstate.handler.deployment import runtime_from_environment

    return make_handler(runtime_from_environment())


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """What ``Handler: solidstate.handler.entry.lambda_handler`` in the SAM template names."""
    return _deployed()(event, context)
