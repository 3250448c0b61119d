"""How an attempt ends: committed, adopted from another attempt, skipped, or failed; and the hooks that follow.

A commit is created and never overwritten. Whoever loses that race adopts the winner's result.
"""

from __future__ import annotations

from solidstate.errors import MissingObject, StorageError, StorageUnavailable
from solidstate.events import AnyEvent, EngineEvent, ErrorInfo, StepFailure, StepRetry, StepSkipped
from solidstate.handler.attempt import Attempt
from solidstate.handler.committed import own_commit
from solidstate.handler.digest import MAX_REASON, digest_of
from solidstate.handler.hooks import Ended, call_hooks
from solidstate.handler.outcome import AttemptFailed
from solidstate.handler.pauses import SPARE_S, pauses
from solidstate.handler.plain import clip
from solidstate.handler.rendezvous import Meeting
from solidstate.handler.tries import failed_before
from solidstate.handler.upstream import Skip
from solidstate.hooks import HookDefinition, HookOccasion
from solidstate.planner.contract import StepDigest, retry_for
from solidstate.storage import keys
from solidstate.storage.commits import (
    Commit,
    CommitStatus,
    CommittedOutput,
    commit_lines,
    decode_commit,
    decode_commit_events,
    fingerprint_of,
)


def commit(
    attempt: Attempt,
    status: CommitStatus,
    outputs: list[CommittedOutput],
    fingerprint: str,
    ending: AnyEvent,
    withheld: dict[str, str],
    *,
    for_all_items: bool = False,
    answer: bool,
) -> StepDigest:
    """Make a result *the* result, unless another attempt has: then that one's is the answer. Without ``answer`` the
    digest holds no more than the status."""
    run, key = attempt.run, attempt.commit_key
    made = Commit(
        run=run.id,
        pipeline=run.pipeline,
        step=attempt.step.name,
        attempt=attempt.number,
        attempt_id=attempt.attempt_id,
        fingerprint=fingerprint,
        status=status,
        outputs=outputs,
        withheld=withheld,
        item=attempt.item,
        for_all_items=for_all_items,
    )
    lines = commit_lines(made)
    events, body = attempt.recorder.written(after=lines)
    if attempt.runtime.repeats is not None:
        attempt.committing = lambda: attempt.recorder.written(after=lines)[1]
    created = attempt.store.put(key, body, if_absent=True)
    attempt.committing = None
    if not created:
        done = adopted(attempt)
        if done is None:
            problem = f"The commit of `{attempt.step.name}` is there and is not: `{key}`."
            raise StorageUnavailable(problem, subject=key)
        return done
    remembered = attempt.runtime.remembered
    if remembered is not None:
        remembered.keep(key, body, made, events)
    if attempt.sink is not None:
        attempt.tell(ending)  # only now is it true
    if answer:
        digest = digest_of(made, events, key)
    else:
        digest = StepDigest(step=made.step, status=status, attempt=made.attempt)
    if attempt.solid.hooks or attempt.loaded.definition.hooks:
        _after(attempt, made, len(attempt.recorder.events))
    return digest


def adopted(attempt: Attempt) -> StepDigest | None:
    """The result another attempt has committed. Our own (its answer was lost and the PUT repeated) is no event."""
    key = attempt.commit_key
    try:
        body = attempt.store.get(key)
    except MissingObject:
        return None
    found = own_commit(
        decode_commit(body, key), key, attempt.run.pipeline, attempt.step.name, attempt.run.id, attempt.item
    )
    events = decode_commit_events(body, key)
    if found.attempt_id != attempt.attempt_id:
        message = "adopted the commit of another attempt"
        attempt.tell(attempt.recorder.emit(EngineEvent, message=message, fields={"attempt": found.attempt_id}))
        attempt.store_events()
    else:
        attempt.recorder.continue_after(events)
    _after(attempt, found, len(events))
    return digest_of(found, events, key)


def skipped(attempt: Attempt, skip: Skip, *, answer: bool) -> StepDigest:
    """The step does not run. What is decided for good is committed; otherwise the failed step may yet succeed in
    another attempt, so that it is only on record."""
    event = attempt.recorder.emit(StepSkipped, reason=skip.reason, because=skip.because)
    if skip.decided:
        fingerprint = fingerprint_of(attempt.loaded.hash, {}, skip.because)
        return commit(attempt, "skipped", [], fingerprint, event, {}, for_all_items=skip.for_all_items, answer=answer)
    attempt.tell(event)
    attempt.store_events()
    if attempt.payload.wakes:
        Meeting(attempt.runtime, attempt.run, attempt.payload.item).end(attempt.step.name)
    reason = clip(skip.reason, MAX_REASON)
    return StepDigest(step=attempt.step.name, status="skipped", reason=reason, attempt=attempt.number)


def record_failure(attempt: Attempt, failed: AttemptFailed, cause: BaseException) -> None:
    """Put a failure on record, as one that another attempt follows or as the last, and call the hooks of the last."""
    retry = retry_for(attempt.step, type(failed).__name__)
    duration = attempt.recorder.elapsed()
    pause = 0.0
    event: AnyEvent
    if retry is not None and (failures := failed_before(attempt) + 1) < retry.max_attempts:
        delay, pause = pauses(retry, failures, cause)
        event = attempt.recorder.emit(StepRetry, duration_s=duration, error=failed.error, delay_s=delay)
    else:
        event = attempt.recorder.emit(StepFailure, duration_s=duration, error=failed.error)
    attempt.tell(event)
    try:
        attempt.store_events()
        if isinstance(event, StepFailure) and _hooks_on(attempt, "failure"):
            _call_hooks(attempt, "failure", failed.error, {})
            attempt.store_events()
    except StorageError as error:  # must not take the place of the failure itself, which the caller hears of
        _unstored(attempt, error)
    if pause:  # beyond what the policy waits: the state machine cannot be told, so it is waited for here
        left = attempt.invocation.get_remaining_time_in_millis() / 1000
        attempt.runtime.sleep(max(0.0, min(pause, left - SPARE_S)))


def _after(attempt: Attempt, made: Commit, held: int) -> None:
    """The success hooks, unless the attempt that committed has had them called; and on record what the commit, which
    has ``held`` events, came too early for."""
    own = made.attempt_id == attempt.attempt_id
    late = own and len(attempt.recorder.events) > held
    hooks = made.status == "success" and _hooks_on(attempt, "success")
    if not hooks and not late:
        return
    try:
        theirs = keys.attempt(made.pipeline, made.step, made.run, made.attempt_id, attempt.item)
        if not own and attempt.store.exists(theirs):
            return
        if hooks:
            _call_hooks(attempt, "success", None, {out.name: out.size for out in made.outputs})
        attempt.store_events(held if own else 0)
    except StorageError as error:  # the step's result stands, whatever becomes of its hooks
        _unstored(attempt, error)


def _hooks_on(attempt: Attempt, occasion: HookOccasion) -> list[HookDefinition]:
    return [hook for hook in attempt.solid.hooks + attempt.loaded.definition.hooks if hook.on == occasion]


def _call_hooks(attempt: Attempt, occasion: HookOccasion, error: ErrorInfo | None, outputs: dict[str, int]) -> None:
    ended = Ended(
        attempt.run, attempt.run.pipeline, attempt.step, attempt.item, attempt.number, error, outputs, attempt.log
    )
    hooks = _hooks_on(attempt, occasion)
    for event in call_hooks(hooks, ended, lambda hook: attempt.stack(hook.resources), attempt, attempt.recorder):
        attempt.tell(event)


def _unstored(attempt: Attempt, error: StorageError) -> None:
    if attempt.sink is not None:
        attempt.sink("error", "events of the attempt could not be stored", {"reason": error.problem})
