"""One attempt of one step: load, check, call, check, store, commit, answer.

The order matters for reliability: nothing an attempt writes is visible to others before its commit, and the commit is
created, never overwritten. Whoever loses that race adopts the winner's result.
"""

from __future__ import annotations

import contextlib
from typing import Any

import msgspec

from solidstate.composition import Node
from solidstate.errors import IntermediateError, MissingObject, StorageError, StorageUnavailable
from solidstate.events import (
    AnyEvent,
    EngineEvent,
    ErrorInfo,
    StepFailure,
    StepRetry,
    StepSkipped,
    StepStart,
    StepSuccess,
)
from solidstate.handler.acquire import Resources, ResourceStack
from solidstate.handler.awaiting import AWAITED, settled
from solidstate.handler.boundary import call
from solidstate.handler.context import StepContext, StepLog
from solidstate.handler.digest import MAX_REASON, digest_of
from solidstate.handler.hooks import Ended, call_hooks
from solidstate.handler.inputs import load_inputs
from solidstate.handler.lifelines import tell
from solidstate.handler.outcome import AttemptFailed, UserCodeRaised, classified
from solidstate.handler.outputs import OutputTaker
from solidstate.handler.pauses import SPARE_S, pauses
from solidstate.handler.plain import clip
from solidstate.handler.recorder import Recorder, Scope
from solidstate.handler.rendezvous import Meeting, arrive, conclude
from solidstate.handler.runtime import InvocationContext, LoadedPipeline, Runtime, complete_handle, loaded_for
from solidstate.handler.type_io import TypeIo
from solidstate.handler.upstream import Skip, Upstream, base, fetch_upstream, label, own_commit
from solidstate.handler.verdicts import judge_inputs, withheld
from solidstate.hooks import HookDefinition, HookOccasion
from solidstate.planner.contract import RunHandle, StepDigest, StepPayload, retry_for
from solidstate.planner.plan import Step
from solidstate.storage import keys
from solidstate.storage.commits import (
    Commit,
    CommitStatus,
    CommittedOutput,
    decode_commit,
    decode_commit_events,
    encode_commit,
    fingerprint_of,
)
from solidstate.storage.records import decode_run_record


def run_step(
    runtime: Runtime, payload: StepPayload, invocation: InvocationContext, *, answer: bool = True
) -> StepDigest:
    """Run one attempt, or park the step until others have ended. Returns its digest; raises AttemptFailed (recorded),
    PlanChanged or StorageUnavailable.

    Without ``answer`` the digest holds no more than the status: the inline engine has nobody to read it to.
    """
    loaded = loaded_for(runtime, payload.run, f"`{payload.step}`")
    run = complete_handle(runtime, payload.run)
    if run.steps is not None and payload.step not in run.steps:
        digest = StepDigest(step=payload.step, status="not selected")
    else:
        if run is not payload.run:
            payload = msgspec.structs.replace(payload, run=run)
        digest = _Attempt(runtime, loaded, payload, invocation, answer).run()
    if payload.token is not None or payload.wakes:
        conclude(runtime, payload, digest)
    return digest


class _Attempt:
    __slots__ = (
        *("_fs", "_run_tags", "answer", "attempt_id", "commit_key", "invocation", "item", "label", "loaded", "log"),
        *("node", "number", "payload", "recorder", "run_handle", "runtime", "sink", "step", "store"),
    )

    def __init__(
        self,
        runtime: Runtime,
        loaded: LoadedPipeline,
        payload: StepPayload,
        invocation: InvocationContext,
        answer: bool,
    ) -> None:
        self.runtime = runtime
        self.store = runtime.store
        self.loaded = loaded
        name, run, request = payload.step, payload.run, invocation.aws_request_id
        self.run_handle: RunHandle = run
        self.step: Step = loaded.steps[name]
        self.node: Node = loaded.nodes[name]
        self.payload, self.invocation = payload, invocation
        self.answer = answer
        self.number = number = payload.retry + 1
        self.attempt_id = keys.attempt_id(number, request)
        self.item = item = payload.item or ""
        self.label = label(name, item)
        self.commit_key = keys.commit(run.pipeline, name, run.id, item)
        scope = Scope(run.id, run.pipeline, name, number, run.execution, name, request, item)
        self.recorder = Recorder(scope, runtime.observer)
        self.sink = runtime.log_sink(scope.identity()) if runtime.log_sink else None
        self.log = StepLog(self.recorder, self.sink)
        self._fs: Any = None
        self._run_tags: dict[str, str] | None = None

    def run(self) -> StepDigest:
        try:
            if self.number > 1:  # an earlier attempt may have committed and died before it could answer
                done = self._existing()
                if done is not None:
                    return done
            parked, upstream = arrive(self.runtime, self.payload, self.loaded.steps, self._read_upstream)
            if parked is not None:
                return parked
            start = self.recorder.emit(StepStart, solid=self.step.solid)
            if self.sink is not None:
                self._tell(start)
            return self._attempt(upstream or self._read_upstream())
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
        finally:
            for unmet in self.recorder.unmet:
                self._tell(unmet)
        with contextlib.suppress(StorageError):
            done = self._existing()  # an attempt that was believed to be dead may have committed meanwhile
            if done is not None:
                return done
        failed = classified(cause, self.label)
        self._record_failure(failed, cause)
        raise failed from cause

    def _read_upstream(self) -> Upstream:
        name, steps, runtime = self.loaded.definition.name, self.loaded.steps, self.runtime
        workers, known = runtime.fetch_workers, runtime.remembered
        return fetch_upstream(self.store, name, self.step, steps, self._run_of, workers, self.item, known)

    def _attempt(self, upstream: Upstream) -> StepDigest:
        workers = self.runtime.fetch_workers
        commits = upstream.commits
        self._check_reused(commits)
        skip = upstream.skip()
        if skip is not None:
            return self._skip(skip)
        request = self.run_handle.request or {}
        mine = request.get("solids", {}).get(self.step.name, {})
        solid = self.node.solid
        io = TypeIo(solid, mine, self.recorder, self.log, self.open_fs)
        values = load_inputs(self.loaded, self.step, self.node, upstream, io, self.store, self.recorder, workers)
        if solid.expectations:
            unmet = judge_inputs(solid, values, self.recorder)
            if unmet is not None:
                sources = [f"{ref.step}.{ref.output}" for inp in self.step.inputs for ref in inp.sources]
                return self._skip(Skip(f"expectation `{unmet.label}` was not met", sources, decided=True))
        outputs = self._call(values, mine.get("config", {}), request, io)
        kept = withheld(self.recorder.unmet, solid, self.step.name) if self.recorder.unmet else {}
        success = self.recorder.emit(StepSuccess, duration_s=self.recorder.elapsed())
        inputs = sorted([out.sha256 for commit in commits.values() if commit for out in commit.outputs])
        return self._commit("success", outputs, fingerprint_of(self.loaded.hash, mine, inputs), success, kept)

    def _run_of(self, upstream: str) -> str:
        """Whose commit to read: this run's, or the reused run's for a step that is not selected."""
        run = self.run_handle
        if run.steps is not None and run.from_run is not None and upstream not in run.steps:
            return run.from_run
        return run.id

    def _check_reused(self, commits: dict[str, Commit | None]) -> None:
        """A step of the reused run that has no result there will not get one any more."""
        if self.run_handle.from_run is None:
            return
        for upstream, commit in commits.items():
            if commit is None and self._run_of(base(upstream)) != self.run_handle.id:
                raise IntermediateError(
                    f"Run `{self.run_handle.from_run}` has no result of `{upstream}`, needed by `{self.label}`.",
                    subject=upstream,
                    hint=f"select `{base(upstream)}` too, or reuse a run in which it succeeded",
                )

    def _call(self, values: dict[str, Any], config: Any, request: dict[str, Any], io: TypeIo) -> list[CommittedOutput]:
        solid = self.node.solid
        arguments, typed = values, None
        if solid.config_type is not None:
            typed = call(
                f"making the config of `{self.step.name}`", msgspec.convert, config, solid.config_type, str_keys=True
            )
            arguments = {**values, "config": typed}
        taker = OutputTaker(solid, self.label, self.attempt_id, self.store, self.recorder, io)
        if not solid.takes_context:  # who has no context has no resources
            result = call("", solid.fn, **arguments)
            return taker.take(call("", settled, result) if type(result) in AWAITED else result)
        stack = self._stack(solid.resources, request)
        try:
            return taker.take(_settled(call("", solid.fn, self._context(typed, stack), **arguments)))
        finally:
            for event in stack.close():
                self._tell(event)

    def _stack(self, allowed: tuple[str, ...], request: dict[str, Any]) -> ResourceStack:
        mode = self.loaded.definition.mode(self.run_handle.mode)
        return ResourceStack(mode, allowed, request.get("resources", {}), self.recorder, self.log, self)

    def open_fs(self) -> Any:
        """One file system for the solid, its resources and hooks, made when the first asks."""
        if self._fs is None:
            self._fs = self.runtime.open_fs()
        return self._fs

    def run_tags(self) -> dict[str, str]:
        """Of the run record: they are rarely asked for, so they do not travel with every step."""
        if self._run_tags is None:
            key = keys.run_record(self.loaded.definition.name, self.run_handle.id)
            self._run_tags = decode_run_record(self.store.get(key), key).tags
        return self._run_tags

    def _context(self, config: Any, stack: ResourceStack) -> StepContext:
        return StepContext(
            run_id=self.run_handle.id,
            pipeline=self.loaded.definition.name,
            step_key=self.step.name,
            item=self.item or None,
            attempt=self.number,
            config=config,
            resources=Resources(stack),
            recorder=self.recorder,
            log=self.log,
            remaining_time=lambda: self.invocation.get_remaining_time_in_millis() / 1000,
            open_fs=self.open_fs,
            tags=self.step.tags,
            read_run_tags=self.run_tags,
        )

    def _skip(self, skip: Skip) -> StepDigest:
        skipped = self.recorder.emit(StepSkipped, reason=skip.reason, because=skip.because)
        if skip.decided:
            fingerprint = fingerprint_of(self.loaded.hash, {}, skip.because)
            return self._commit("skipped", [], fingerprint, skipped, for_all_items=skip.for_all_items)
        # Not a result: the failed step may yet succeed in another attempt, so nothing is committed.
        self._tell(skipped)
        self._store_events()
        if self.payload.wakes:
            Meeting(self.runtime, self.run_handle, self.payload.item).end(self.step.name)
        reason = clip(skip.reason, MAX_REASON)
        return StepDigest(step=self.step.name, status="skipped", reason=reason, attempt=self.number)

    def _commit(
        self,
        status: CommitStatus,
        outputs: list[CommittedOutput],
        fingerprint: str,
        ending: AnyEvent,
        kept: dict[str, str] | None = None,
        *,
        for_all_items: bool = False,
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
            withheld=kept or {},
            item=self.item,
            for_all_items=for_all_items,
        )
        body = encode_commit(commit, self.recorder.encoded())
        if self.store.put(self.commit_key, body, if_absent=True):
            if self.runtime.remembered is not None:
                self.runtime.remembered.keep(self.commit_key, body, commit, list(self.recorder.events))
            if self.sink is not None:
                self._tell(ending)  # only now is it true
            digest = (
                digest_of(commit, self.recorder.events, self.commit_key)
                if self.answer
                else StepDigest(step=commit.step, status=commit.status, attempt=commit.attempt)
            )
            if self.node.solid.hooks or self.loaded.definition.hooks:
                self._after(commit)
            return digest
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
        commit = own_commit(
            decode_commit(body, self.commit_key), self.commit_key, self.step.name, self.run_handle.id, self.item
        )
        events = decode_commit_events(body, self.commit_key)
        if commit.attempt_id != self.attempt_id:
            message = "adopted the commit of another attempt"
            self._tell(self.recorder.emit(EngineEvent, message=message, fields={"attempt": commit.attempt_id}))
            self._store_events()
        else:
            self.recorder.continue_after(events)
        self._after(commit)
        return digest_of(commit, events, self.commit_key)

    def _after(self, commit: Commit) -> None:
        """The success hooks, unless the attempt that committed has had them called."""
        if commit.status != "success" or not self._hooks_on("success"):
            return
        pipeline, own = commit.pipeline, commit.attempt_id == self.attempt_id
        try:
            theirs = keys.attempt(pipeline, commit.step, commit.run, commit.attempt_id, self.item)
            if not own and self.store.exists(theirs):
                return
            begin = len(self.recorder.events) if own else 0
            self._call_hooks("success", None, {out.name: out.size for out in commit.outputs})
            self._store_events(begin)
        except StorageError as error:  # the step's result stands, whatever becomes of its hooks
            self._unstored(error)

    def _hooks_on(self, occasion: HookOccasion) -> list[HookDefinition]:
        return [hook for hook in self.node.solid.hooks + self.loaded.definition.hooks if hook.on == occasion]

    def _call_hooks(self, occasion: HookOccasion, error: ErrorInfo | None, outputs: dict[str, int]) -> None:
        request = self.run_handle.request or {}
        hooks = self._hooks_on(occasion)
        ended = Ended(
            self.run_handle, self.loaded.definition.name, self.step, self.item, self.number, error, outputs, self.log
        )
        for event in call_hooks(hooks, ended, lambda hook: self._stack(hook.resources, request), self, self.recorder):
            self._tell(event)

    def _record_failure(self, failed: AttemptFailed, cause: BaseException) -> None:
        retry = retry_for(self.step, type(failed).__name__)
        duration = self.recorder.elapsed()
        pause = 0.0
        event: AnyEvent
        if retry is not None and self.number < retry.max_attempts:
            delay, pause = pauses(retry, self.number, cause)
            event = self.recorder.emit(StepRetry, duration_s=duration, error=failed.error, delay_s=delay)
        else:
            event = self.recorder.emit(StepFailure, duration_s=duration, error=failed.error)
        self._tell(event)
        try:
            self._store_events()
            if isinstance(event, StepFailure) and self._hooks_on("failure"):
                self._call_hooks("failure", failed.error, {})
                self._store_events()
        except StorageError as error:  # must not take the place of the failure itself, which the caller hears of
            self._unstored(error)
        if pause:  # beyond what the policy waits: the state machine cannot be told, so it is waited for here
            left = self.invocation.get_remaining_time_in_millis() / 1000
            self.runtime.sleep(max(0.0, min(pause, left - SPARE_S)))

    def _unstored(self, error: StorageError) -> None:
        if self.sink is not None:
            self.sink("error", "events of the attempt could not be stored", {"reason": error.problem})

    def _tell(self, event: AnyEvent) -> None:
        tell(self.sink, event, self.recorder.events)

    def _store_events(self, begin: int = 0) -> None:
        key = keys.attempt(self.loaded.definition.name, self.step.name, self.run_handle.id, self.attempt_id, self.item)
        self.store.put(key, self.recorder.encoded(begin))


def _settled(result: Any) -> Any:
    return call("", settled, result) if type(result) in AWAITED else result
