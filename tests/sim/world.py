"""One simulation: the machine, the function, the store and the task tokens, and the scheduler that plays with them.

At each turn one invocation, or one write that is still on its way, goes on by one operation; which one, and what goes
wrong, is decided by ``Choices``. Nothing takes time: whatever could happen next may.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec

from solidstate.handler.entry import make_handler
from solidstate.handler.runtime import Runtime
from solidstate.storage import keys
from tests.sim import faults as fault
from tests.sim.choices import Choices
from tests.sim.faults import Profile
from tests.sim.invocations import Ending, Invocation, hold_up, label
from tests.sim.machine import Execution
from tests.sim.objects import SimulatedStore
from tests.sim.pipelines import Case
from tests.sim.solids import Unit
from tests.sim.surroundings import in_place_of
from tests.sim.tasks import TIMEOUT, Asking

MOST_TURNS = 100_000


class NeverEnds(Exception):
    """More turns than any run needs."""


class Returned(NamedTuple):
    """What an invocation of a step has answered."""

    unit: Unit
    request: str
    digest: dict[str, Any]


class World:
    """``injected`` counts the faults by kind, ``struck`` those of each unit; ``bodies`` how often each body began;
    ``read`` is what they were given; ``given_up`` are the units whose state failed for good, with the errors;
    ``seen`` is what was wrong with an invocation when it ended."""

    def __init__(
        self,
        case: Case,
        choices: Choices,
        profile: Profile,
        *,
        store: SimulatedStore | None = None,
        trace: bool = False,
        most_turns: int = MOST_TURNS,
    ) -> None:
        self.case = case
        self.choices = choices
        self.profile = profile
        self.store = store if store is not None else SimulatedStore()
        self.runtime = Runtime(
            [case.loaded],
            self.store,
            engine="simulated",
            open_fs=lambda: None,
            fetch_workers=1,
            sleep=lambda seconds: None,
            tokens=self,
        )
        self.queue: deque[Callable[[], None]] = deque()
        self.injected: Counter[str] = Counter()
        self.struck: dict[Unit, Counter[str]] = {}
        self.bodies: Counter[Unit] = Counter()
        self.read: dict[tuple[Unit, str], None] = {}
        self.given_up: dict[Unit, list[str]] = {}
        self.seen: list[str] = []
        self.returned: list[Returned] = []
        self.trace: list[str] | None = [] if trace else None
        self.turns = 0
        self.invocations = 0
        self.reconciled_at = 0
        self.closing: dict[int, int] = {}
        self.open: dict[str, Asking] = {}
        self._handler = make_handler(self.runtime)
        self._ready: list[Invocation] = []
        self._of: dict[int, Invocation] = {}
        self._running: Invocation | None = None
        self._last = 0
        self._to_truncate = False
        self._most_turns = most_turns
        self.execution = Execution(self, case.machine, case.parts)

    # -- what the machine asks for

    def ask(self, asking: Asking) -> None:
        if asking.token:
            self.open[asking.token] = asking
        self._of[id(asking)] = self._invoke(asking.payload, asking)

    def close(self, asking: Asking) -> None:
        self.open.pop(asking.token, None)
        invocation = self._of.pop(id(asking), None)
        if invocation is not None:
            invocation.listener = None

    def listed(self, key: str) -> list[Any]:
        found: list[Any] = msgspec.json.decode(self.store.objects.get(key))
        return found

    def gave_up(self, asking: Asking, error: str) -> None:
        """A state has failed for good."""
        for unit in _units(asking.payload):
            self.given_up.setdefault(unit, []).append(error)

    def _invoke(self, payload: dict[str, Any], listener: Asking | None) -> Invocation:
        self.invocations += 1
        invocation = Invocation(self.invocations, payload, listener)
        self._ready.append(invocation)
        return invocation

    # -- what the function asks for

    def succeed(self, token: str, answer: bytes) -> bool:
        return bool(self._answer("ok", token, lambda asking: asking.succeeded(msgspec.json.decode(answer))))

    def fail(self, token: str, error: str, cause: str) -> bool:
        def failed(asking: Asking) -> bool:
            asking.raised(error, cause)
            return True

        return bool(self._answer("ready", token, failed))

    def _answer(self, verb: str, token: str, act: Callable[[Asking], bool]) -> Any:
        def effect() -> bool:
            asking = self.open.get(token)
            return asking is not None and act(asking)

        return hold_up(verb, token, effect, late=lambda act: self.store.late.append((token, act)))

    def body(self, unit: Unit, read: tuple[str, ...]) -> int:
        """A body runs; it may be made to raise."""
        self.bodies[unit] += 1
        for value in read:
            self.read[unit, value] = None
        running = self._running
        if running is None:
            return 0
        if running.payload.get("retry") and self._was_committed(running):
            self.seen.append(f"{running!r} computes what was committed before it began")
        if self._strikes():
            kind = self._kind()
            if kind in (fault.RAISES, fault.ASKS):
                self._note(kind, running)
                raise fault.raised(kind)
        return running.number

    # -- the scheduler

    def run(self) -> None:
        """Until nothing is left to happen."""
        with in_place_of(self.body, self._now):
            while self.queue or self._ready or self.store.late:
                while self.queue:
                    self.queue.popleft()()
                if self._ready or self.store.late:
                    self._turn()

    def _now(self) -> float:
        return 1_000_000.0 + self.turns

    def _turn(self) -> None:
        self.turns += 1
        if self.turns > self._most_turns:
            raise NeverEnds
        ready, late = self._ready, self.store.late
        last, restless = self._last, self.profile.restless
        if len(ready) + len(late) > 1 and (restless == 1.0 or last >= len(ready) or self.choices.happens(restless)):
            last = self.choices.pick(len(ready) + len(late))
        elif last >= len(ready):
            last = 0
        self._last = last
        if last >= len(ready):
            key, act = late.pop(last - len(ready))
            self._say(f"the write of `{key}` arrives")
            act()
            return
        invocation = ready[last]
        strikes = self._strikes()
        if strikes:
            happens = self._struck(invocation, self._kind())
        elif self._to_truncate and _reads_data(invocation):
            self._to_truncate = False
            happens = self._struck(invocation, fault.TRUNCATED)
        else:
            happens = ""
        self._advance(last, invocation, happens)

    def _strikes(self) -> bool:
        profile = self.profile
        return self.injected.total() < profile.most and self.choices.happens(profile.rate) if profile.most else False

    def _kind(self) -> str:
        return self.profile.kinds[self.choices.pick(len(self.profile.kinds))]

    def _struck(self, invocation: Invocation, kind: str) -> str:
        """What is to happen to the next operation of an invocation. What concerns others is done here; what cannot
        happen does not."""
        verb = invocation.verb
        if kind == fault.DUPLICATE:
            self._note(kind, invocation)
            self._invoke(invocation.payload, None)
        elif kind == fault.ZOMBIE and invocation.listener is not None:
            self._note(kind, invocation)
            self._lose(invocation, fault.LOST, "connection lost")
        elif kind == fault.THROTTLED and verb == "start" and invocation.listener is not None:
            self._note(kind, invocation)
            self._ready.remove(invocation)
            self._lose(invocation, fault.REFUSED, "rate exceeded")
            return kind
        elif kind == fault.TIMEOUT and self.open:
            asking = list(self.open.values())[self.choices.pick(len(self.open))]
            self._note(kind, None, asking.payload)
            asking.raised(TIMEOUT, "")
        elif kind == fault.CANCEL and self.execution.status == "RUNNING" and self.choices.pick(3) == 1:
            self._note(kind, None)
            self.execution.stop()
        elif kind == fault.TRUNCATED and not _reads_data(invocation):
            self._to_truncate = True  # the next one
        elif fault.can_strike(kind, verb):
            self._note(kind, invocation)
            return kind
        return ""

    def _advance(self, place: int, invocation: Invocation, happens: str) -> None:
        if happens == fault.THROTTLED:
            return
        if self.trace is not None:
            self._say(
                f"{invocation!r}: {invocation.verb} {invocation.key}".rstrip() + f"  <- {happens}" * bool(happens)
            )
        if not invocation.started and happens:
            ending = Ending("died")
        else:
            if invocation.kind == "end" and not invocation.started:
                self.closing[invocation.number] = self.store.clock
            if not invocation.started:
                invocation.began = self.store.clock
            self._running = invocation
            found = invocation.go_on(self._handler, happens)
            self._running = None
            if found is None:
                return
            ending = found
        self._ready.remove(invocation)
        invocation.forget()
        if self.trace is not None:
            self._say(f"{invocation!r}: {ending.how} {ending.value if ending.how != 'died' else ''}".rstrip())
        self._check_told(invocation, ending)
        self._tell(invocation, ending)

    def _tell(self, invocation: Invocation, ending: Ending) -> None:
        listener: Asking | None = invocation.listener
        if listener is None:
            return
        if ending.how == "returned":
            self._of.pop(id(listener), None)
            listener.returned(ending.value)
        elif ending.how == "raised":
            listener.raised(type(ending.value).__name__, str(ending.value))
        else:
            listener.raised(fault.DEATHS[self.choices.pick(len(fault.DEATHS))], "the process is gone")

    def _lose(self, invocation: Invocation, error: str, cause: str) -> None:
        listener, invocation.listener = invocation.listener, None
        if listener is not None:
            listener.raised(error, cause)

    def _check_told(self, invocation: Invocation, ending: Ending) -> None:
        """A failure that the machine hears of is on record, unless the store did not take it, and there was no result
        when its attempt began."""
        if invocation.kind == "step" and ending.how == "returned":
            self.returned.append(Returned(invocation.unit, invocation.aws_request_id, ending.value))
        name = type(ending.value).__name__
        if name not in ("StepFailed", "StepRefused", "RetryRequested"):
            return
        struck = self.struck.get(invocation.unit, Counter())
        if struck[fault.ERROR_BEFORE] or struck[fault.ERROR_AFTER]:
            return
        if self._was_committed(invocation):
            self.seen.append(f"{invocation!r} raised {name} although there was a result before it began")
        kept = self.attempts_of(invocation.aws_request_id)
        if not any(b'"step_failure"' in body or b'"step_up_for_retry"' in body for body in kept):
            self.seen.append(f"{invocation!r} raised {name}, which is not on record")

    def attempts_of(self, request: str) -> list[bytes]:
        """What an invocation has put on record beside its commit."""
        end = f"-{request}.ndjson"
        every = [key for key in self.store.born if key.endswith(end) and key.startswith("v1/attempts/")]
        return [self.store.objects.get(key) for key in every]

    def _was_committed(self, invocation: Invocation) -> bool:
        run = invocation.payload["run"]["id"]
        key = keys.commit(self.case.name, invocation.unit[0], run, invocation.unit[1])
        return self.store.born.get(key, self.store.clock) < invocation.began

    # -- the record

    def _note(self, kind: str, invocation: Invocation | None, payload: dict[str, Any] | None = None) -> None:
        self.injected[kind] += 1
        told = payload or (invocation.payload if invocation is not None else {})
        for unit in _units(told):
            self.struck.setdefault(unit, Counter())[kind] += 1
        if self.trace is not None:
            self._say(f"** {kind}: {', '.join(map(label, _units(told)))}".rstrip(": "))

    def _say(self, line: str) -> None:
        if self.trace is not None:
            self.trace.append(f"{self.turns:5} {line}")


def _reads_data(invocation: Invocation) -> bool:
    return invocation.verb == "get" and invocation.key.startswith("v1/data/")


def _units(payload: dict[str, Any]) -> list[Unit]:
    """Whom a payload is about; of the question for items, the steps that wait for the answer."""
    if payload.get("kind") == "items":
        return [(step, "") for step in payload["steps"]]
    return [(payload.get("step", ""), payload.get("item") or "")]
