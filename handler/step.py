"""One attempt of one step: load, check, call, check, store, commit, answer.

The order matters for reliability: nothing an attempt writes is visible to others before its commit, and the commit is
created, never overwritten. Whoever loses that race adopts the winner's result.
"""

from __future__ import annotations

import contextlib
import hashlib
from typing import Any

import msgspec

from solidstate.composition import Node
from solidstate.errors import IntermediateError, MissingObject, StorageError, StorageUnavailable
from solidstate.events import (
    AnyEvent,
    EngineEvent,
    ResourceTeardown,
    StepFailure,
    StepRetry,
    StepSkipped,
    StepStart,
    StepSuccess,
    encode_events,
)
from solidstate.handler.acquire import Resources, ResourceStack
from solidstate.handler.boundary import call
from solidstate.handler.context import StepContext, StepLog
from solidstate.handler.digest import MAX_REASON, digest_of
from solidstate.handler.inputs import Skip, fetch_commits, load_inputs, own_commit, skip_reason
from solidstate.handler.lifelines import tell
from solidstate.handler.outcome import AttemptFailed, PlanChanged, UserCodeRaised, classified
from solidstate.handler.outputs import OutputTaker
from solidstate.handler.plain import clip
from solidstate.handler.recorder import Recorder, Scope
from solidstate.handler.runtime import InvocationContext, LoadedPipeline, Runtime
from solidstate.planner.contract import RunHandle, StepDigest, StepPayload, retry_for
from solidstate.planner.plan import Retry, Step
from solidstate.storage import keys
from solidstate.storage.commits import (
    Commit,
    CommitStatus,
    CommittedOutput,
    decode_commit,
    decode_commit_events,
    encode_commit,
)
from solidstate.storage.records import decode_run_record


def run_step(runtime: Runtime, payload: StepPayload, invocation: InvocationContext) -> StepDigest:
    """Run one attempt. Returns its digest; raises AttemptFailed (recorded), PlanChanged or StorageUnavailable."""
    loaded = runtime.pipeline(payload.pipeline)
    if payload.plan != loaded.hash:
        raise PlanChanged(
            f"`{payload.step}`: the state machine follows plan {payload.plan}, the function holds plan {loaded.hash}. "
            "Fix: deploy both together, then start a new run."
        )
    run = complete_handle(runtime, payload.pipeline, payload.run)
    if run.steps is not None and payload.step not in run.steps:
        return StepDigest(step=payload.step, status="not selected")
    return _Attempt(runtime, loaded, msgspec.structs.replace(payload, run=run), invocation).run()


def complete_handle(runtime: Runtime, pipeline: str, run: RunHandle) -> RunHandle:
    """The handle with its request: read from the run record when it was too large to travel (one GET)."""
    if run.request is not None:
        return run
    key = keys.run_record(pipeline, run.id)
    request = decode_run_record(runtime.store.get(key), key).request
    return msgspec.structs.replace(run, request=request, steps=request.get("steps"), from_run=request.get("from_run"))


class _Attempt:
    def __init__(
        self, runtime: Runtime, loaded: LoadedPipeline, payload: StepPayload, invocation: InvocationContext
    ) -> None:
        self.runtime = runtime
        self.store = runtime.store
        self.loaded = loaded
        self.run_handle: RunHandle = payload.run
        self.step: Step = loaded.steps[payload.step]
        self.node: Node = loaded.nodes[payload.step]
        self.invocation = invocation
        self.number = payload.retry + 1
        self.attempt_id = keys.attempt_id(self.number, invocation.aws_request_id)
        self.commit_key = keys.commit(payload.pipeline, self.step.name, self.run_handle.id)
        self.recorder = Recorder(
            Scope(
                run=self.run_handle.id,
                pipeline=payload.pipeline,
                step=self.step.name,
                attempt=self.number,
                execution=self.run_handle.execution,
                state=self.step.name,
                request=invocation.aws_request_id,
            ),
            runtime.observer,
        )
        fields = {"run": self.run_handle.id, "step": self.step.name, "attempt": self.number}
        self.sink = runtime.log_sink(fields) if runtime.log_sink else None
        self.log = StepLog(self.recorder, self.sink)

    def run(self) -> StepDigest:
        try:
            if self.number > 1:  # an earlier attempt may have committed and died before it could answer
                done = self._existing()
                if done is not None:
                    return done
            self._tell(self.recorder.emit(StepStart, solid=self.step.solid))
            return self._attempt()
        except UserCodeRaised as raised:
            cause: BaseException = raised.original
        except StorageUnavailable as unavailable:  # not of the step's making: the state machine repeats it by itself
            if self.sink is not None:
                self.sink("warning", "storage did not answer", {"reason": unavailable.problem})
            raise
        except KeyboardInterrupt:
            with contextlib.suppress(StorageError):
                self._store_events()  # what is known of the attempt that was stopped
            raise
        except Exception as error:  # noqa: BLE001 - refused by a rule, or a bug of ours: recorded, never swallowed
            cause = error
        failed = classified(cause, self.step.name)
        self._record_failure(failed)
        raise failed from cause

    def _attempt(self) -> StepDigest:
        pipeline = self.loaded.definition.name
        commits = fetch_commits(self.store, pipeline, self.step, self._run_of, self.runtime.fetch_workers)
        self._check_reused(commits)
        skip = skip_reason(self.step, commits, self.loaded.steps)
        if skip is not None:
            return self._skip(skip)
        request = self.run_handle.request or {}
        mine = request.get("solids", {}).get(self.step.name, {})
        values = load_inputs(
            self.loaded, self.step, self.node, commits, mine.get("inputs", {}), self.store, self.recorder
        )
        outputs = self._call(values, mine.get("config", {}), request)
        success = self.recorder.emit(StepSuccess, duration_s=self.recorder.elapsed())
        inputs = sorted(out.sha256 for commit in commits.values() if commit for out in commit.outputs)
        return self._commit("success", outputs, _fingerprint(self.loaded.hash, mine, inputs), success)

    def _run_of(self, upstream: str) -> str:
        """Whose commit to read: this run's, or the reused run's for a step that is not selected."""
        run = self.run_handle
        if run.steps is not None and run.from_run is not None and upstream not in run.steps:
            return run.from_run
        return run.id

    def _check_reused(self, commits: dict[str, Commit | None]) -> None:
        """A step of the reused run that has no result there will not get one any more."""
        for upstream, commit in commits.items():
            if commit is None and self._run_of(upstream) != self.run_handle.id:
                raise IntermediateError(
                    f"Run `{self.run_handle.from_run}` has no result of `{upstream}`, needed by `{self.step.name}`.",
                    subject=upstream,
                    hint=f"select `{upstream}` too, or reuse a run in which it succeeded",
                )

    def _call(self, values: dict[str, Any], config: Any, request: dict[str, Any]) -> list[CommittedOutput]:
        solid = self.node.solid
        mode = self.loaded.definition.mode(self.run_handle.mode)
        stack = ResourceStack(mode, solid.resources, request.get("resources", {}), self.recorder, self.log)
        arguments = dict(values)
        typed = None
        if solid.config_type is not None:
            typed = call(
                f"making the config of `{self.step.name}`", msgspec.convert, config, solid.config_type, str_keys=True
            )
            arguments["config"] = typed
        taker = OutputTaker(solid, self.step.name, self.attempt_id, self.store, self.recorder)
        try:
            if solid.takes_context:
                context = self._context(typed, stack)
                return taker.take(call("", solid.fn, context, **arguments))
            return taker.take(call("", solid.fn, **arguments))
        finally:
            stack.close()
            for event in self.recorder.events:
                if isinstance(event, ResourceTeardown):
                    self._tell(event)

    def _context(self, config: Any, stack: ResourceStack) -> StepContext:
        return StepContext(
            run_id=self.run_handle.id,
            pipeline=self.loaded.definition.name,
            step_key=self.step.name,
            attempt=self.number,
            config=config,
            resources=Resources(stack),
            recorder=self.recorder,
            log=self.log,
            remaining_time=lambda: self.invocation.get_remaining_time_in_millis() / 1000,
            open_fs=self.runtime.open_fs,
            tags=self.step.tags,
        )

    def _skip(self, skip: Skip) -> StepDigest:
        skipped = self.recorder.emit(StepSkipped, reason=skip.reason, because=skip.because)
        if skip.decided:
            return self._commit("skipped", [], _fingerprint(self.loaded.hash, {}, skip.because), skipped)
        # Not a result: the failed step may yet succeed in another attempt, so nothing is committed.
        self._tell(skipped)
        self._store_events()
        reason = clip(skip.reason, MAX_REASON)
        return StepDigest(step=self.step.name, status="skipped", reason=reason, attempt=self.number)

    def _commit(
        self, status: CommitStatus, outputs: list[CommittedOutput], fingerprint: str, ending: AnyEvent
    ) -> StepDigest:
        commit = Commit(
            run=self.run_handle.id,
            pipeline=self.loaded.definition.name,
            step=self.step.name,
            attempt=self.number,
            attempt_id=self.attempt_id,
            fingerprint=fingerprint,
            status=status,
            outputs=outputs,
        )
        body = encode_commit(commit, self.recorder.events)
        if self.store.put(self.commit_key, body, if_absent=True):
            self._tell(ending)  # only now is it true
            return digest_of(commit, self.recorder.events, self.commit_key)
        done = self._existing()
        if done is None:
            raise StorageUnavailable(
                f"The commit of `{self.step.name}` is there and is not: `{self.commit_key}`.", subject=self.commit_key
            )
        return done

    def _existing(self) -> StepDigest | None:
        """The result another attempt has committed. Our own (its answer was lost and the PUT repeated) is no event."""
        try:
            body = self.store.get(self.commit_key)
        except MissingObject:
            return None
        commit = own_commit(decode_commit(body, self.commit_key), self.commit_key, self.step.name, self.run_handle.id)
        events = decode_commit_events(body, self.commit_key)
        if commit.attempt_id != self.attempt_id:
            message = "adopted the commit of another attempt"
            self._tell(self.recorder.emit(EngineEvent, message=message, fields={"attempt": commit.attempt_id}))
            self._store_events()
        return digest_of(commit, events, self.commit_key)

    def _record_failure(self, failed: AttemptFailed) -> None:
        retry = retry_for(self.step, type(failed).__name__)
        duration = self.recorder.elapsed()
        event: AnyEvent
        if retry is not None and self.number < retry.max_attempts:
            delay = delay_after(retry, self.number)
            event = self.recorder.emit(StepRetry, duration_s=duration, error=failed.error, delay_s=delay)
        else:
            event = self.recorder.emit(StepFailure, duration_s=duration, error=failed.error)
        self._tell(event)
        try:
            self._store_events()
        except StorageError as error:  # must not take the place of the failure itself, which the caller hears of
            if self.sink is not None:
                self.sink("error", "the events of the failed attempt could not be stored", {"reason": error.problem})

    def _tell(self, event: AnyEvent) -> None:
        tell(self.sink, event, self.recorder.events)

    def _store_events(self) -> None:
        key = keys.attempt(self.loaded.definition.name, self.step.name, self.run_handle.id, self.attempt_id)
        self.store.put(key, encode_events(self.recorder.events))


def delay_after(retry: Retry, attempt: int) -> float:
    """Seconds before the attempt after number ``attempt``, jitter aside."""
    delay = retry.delay_s * retry.backoff ** (attempt - 1)
    return min(delay, retry.max_delay_s) if retry.max_delay_s is not None else delay


def _fingerprint(plan_hash: str, request: Any, inputs: list[str]) -> str:
    """Of what a result depends on, code excepted: a redrive after a bug fix must be able to keep it."""
    body = msgspec.json.encode([plan_hash, request, inputs], order="deterministic")
    return hashlib.sha256(body).hexdigest()[:16]
