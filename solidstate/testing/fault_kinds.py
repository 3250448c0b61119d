"""The kinds of faults: what each does to an invocation, or to what it says to the store of runs."""

from __future__ import annotations

import dataclasses
import threading
import uuid
from collections.abc import Callable
from typing import Any, Literal

from solidstate.errors import SolidstateError, StorageUnavailable, closest, name_list, shown
from solidstate.infra.local_lambda import LambdaContext
from solidstate.storage import keys
from solidstate.storage.store import ObjectStore
from solidstate.testing.intercepted import InterceptedStore, Verb, When
from solidstate.testing.invocations import Call, Invocation

Moment = Literal["output", "before commit", "after commit"]
MOMENTS: tuple[Moment, ...] = ("output", "before commit", "after commit")


class FaultNotMet(SolidstateError):
    """A fault was asked for, and nothing ran into it."""


class Throttled(Exception):
    """Lambda had no room for the invocation."""


# Step Functions tells an error by this name, and Retry matches it.
Throttled.__name__ = "Lambda.TooManyRequestsException"


class Fault:
    """One fault, on or over. ``count`` says how often it has struck, ``times`` how often it may."""

    what = "fault"

    def __init__(self, step: str | None, item: str | None, times: int) -> None:
        if isinstance(times, bool) or not isinstance(times, int) or times < 1:
            raise SolidstateError(
                f"`times` must be a whole number from 1, got {shown(times)}.", subject="times", hint="write `times=1`"
            )
        self.step = step
        self.item = item
        self.times = times
        self.count = 0
        self.met: dict[str, None] = {}
        self._lock = threading.Lock()

    def concerns(self, invocation: Invocation) -> bool:
        """Whether it may strike there; notes whom it has seen, for the error when it never does."""
        if invocation.step:
            self.met[invocation.step] = None
        if self.step is not None and self.step != invocation.step:
            return False
        return self.item is None or self.item == invocation.item

    def strikes(self) -> bool:
        """Whether it strikes now; counts."""
        with self._lock:
            if self.count >= self.times:
                return False
            self.count += 1
            return True

    def around(self, invocation: Invocation, call: Call) -> Call:  # noqa: ARG002 - for those that strike there
        """``call``, or one in its place that treats the invocation otherwise."""
        return call

    def store_of(self, invocation: Invocation, store: ObjectStore) -> ObjectStore:  # noqa: ARG002 - likewise
        """``store``, or one in its place that treats this invocation otherwise."""
        return store

    def check_met(self) -> None:
        """Raises FaultNotMet when it has not struck."""
        if self.count:
            return
        where = f" of step `{self.step}`" if self.step else ""
        where += f", item `{self.item}`" if self.item else ""
        ran = list(self.met)
        near = closest(self.step, ran) if self.step and self.step not in ran else None
        raise FaultNotMet(
            f"The {self.what}{where} never came about; steps that ran: {name_list(ran) or 'none'}.",
            subject=self.step or self.what,
            hint=f"did you mean `{near}`?"
            if near
            else "run the pipeline inside of the `with` block, with a step that gets to where the fault strikes",
        )


class Throttle(Fault):
    """Invocations that Lambda answers with TooManyRequestsException, before any of our code runs."""

    what = "throttling"

    def around(self, invocation: Invocation, call: Call) -> Call:
        def throttled(context: LambdaContext) -> dict[str, Any]:
            if self.strikes():
                raise Throttled("Rate Exceeded. (Service: Lambda, Status Code: 429)")
            return call(context)

        return throttled if self.concerns(invocation) else call


class Duplicate(Fault):
    """Invocations that are delivered twice, at the same time. Who invoked has the first one's answer, after both."""

    what = "duplicate delivery"

    def around(self, invocation: Invocation, call: Call) -> Call:
        def delivered_twice(context: LambdaContext) -> dict[str, Any]:
            if not self.strikes():
                return call(context)
            again = dataclasses.replace(context, aws_request_id=str(uuid.uuid4()))
            second = threading.Thread(target=_quietly, args=(call, again), name="duplicate", daemon=True)
            second.start()
            try:
                return call(context)
            finally:
                second.join()

        return delivered_twice if self.concerns(invocation) else call


def _quietly(call: Call, context: LambdaContext) -> None:
    try:
        call(context)
    except BaseException:  # noqa: BLE001, S110 - nobody hears of a duplicate's end
        pass


class Broken(Fault):
    """Attempts that end at a moment of their way to the commit: by ``make_error()``, and for good when they are
    ``killed``, so that nothing they do afterwards reaches the store."""

    def __init__(
        self,
        step: str | None,
        item: str | None,
        times: int,
        moment: Moment,
        make_error: Callable[[], BaseException],
        *,
        killed: bool,
    ) -> None:
        super().__init__(step, item, times)
        self.what = f"{'kill' if killed else 'failure'} at `{moment}`"
        self._moment = moment
        self._make_error = make_error
        self._killed = killed

    def store_of(self, invocation: Invocation, store: ObjectStore) -> ObjectStore:
        if not self.concerns(invocation) or not invocation.step:
            return store
        dead = False

        def listen(when: When, verb: Verb, key: str) -> None:
            nonlocal dead
            if dead:
                raise self._make_error()
            if verb == "put" and self._is_now(when, key, invocation) and self.strikes():
                dead = self._killed
                raise self._make_error()

        return InterceptedStore(store, listen)

    def _is_now(self, when: When, key: str, invocation: Invocation) -> bool:
        if self._moment == "after commit":
            return when == "after" and key == invocation.commit_key
        if when == "before" and key == invocation.commit_key:
            return True
        if self._moment == "before commit":
            return False
        prefixes = (
            keys.data_prefix(invocation.pipeline, invocation.step, invocation.run),
            keys.mapped_data_prefix(invocation.pipeline, invocation.step, invocation.run),
        )
        return when == "before" and key.startswith(prefixes)


class Unavailable(Fault):
    """Calls that S3 does not answer, after all the tries that a client makes by itself."""

    what = "unavailability of S3"

    def store_of(self, invocation: Invocation, store: ObjectStore) -> ObjectStore:
        def listen(when: When, verb: Verb, key: str) -> None:
            if when == "before" and self.strikes():
                raise StorageUnavailable(
                    f"Could not {verb} the object `{key}`: S3 did not answer (503 SlowDown, made by the test).",
                    subject=key,
                    hint="try again",
                )

        return InterceptedStore(store, listen) if self.concerns(invocation) else store
