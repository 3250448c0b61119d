"""One attempt of one step: load, check, call, check, store, commit, answer.

The order matters for reliability: nothing an attempt writes is visible to others before its commit.
"""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec

from solidstate.errors import IntermediateError, StorageError, StorageUnavailable
from solidstate.events import EngineEvent, StepStart, StepSuccess
from solidstate.handler.attempt import Attempt
from solidstate.handler.awaiting import AWAITED, settled
from solidstate.handler.boundary import call
from solidstate.handler.committed import base
from solidstate.handler.endings import adopted, commit, record_failure, skipped
from solidstate.handler.inputs import load_inputs
from solidstate.handler.outcome import UserCodeRaised, classified
from solidstate.handler.outputs import OutputTaker
from solidstate.handler.rendezvous import arrive, conclude, pass_by
from solidstate.handler.repeats import NO_ANSWER
from solidstate.handler.runtime import InvocationContext, Runtime, complete_handle, loaded_for
from solidstate.handler.type_io import TypeIo
from solidstate.handler.upstream import Skip, Upstream, fetch_upstream
from solidstate.handler.verdicts import judge_inputs, withheld
from solidstate.planner.contract import StepDigest, StepPayload
from solidstate.storage.commits import Commit, CommittedOutput, fingerprint_of


def run_step(
    runtime: Runtime, payload: StepPayload, invocation: InvocationContext, *, answer: bool = True
) -> StepDigest:
    """Run one attempt, or park the step until others have ended. Returns its digest; raises AttemptFailed (recorded),
    PlanChanged or StorageUnavailable.

    Without ``answer`` the digest holds no more than the status: the inline engine has nobody to read it to.
    """
    loaded = loaded_for(runtime, payload.run, payload.step, *payload.waits)
    run = complete_handle(runtime, payload.run)
    if run is not payload.run:
        payload = msgspec.structs.replace(payload, run=run)
    if run.steps is not None and payload.step not in run.steps:
        digest = pass_by(runtime, payload)
    else:
        attempt = Attempt(runtime, loaded, payload, invocation)
        try:
            digest = _attempted(attempt, answer=answer)
        finally:
            attempt.close()
    if payload.token is not None or payload.wakes:
        conclude(runtime, payload, digest)
    return digest


def _attempted(attempt: Attempt, *, answer: bool) -> StepDigest:
    """What became of the attempt, whatever happens in it."""
    try:
        if attempt.number > 1:  # an earlier attempt may have committed and died before it could answer
            done = adopted(attempt)
            if done is not None:
                return done
        upstream: Upstream | None = None
        if attempt.payload.waits or attempt.payload.woken:
            parked, upstream = arrive(
                attempt.runtime, attempt.payload, attempt.loaded.steps, lambda: fetch_upstream(attempt)
            )
            if parked is not None:
                return parked
        start = attempt.recorder.emit(StepStart, solid=attempt.step.solid)
        if attempt.sink is not None:
            attempt.tell(start)
        attempt.watch()
        return _computed(attempt, upstream or fetch_upstream(attempt), answer=answer)
    except UserCodeRaised as raised:
        cause: BaseException = raised.original
    except StorageUnavailable as unavailable:  # not of the step's making: the state machine repeats it by itself
        facts = {"reason": unavailable.problem}
        attempt.tell(attempt.recorder.emit(EngineEvent, message=NO_ANSWER, fields=facts))
        attempt.store_last_events()
        raise
    except KeyboardInterrupt:
        with contextlib.suppress(StorageError):
            attempt.store_events()  # what is known of the attempt that was stopped
        raise
    except Exception as error:  # noqa: BLE001 - refused by a rule, or a bug of ours: recorded, never swallowed
        cause = error
    finally:
        for unmet in attempt.recorder.unmet:
            attempt.tell(unmet)
    with contextlib.suppress(StorageError):
        done = adopted(attempt)  # an attempt that was believed to be dead may have committed meanwhile
        if done is not None:
            return done
    failed = classified(cause, attempt.label)
    record_failure(attempt, failed, cause)
    raise failed from cause


def _computed(attempt: Attempt, upstream: Upstream, *, answer: bool) -> StepDigest:
    run, step, solid, recorder = attempt.run, attempt.step, attempt.solid, attempt.recorder
    if run.from_run is not None:
        _check_reused(attempt, upstream.commits)
    skip = upstream.skip()
    if skip is not None:
        return skipped(attempt, skip, answer=answer)
    mine = (run.request or {}).get("solids", {}).get(step.name)
    io = TypeIo(solid, mine, recorder, attempt.log, attempt.open_fs) if mine else None
    values = load_inputs(attempt, upstream, io)
    if solid.expectations:
        unmet = judge_inputs(solid, values, recorder)
        if unmet is not None:
            sources = [f"{ref.step}.{ref.output}" for inp in step.inputs for ref in inp.sources]
            skip = Skip(f"expectation `{unmet.label}` was not met", sources, decided=True)
            return skipped(attempt, skip, answer=answer)
    outputs = _call(attempt, values, (mine or {}).get("config", {}), io)
    kept = withheld(recorder.unmet, solid, step.name) if recorder.unmet else {}
    success = recorder.emit(StepSuccess, duration_s=recorder.elapsed())
    fingerprint = fingerprint_of(attempt.loaded.hash, mine or {}, upstream.hashes())
    return commit(
        attempt,
        "success",
        outputs,
        fingerprint,
        success,
        kept,
        answer=answer,
    )


def _check_reused(attempt: Attempt, commits: dict[str, Commit | None]) -> None:
    """A step of the reused run that has no result there will not get one any more."""
    run = attempt.run
    for upstream, found in commits.items():
        if found is None and attempt.run_of(base(upstream)) != run.id:
            raise IntermediateError(
                f"Run `{run.from_run}` has no result of `{upstream}`, needed by `{attempt.label}`.",
                subject=upstream,
                hint=f"select `{base(upstream)}` too, or reuse a run in which it succeeded",
            )


def _call(attempt: Attempt, values: dict[str, Any], config: Any, io: TypeIo | None) -> list[CommittedOutput]:
    """Call the solid and take what it gives."""
    solid = attempt.solid
    arguments, typed = values, None
    if solid.config_type is not None:
        doing = f"making the config of `{attempt.step.name}`"
        typed = call(doing, msgspec.convert, config, solid.config_type, str_keys=True)
        arguments = {**values, "config": typed}
    taker = OutputTaker(attempt, io)
    if not solid.takes_context:  # who has no context has no resources
        return taker.take(_settled(call("", solid.fn, **arguments)))
    stack = attempt.stack(solid.resources)
    try:
        return taker.take(_settled(call("", solid.fn, attempt.context(typed, stack), **arguments)))
    finally:
        for event in stack.close():
            attempt.tell(event)


def _settled(result: Any) -> Any:
    return call("", settled, result) if type(result) in AWAITED else result
