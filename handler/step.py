"""One attempt of one step: load, check, call, check, store, commit, answer.

The order matters for reliability: nothing an attempt writes is visible to others before its commit.
"""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec

from solidstate.errors import IntermediateError, StorageError, StorageUnavailable
from solidstate.events import StepStart, StepSuccess
from solidstate.handler.attempt import Attempt
from solidstate.handler.awaiting import AWAITED, settled
from solidstate.handler.boundary import call
from solidstate.handler.endings import adopted, commit, record_failure, skipped
from solidstate.handler.inputs import load_inputs
from solidstate.handler.outcome import UserCodeRaised, classified
from solidstate.handler.outputs import OutputTaker
from solidstate.handler.runtime import InvocationContext, Runtime, complete_handle, loaded_for
from solidstate.handler.type_io import TypeIo
from solidstate.handler.upstream import Skip, base, fetch_upstream
from solidstate.handler.verdicts import judge_inputs, withheld
from solidstate.planner.contract import RunHandle, StepDigest, StepPayload
from solidstate.storage.commits import Commit, CommittedOutput, fingerprint_of


def run_step(
    runtime: Runtime, payload: StepPayload, invocation: InvocationContext, *, answer: bool = True
) -> StepDigest:
    """Run one attempt. Returns its digest; raises AttemptFailed (recorded), PlanChanged or StorageUnavailable.

    Without ``answer`` the digest holds no more than the status: the inline engine has nobody to read it to.
    """
    loaded = loaded_for(runtime, payload.run, f"`{payload.step}`")
    run = complete_handle(runtime, payload.run)
    if run.steps is not None and payload.step not in run.steps:
        return StepDigest(step=payload.step, status="not selected")
    attempt = Attempt(runtime, loaded, payload, run, invocation)
    try:
        if attempt.number > 1:  # an earlier attempt may have committed and died before it could answer
            done = adopted(attempt)
            if done is not None:
                return done
        attempt.tell(attempt.recorder.emit(StepStart, solid=attempt.step.solid))
        return _computed(attempt, answer=answer)
    except UserCodeRaised as raised:
        cause: BaseException = raised.original
    except StorageUnavailable as unavailable:  # not of the step's making: the state machine repeats it by itself
        if attempt.sink is not None:
            attempt.sink("warning", "storage did not answer", {"reason": unavailable.problem})
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


def _computed(attempt: Attempt, *, answer: bool) -> StepDigest:
    run, step, solid, recorder = attempt.run, attempt.step, attempt.solid, attempt.recorder
    runtime, loaded = attempt.runtime, attempt.loaded
    workers = runtime.fetch_workers
    upstream = fetch_upstream(
        attempt.store,
        run.pipeline,
        step,
        loaded.steps,
        lambda name: _run_of(run, name),
        workers,
        attempt.item,
        runtime.remembered,
    )
    if run.from_run is not None:
        _check_reused(attempt, upstream.commits)
    skip = upstream.skip()
    if skip is not None:
        return skipped(attempt, skip, answer=answer)
    request: dict[str, Any] = run.request or {}
    mine = request.get("solids", {}).get(step.name, {})
    io = TypeIo(solid, mine, recorder, attempt.log, attempt.open_fs)
    values = load_inputs(loaded, step, loaded.nodes[step.name], upstream, io, attempt.store, recorder, workers)
    if solid.expectations:
        unmet = judge_inputs(solid, values, recorder)
        if unmet is not None:
            sources = [f"{ref.step}.{ref.output}" for inp in step.inputs for ref in inp.sources]
            skip = Skip(f"expectation `{unmet.label}` was not met", sources, decided=True)
            return skipped(attempt, skip, answer=answer)
    outputs = _call(attempt, values, mine.get("config", {}), io)
    kept = withheld(recorder.unmet, solid, step.name) if recorder.unmet else {}
    success = recorder.emit(StepSuccess, duration_s=recorder.elapsed())
    inputs = sorted([out.sha256 for commit in upstream.commits.values() if commit for out in commit.outputs])
    return commit(attempt, "success", outputs, fingerprint_of(loaded.hash, mine, inputs), success, kept, answer=answer)


def _run_of(run: RunHandle, upstream: str) -> str:
    """Whose commit to read: this run's, or the reused run's for a step that is not selected."""
    if run.steps is not None and run.from_run is not None and upstream not in run.steps:
        return run.from_run
    return run.id


def _check_reused(attempt: Attempt, commits: dict[str, Commit | None]) -> None:
    """A step of the reused run that has no result there will not get one any more."""
    run = attempt.run
    for upstream, found in commits.items():
        if found is None and _run_of(run, base(upstream)) != run.id:
            raise IntermediateError(
                f"Run `{run.from_run}` has no result of `{upstream}`, needed by `{attempt.label}`.",
                subject=upstream,
                hint=f"select `{base(upstream)}` too, or reuse a run in which it succeeded",
            )


def _call(attempt: Attempt, values: dict[str, Any], config: Any, io: TypeIo) -> list[CommittedOutput]:
    """Call the solid and take what it gives."""
    solid = attempt.solid
    arguments, typed = values, None
    if solid.config_type is not None:
        doing = f"making the config of `{attempt.step.name}`"
        typed = call(doing, msgspec.convert, config, solid.config_type, str_keys=True)
        arguments = {**values, "config": typed}
    taker = OutputTaker(solid, attempt.label, attempt.attempt_id, attempt.store, attempt.recorder, io)
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
