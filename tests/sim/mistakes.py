"""Mistakes in the protocol, planted one at a time: a simulator that does not find them proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from solidstate.errors import MissingObject
from solidstate.handler import end, endings, items, rendezvous, start, step, upstream
from solidstate.handler.attempt import Attempt
from solidstate.handler.rendezvous import Meeting
from solidstate.handler.runtime import Runtime
from solidstate.handler.upstream import Upstream
from solidstate.planner.contract import StepDigest, StepPayload
from solidstate.storage import keys
from solidstate.storage.records import encode_record
from tests.sim.objects import SimulatedStore

Plant = Callable[[Callable[[Any, str, Any], None]], None]
"""Puts mistakes in their places: what it is given replaces an attribute until the mistake is taken out again."""


@contextmanager
def planted(plant: Plant) -> Iterator[None]:
    """While this lasts the runtime has a mistake."""
    before: list[tuple[Any, str, Any]] = []

    def replace(owner: Any, name: str, value: Any) -> None:
        before.append((owner, name, owner.__dict__[name] if isinstance(owner, type) else getattr(owner, name)))
        setattr(owner, name, value)

    plant(replace)
    try:
        yield
    finally:
        for owner, name, value in reversed(before):
            setattr(owner, name, value)


Replace = Callable[[Any, str, Any], None]


def plain_overwrite(replace: Replace) -> None:
    """A commit is put, not created."""
    put = SimulatedStore.put

    def overwrite(self: SimulatedStore, key: str, body: bytes, *, if_absent: bool = False) -> bool:
        return put(self, key, body, if_absent=if_absent and not key.startswith("v1/commits/"))

    replace(SimulatedStore, "put", overwrite)


def fixed_output_key(replace: Replace) -> None:
    """All attempts write an output under one key."""
    data = keys.data

    def fixed(pipeline: str, step: str, run: str, attempt_id: str, output: str, **more: Any) -> str:
        return data(pipeline, step, run, "output", output, **more)

    replace(keys, "data", fixed)


def commit_before_output(replace: Replace) -> None:
    """An output that is an object of its own is written when its commit is already there."""
    put, commit = SimulatedStore.put, endings.commit
    held: dict[int, list[tuple[str, bytes]]] = {}

    def hold(self: SimulatedStore, key: str, body: bytes, *, if_absent: bool = False) -> bool:
        if key.startswith("v1/data/") and "/items/" not in key:
            held.setdefault(id(self), []).append((key, body))
            return True
        return put(self, key, body, if_absent=if_absent)

    def then_write(attempt: Attempt, *args: Any, **more: Any) -> StepDigest:
        digest = commit(attempt, *args, **more)
        mine = f"/{attempt.attempt_id}/"
        for key, body in [one for one in held.get(id(attempt.store), []) if mine in one[0]]:
            put(attempt.store, key, body)  # type: ignore[arg-type]  # simulations have no other store
        return digest

    replace(SimulatedStore, "put", hold)
    replace(step, "commit", then_write)


def wake_before_marker(replace: Replace) -> None:
    """After a failure, those who wait are woken before it is on record that the step has ended."""

    def record_end(runtime: Runtime, payload: Any) -> dict[str, Any]:
        meeting = Meeting(runtime, payload.run, payload.item)
        meeting.wake(payload.step, payload.wakes)
        meeting.end(payload.step)
        return {}

    replace(rendezvous, "record_end", record_end)


def wakes_before_its_result_is_there(replace: Replace) -> None:
    """A step wakes who waits for it, and then commits."""
    commit = endings.commit

    def wake_and_commit(attempt: Attempt, *args: Any, **more: Any) -> StepDigest:
        payload = attempt.payload
        Meeting(attempt.runtime, payload.run, payload.item).wake(payload.step, payload.wakes)
        digest = commit(attempt, *args, **more)
        attempt.payload = msgspec.structs.replace(payload, wakes=[])
        return digest

    def conclude(runtime: Runtime, payload: StepPayload, digest: StepDigest) -> None:
        if digest.status != "parked" and payload.token is not None:
            Meeting(runtime, payload.run, payload.item).answer(payload.token, digest)

    replace(step, "commit", wake_and_commit)
    replace(step, "conclude", conclude)


def no_look_after_parking(replace: Replace) -> None:
    """A step parks, and does not look once more."""

    def park(self: Meeting, step: str, token: str, missing: Sequence[str]) -> None:
        body = msgspec.json.encode(rendezvous.Parked(token, list(missing)))
        number = 0
        while not self._store.put(self._key(step, number), body, if_absent=True):
            number += 1

    replace(Meeting, "park", park)


def wakes_without_looking(replace: Replace) -> None:
    """Whoever ends wakes those who wait for it, although others have not ended."""

    def wake_step(self: Meeting, ended: str, name: str) -> bool:
        number = 0
        while True:
            try:
                body = self._store.get(self._key(name, number))
            except MissingObject:
                return False
            if self._wake(msgspec.json.decode(body, type=rendezvous.Parked).token):
                return True
            number += 1

    replace(Meeting, "_wake_step", wake_step)


def one_token_for_all(replace: Replace) -> None:
    """Whoever parks again overwrites the token that is there."""

    def park(self: Meeting, step: str, token: str, missing: Sequence[str]) -> None:
        self._store.put(self._key(step, 0), msgspec.json.encode(rendezvous.Parked(token, list(missing))))
        if self.first_missing(missing) is None:
            self._wake(token)

    replace(Meeting, "park", park)


def answers_before_it_wakes(replace: Replace) -> None:
    """A step lets its own state go on, and then wakes the others."""

    def conclude(runtime: Runtime, payload: StepPayload, digest: StepDigest) -> None:
        meeting = Meeting(runtime, payload.run, payload.item)
        if digest.status == "parked":
            return
        if payload.token is not None:
            meeting.answer(payload.token, digest)
        if payload.wakes:
            meeting.wake(payload.step, payload.wakes)

    replace(step, "conclude", conclude)


def adopts_the_wrong_attempt(replace: Replace) -> None:
    """Who finds a result of another attempt makes it its own: the commit is made to name it."""
    adopted = endings.adopted

    def adopt(attempt: Attempt) -> StepDigest | None:
        done = adopted(attempt)
        if done is not None:
            body = attempt.store.get(attempt.commit_key)
            theirs = body.partition(b'"attempt_id":"')[2].partition(b'"')[0]
            attempt.store.put(attempt.commit_key, body.replace(theirs, attempt.attempt_id.encode()))
        return done

    replace(endings, "adopted", adopt)
    replace(step, "adopted", adopt)


def ignores_412(replace: Replace) -> None:
    """Who comes second takes its own result for the result, and answers with it."""
    put = SimulatedStore.put

    def always(self: SimulatedStore, key: str, body: bytes, *, if_absent: bool = False) -> bool:
        return put(self, key, body, if_absent=if_absent) or key.startswith("v1/commits/")

    replace(SimulatedStore, "put", always)


def events_not_flushed(replace: Replace) -> None:
    """What no commit holds is not put on record."""
    replace(Attempt, "store_events", lambda self, begin=0: None)


def no_look_for_a_commit(replace: Replace) -> None:
    """What has failed does not look whether another attempt has succeeded, nor does a second attempt."""
    replace(step, "adopted", lambda attempt: None)


def deletes_on_failure(replace: Replace) -> None:
    """Who fails clears up, and takes away what others have made."""
    failure = endings.record_failure

    def clear_up(attempt: Attempt, failed: Any, cause: BaseException) -> None:
        attempt.store.delete(attempt.commit_key)
        failure(attempt, failed, cause)

    replace(step, "record_failure", clear_up)


def deletes_what_lost(replace: Replace) -> None:
    """An attempt that finds a result of another one removes the outputs of the step, not only its own."""
    adopted = endings.adopted

    def adopt(attempt: Attempt) -> StepDigest | None:
        done = adopted(attempt)
        if done is not None:
            run = attempt.run
            prefix = keys.data_prefix(run.pipeline, attempt.step.name, run.id)
            for info in attempt.store.list(prefix):
                attempt.store.delete(info.key)
        return done

    replace(endings, "adopted", adopt)
    replace(step, "adopted", adopt)


def a_retry_is_a_new_run(replace: Replace) -> None:
    """Start run does not know its own record again."""

    def write(runtime: Runtime, loaded: Any, record: Any) -> None:
        key = keys.run_record(record.pipeline, record.run)
        runtime.store.put(keys.plan(record.pipeline, record.plan), loaded.encoded, if_absent=True)
        if not runtime.store.put(key, encode_record(record), if_absent=True):
            raise start.run_exists(record.pipeline, record.run)

    replace(start, "_write", write)


def item_under_the_key_of_its_step(replace: Replace) -> None:
    """All items of a mapped step commit under one key."""
    commit = keys.commit

    def one(pipeline: str, step: str, run: str, item: str = "") -> str:
        return commit(pipeline, step, run)

    replace(keys, "commit", one)


def skips_for_good(replace: Replace) -> None:
    """That something before it has failed is committed, as if it could not succeed any more."""
    skip = Upstream.skip

    def decided(self: Upstream) -> Any:
        found = skip(self)
        return msgspec.structs.replace(found, decided=True) if found is not None else None

    replace(Upstream, "skip", decided)


def runs_without_its_inputs(replace: Replace) -> None:
    """A step does not mind that something it reads has no result."""
    found = upstream.fetch_upstream

    def forgiving(attempt: Attempt) -> Upstream:
        read = found(attempt)
        read.commits = {name: commit for name, commit in read.commits.items() if commit is not None}
        return read

    replace(step, "fetch_upstream", forgiving)


def a_late_result_is_a_success(replace: Replace) -> None:
    """End run does not mind steps that were left out."""
    replace(end, "_left_out", lambda found: [])


def items_are_told_once(replace: Replace) -> None:
    """Which items there are is answered once; whoever asks again is told of none."""
    asked: set[tuple[str, str]] = set()
    items_in = items.items_in

    def forgetful(store: Any, pipeline: str, over: Any, run: str) -> Any:
        if (run, over.step) in asked:
            return []
        asked.add((run, over.step))
        return items_in(store, pipeline, over, run)

    replace(items, "items_in", forgetful)


MISTAKES: tuple[Plant, ...] = (
    plain_overwrite,
    fixed_output_key,
    commit_before_output,
    wake_before_marker,
    wakes_before_its_result_is_there,
    no_look_after_parking,
    wakes_without_looking,
    one_token_for_all,
    answers_before_it_wakes,
    adopts_the_wrong_attempt,
    ignores_412,
    events_not_flushed,
    no_look_for_a_commit,
    deletes_on_failure,
    deletes_what_lost,
    a_retry_is_a_new_run,
    item_under_the_key_of_its_step,
    skips_for_good,
    runs_without_its_inputs,
    a_late_result_is_a_success,
    items_are_told_once,
)
