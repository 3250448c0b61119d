"""One attempt of one step: load, check, call, check, store, commit, answer.

The order matters for reliability: nothing an attempt writes is visible to others before its commit, and the commit is
created, never overwritten. Whoever loses that race adopts the winner's result.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec

from solidstate.composition import Node
from solidstate.errors import MissingObject, SolidstateError, StorageUnavailable
from solidstate.events import (
    EngineEvent,
    Failure,
    RetryRequested,
    StepExpectation,
    StepFailure,
    StepMaterialization,
    StepRetry,
    StepSkipped,
    StepStart,
    StepSuccess,
    encode_events,
    plain_metadata,
)
from solidstate.handler import outcome
from solidstate.handler.acquire import Resources, ResourceStack
from solidstate.handler.boundary import call
from solidstate.handler.context import StepContext, StepLog
from solidstate.handler.inputs import Skip, fetch_commits, load_inputs, skip_reason
from solidstate.handler.outputs import OutputTaker
from solidstate.handler.recorder import Recorder, Scope
from solidstate.handler.runtime import InvocationContext, LoadedPipeline, Runtime
from solidstate.planner.contract import RunHandle, StepDigest, StepPayload, retry_for
from solidstate.planner.plan import Retry, Step
from solidstate.storage import keys
from solidstate.storage.commits import Commit, CommittedOutput, decode_commit, decode_commit_events, encode_commit
from solidstate.storage.records import decode_run_record


def run_step(runtime: Runtime, payload: StepPayload, invocation: InvocationContext) -> StepDigest:
    """Run one attempt. Returns its digest; raises AttemptFailed (recorded), PlanChanged or StorageUnavailable."""
    loaded = runtime.pipeline(payload.pipeline)
    if payload.plan != loaded.hash:
        raise outcome.PlanChanged(
            f"`{payload.step}`: the state machine follows plan {payload.plan}, the function holds plan {loaded.hash}. "
            "Fix: deploy both together, then start a new run."
        )
    if payload.run.steps is not None and payload.step not in payload.run.steps:
        return StepDigest(step=payload.step, status="not selected")
    return _Attempt(runtime, loaded, payload, invocation).run()


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
        sink = runtime.log_sink(fields) if runtime.log_sink else None
        self.log = StepLog(self.recorder, sink)

    def run(self) -> StepDigest:
        if self.number > 1:  # an earlier attempt may have committed and died before it could answer
            done = self._existing()
            if done is not None:
                return done
        self.recorder.emit(StepStart, solid=self.step.solid)
        try:
            return self._attempt()
        except outcome.UserCodeRaised as raised:
            cause: BaseException = raised.original
            failed = self._failed(cause)
        except (StorageUnavailable, KeyboardInterrupt):
            raise
        except SolidstateError as refused:
            cause = refused
            failed = outcome.StepRefused(outcome.error_info(refused), self.step.name)
        except Exception as error:  # a user's codec, or a bug of ours: recorded like any failure, never swallowed
            cause = error
            failed = outcome.StepFailed(outcome.error_info(error), self.step.name)
        self._record_failure(failed)
        raise failed from cause

    def _attempt(self) -> StepDigest:
        pipeline = self.loaded.definition.name
        commits = fetch_commits(self.store, pipeline, self.step, self._run_of, self.runtime.fetch_workers)
        skip = skip_reason(self.step, commits)
        if skip is not None:
            return self._skip(skip)
        request = self._request()
        mine = request.get("solids", {}).get(self.step.name, {})
        values = load_inputs(self.loaded, self.step, self.node, commits, mine.get("inputs", {}), self.store, self.recorder)
        outputs = self._call(values, mine.get("config", {}), request)
        self.recorder.emit(StepSuccess, duration_s=self.recorder.elapsed())
        inputs = sorted(out.sha256 for commit in commits.values() if commit for out in commit.outputs)
        return self._commit("success", outputs, _fingerprint(self.loaded.hash, mine, inputs))

    def _run_of(self, upstream: str) -> str:
        """Whose commit to read: this run's, or the reused run's for a step that is not selected."""
        run = self.run_handle
        if run.steps is not None and run.from_run is not None and upstream not in run.steps:
            return run.from_run
        return run.id

    def _request(self) -> dict[str, Any]:
        if self.run_handle.request is not None:
            return self.run_handle.request
        key = keys.run_record(self.loaded.definition.name, self.run_handle.id)
        return decode_run_record(self.store.get(key), key).request

    def _call(self, values: dict[str, Any], config: Any, request: dict[str, Any]) -> list[CommittedOutput]:
        solid = self.node.solid
        mode = self.loaded.definition.mode(self.run_handle.mode)
        stack = ResourceStack(mode, solid.resources, request.get("resources", {}), self.recorder, self.log)
        arguments = dict(values)
        typed = None
        if solid.config_type is not None:
            typed = call(f"making the config of `{self.step.name}`", msgspec.convert, config, solid.config_type)
            arguments["config"] = typed
        taker = OutputTaker(solid, self.step.name, self.attempt_id, self.store, self.recorder)
        doing = f"running solid `{solid.name}`"
        try:
            if solid.takes_context:
                context = self._context(typed, stack)
                return taker.take(call(doing, solid.fn, context, **arguments))
            return taker.take(call(doing, solid.fn, **arguments))
        finally:
            stack.close()

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
        self.recorder.emit(StepSkipped, reason=skip.reason, because=skip.because)
        if skip.decided:
            return self._commit("skipped", [], _fingerprint(self.loaded.hash, {}, skip.because), reason=skip.reason)
        # Not a result: the failed step may yet succeed in another attempt, so nothing is committed.
        self._store_events()
        return StepDigest(step=self.step.name, status="skipped", reason=skip.reason, attempt=self.number)

    def _commit(self, status: Any, outputs: list[CommittedOutput], fingerprint: str, reason: str = "") -> StepDigest:
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
            return digest_of(commit, self.recorder.events, self.commit_key, reason)
        done = self._existing()
        if done is None:
            raise StorageUnavailable(
                f"The commit of `{self.step.name}` is there and is not: `{self.commit_key}`.", subject=self.commit_key
            )
        return done

    def _existing(self) -> StepDigest | None:
        """The result another attempt has committed. When it is our own (a lost answer was retried), nothing happened."""
        try:
            body = self.store.get(self.commit_key)
        except MissingObject:
            return None
        commit = decode_commit(body, self.commit_key)
        if commit.attempt_id != self.attempt_id:
            self.recorder.emit(EngineEvent, message="adopted the commit of another attempt", fields={"attempt": commit.attempt_id})
            self._store_events()
        return digest_of(commit, decode_commit_events(body, self.commit_key), self.commit_key)

    def _failed(self, error: BaseException) -> outcome.AttemptFailed:
        """Classify what left user code."""
        name = self.step.name
        if isinstance(error, Failure):
            info = outcome.error_info(error)
            return outcome.StepRefused(msgspec.structs.replace(info, metadata=plain_metadata(error.metadata)), name)
        if isinstance(error, RetryRequested):
            info = outcome.error_info(error)
            return outcome.RetryRequested(msgspec.structs.replace(info, metadata=plain_metadata(error.metadata)), name)
        if isinstance(error, SolidstateError):
            return outcome.StepRefused(outcome.error_info(error), name)
        return outcome.StepFailed(outcome.error_info(error), name)

    def _record_failure(self, failed: outcome.AttemptFailed) -> None:
        retry = retry_for(self.step, type(failed).__name__)
        duration = self.recorder.elapsed()
        if retry is not None and self.number < retry.max_attempts:
            self.recorder.emit(StepRetry, duration_s=duration, error=failed.error, delay_s=delay_after(retry, self.number))
        else:
            self.recorder.emit(StepFailure, duration_s=duration, error=failed.error)
        self._store_events()

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


def digest_of(commit: Commit, events: list[Any], key: str, reason: str = "") -> StepDigest:
    """What a person reads in the console: kept below 8 KiB by shortening names and lists, never by dropping status."""
    expectations = {e.label[:60] or "expectation": "passed" if e.success else "FAILED" for e in events if isinstance(e, StepExpectation)}
    materializations = [f"{e.label[:60]} {e.path[:200]}".strip() for e in events if isinstance(e, StepMaterialization)]
    duration = next((e.duration_s for e in events if isinstance(e, StepSuccess)), 0.0)
    return StepDigest(
        step=commit.step,
        status=commit.status,
        outputs={out.name: f"{out.type[:60]}, {out.size} bytes" for out in commit.outputs[:20]},
        expectations=dict(list(expectations.items())[:20]),
        materializations=materializations[:10],
        reason=(reason or next((e.reason for e in events if isinstance(e, StepSkipped)), ""))[:500],
        duration_s=round(duration, 3),
        attempt=commit.attempt,
        events=key,
    )
