"""Where steps meet that the state machine does not order: who waits parks under a task token, who ends wakes.

A step that waits for others looks whether they have ended. If so it runs at once. If not, it puts its token where they
find it, looks again, and returns; its state then waits for the token, and no function does. A step that others wait for
first puts on record that it has ended and then looks for their tokens; the last one to end answers them. Of the two one
always comes second and sees what the other wrote: the store needs nothing but reads that see every earlier write. What
is waited for has ended when it has a commit, or a marker that it ended without one.

Everything may be repeated: by another attempt after a crash, by a late duplicate, by both sides at once. Of several
answers to one token the first counts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec

from solidstate.errors import IntermediateError, MissingObject, name_list
from solidstate.handler.committed import label
from solidstate.handler.outcome import Refused
from solidstate.handler.runtime import Runtime
from solidstate.handler.upstream import Upstream, each
from solidstate.planner.contract import READY, EndedPayload, GatePayload, RunHandle, StepDigest, StepPayload
from solidstate.planner.plan import Step
from solidstate.storage import keys

WOKEN = "all that it waits for has ended"
MAX_NAMED = 8


class Parked(msgspec.Struct, frozen=True):
    """What a parked step leaves: its task token, and the steps of which it knew no commit."""

    token: str
    missing: list[str]


class Meeting:
    """The rendezvous of one run, or of one item of it. All that parks, ends and wakes in it goes through here."""

    def __init__(self, runtime: Runtime, run: RunHandle, item: str | None = None) -> None:
        self._runtime = runtime
        self._store = runtime.store
        self._run = run
        self._item = item or ""

    def first_missing(self, names: Sequence[str]) -> str | None:
        """One of ``names`` that has not ended; None when all have. Looks at one, then at two, then at four: few
        requests when most are missing, few rounds when none is."""
        begin, size = 0, 1
        while begin < len(names):
            batch = list(names[begin : begin + size])
            for name, ended in zip(batch, each(self._has_ended, batch, self._runtime.fetch_workers), strict=True):
                if not ended:
                    return name
            begin, size = begin + size, size * 2
        return None

    def check_woken(self, step: str) -> None:
        """Look once more at what ``step`` has parked for. Raises Refused when one of it has not ended: then the step
        was woken too early, and would take what is still to come for what failed."""
        number, missing = 0, list[str]()
        while True:
            key = self._key(step, number)
            try:
                missing += _decoded(self._store.get(key), key).missing
            except MissingObject:
                break
            number += 1
        early = self.first_missing(list(dict.fromkeys(missing)))
        if early is not None:
            raise Refused(
                f"`{label(step, self._item)}` was woken before `{early}` had ended.",
                subject=step,
                hint="start a new run that reuses what this one has; only somebody who answers task tokens beside "
                "solidstate is known to cause this",
            )

    def park(self, step: str, token: str, missing: Sequence[str]) -> None:
        """Leave ``token`` for those of whom the last one to end wakes ``step``."""
        self._log(step, "parked until others have ended", {"waits": list(missing[:MAX_NAMED])})
        body = msgspec.json.encode(Parked(token, list(missing)))
        number = 0  # never in the place of another token: that one may be alive, and this a late duplicate's
        while not self._store.put(self._key(step, number), body, if_absent=True):
            number += 1
        if self.first_missing(missing) is None:  # the last of them may have looked before the token was there
            self._wake(token)

    def end(self, step: str) -> None:
        """Put on record that ``step`` ended without a commit."""
        self._store.put(keys.ended(self._run.pipeline, step, self._run.id, self._item), b"{}")

    def wake(self, ended: str, wakes: Sequence[str]) -> None:
        """Wake those of ``wakes`` that are parked and have nothing more to wait for. It must be on record before that
        ``ended`` has ended."""

        def wake_step(step: str) -> None:
            if self._wake_step(ended, step):
                self._log(ended, "woke a parked step", {"woken": label(step, self._item)})

        each(wake_step, list(wakes), self._runtime.fetch_workers)

    def _wake_step(self, ended: str, step: str) -> bool:
        number = 0
        while True:
            key = self._key(step, number)
            try:
                body = self._store.get(key)
            except MissingObject:
                return False
            parked = _decoded(body, key)
            if self.first_missing(_others(ended, parked.missing)) is not None:
                return False
            if self._wake(parked.token):
                return True
            number += 1  # that was the token of an attempt that is over

    def _wake(self, token: str) -> bool:
        return self._runtime.answering().fail(token, READY, WOKEN)

    def answer(self, token: str, answer: Any) -> None:
        """Let the state of a token go on. One that is closed needs no answer."""
        self._runtime.answering().succeed(token, msgspec.json.encode(answer))

    def _has_ended(self, name: str) -> bool:
        pipeline, run, item = self._run.pipeline, self._run.id, self._item
        committed = self._store.exists(keys.commit(pipeline, name, run, item))
        return committed or self._store.exists(keys.ended(pipeline, name, run, item))

    def _key(self, step: str, number: int) -> str:
        return keys.parked(self._run.pipeline, step, self._run.id, number, self._item)

    def _log(self, step: str, message: str, facts: dict[str, Any]) -> None:
        item = {"item": self._item} if self._item else {}
        sink = self._runtime.log_sink and self._runtime.log_sink({"run": self._run.id, "step": step, **item})
        if sink:
            sink("info", message, facts)


def _others(ended: str, missing: list[str]) -> list[str]:
    """``missing`` without ``ended`` itself, in an order that each of them has for its own: of many that end one after
    the other, each soon finds one that has not, instead of looking at all that have."""
    others = [name for name in missing if name != ended]
    return sorted(others, key=lambda name: hashlib.sha256(f"{ended}/{name}".encode()).digest())


def _decoded(body: bytes, key: str) -> Parked:
    try:
        return msgspec.json.decode(body, type=Parked)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise IntermediateError(
            f"The object `{key}` is not the token of a parked step: {error}.",
            subject=key,
            hint="something else wrote to the bucket; start a new run",
        ) from error


def arrive(
    runtime: Runtime, payload: StepPayload, steps: Mapping[str, Step], read_upstream: Callable[[], Upstream]
) -> tuple[StepDigest | None, Upstream | None]:
    """Before a step that waits for others or has waited for them: the answer when it was parked, None when it can
    begin; and what it reads, if that was read for it and is final."""
    if payload.token is None and not payload.woken:  # nearly every step
        return None, None
    meeting = Meeting(runtime, payload.run, payload.item)
    waits = payload.waits
    # Commits do not tell whether these have ended: of a Map those of many items are read, of what is not selected that
    # of another run, though what comes before it may be selected, and read here, too.
    chosen = payload.run.steps
    apart = {
        name
        for name in waits
        if (steps[name].map_over is not None and payload.item is None) or (chosen is not None and name not in chosen)
    }
    if meeting.first_missing([name for name in waits if name in apart]) is None:
        try:
            upstream = read_upstream()
        except IntermediateError:  # something is there and damaged: the attempt will fail, and tell of it
            return None, None
        if payload.woken:
            if None in upstream.commits.values():
                meeting.check_woken(payload.step)
            return None, upstream
        commits, item = upstream.commits, payload.item or ""
        waits = [name for name in waits if name not in apart and commits.get(label(name, item)) is None]
        if not waits:
            return None, upstream
        if meeting.first_missing(waits) is None:
            return None, None  # one that ended without a commit may have got one between the two looks
    if payload.token is None:
        raise Refused(f"`{payload.step}` waits and has no task token.", subject=payload.step)
    meeting.park(payload.step, payload.token, waits)
    return parked_digest(payload.step, waits), None


def parked_digest(step: str, missing: Sequence[str]) -> StepDigest:
    """The answer of an invocation that has not begun with its step."""
    return StepDigest(step=step, status="parked", reason=f"waits for {name_list(missing, MAX_NAMED)}")


def pass_by(runtime: Runtime, payload: StepPayload) -> StepDigest:
    """In the place of a step that is not selected. It ends when what is before it has, as it would if it were: what is
    ordered after it may read what is before it, and is ordered after that by nothing else."""
    meeting = Meeting(runtime, payload.run, payload.item)
    if payload.token is not None and meeting.first_missing(payload.waits) is not None:
        meeting.park(payload.step, payload.token, payload.waits)
        return parked_digest(payload.step, payload.waits)
    if payload.wakes:
        meeting.end(payload.step)
    return StepDigest(step=payload.step, status="not selected")


def conclude(runtime: Runtime, payload: StepPayload, digest: StepDigest) -> None:
    """After a step: wake who waits for it, then answer its own token. In this order: once the token is answered, nobody
    repeats what was not done."""
    if digest.status == "parked":
        return
    meeting = Meeting(runtime, payload.run, payload.item)
    if payload.wakes:
        meeting.wake(payload.step, payload.wakes)
    if payload.token is not None:
        meeting.answer(payload.token, digest)


def answer_gate(runtime: Runtime, payload: GatePayload) -> dict[str, Any]:
    """Let several steps begin at once, when all that one of them waits for has ended. Like the end of a step, this
    needs no plan."""
    meeting = Meeting(runtime, payload.run, payload.item)
    if meeting.first_missing(payload.waits) is not None:
        meeting.park(payload.step, payload.token, payload.waits)
        return msgspec.to_builtins(parked_digest(payload.step, payload.waits))  # type: ignore[no-any-return]  # a Struct's
    meeting.answer(payload.token, {})
    return {}


def record_end(runtime: Runtime, payload: EndedPayload) -> dict[str, Any]:
    """After a step that failed in whatever way, or after a Map: it has ended, and whoever waits for it goes on. This
    needs no plan, so it is done even when the function was deployed with another one meanwhile."""
    meeting = Meeting(runtime, payload.run, payload.item)
    meeting.end(payload.step)
    meeting.wake(payload.step, payload.wakes)
    return {}
