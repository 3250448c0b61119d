"""Requests to the store that were repeated in an invocation, on their way to whoever puts them on record."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from solidstate.events import StorageRetry
from solidstate.planner.contract import StartPayload
from solidstate.storage.store import Repeat

if TYPE_CHECKING:
    from solidstate.handler.runtime import Runtime

Listener = Callable[[Repeat], bytes | None]
"""Hears of a request before it is repeated; gives another body for a write, or None."""


class Repeats:
    """What comes before somebody listens is kept until then."""

    __slots__ = ("_early", "_listener")

    def __init__(self) -> None:
        self._listener: Listener | None = None
        self._early: list[Repeat] = []

    def __call__(self, repeat: Repeat) -> bytes | None:
        if self._listener is not None:
            return self._listener(repeat)
        self._early.append(repeat)
        return None

    def listen(self, listener: Listener) -> None:
        """Tell it all, from the first on."""
        self._listener = listener
        for repeat in self._early:
            listener(repeat)
        self._early.clear()

    def log_unheard(self, runtime: Runtime, payload: Any) -> None:
        """At the end of an invocation that was no attempt of a step, and has no events of its own."""
        sink_of = runtime.log_sink
        if not self._early or sink_of is None:
            return
        run = payload.name if isinstance(payload, StartPayload) else payload.run.id
        step = getattr(payload, "step", "")
        sink = sink_of({"run": run, "step": step} if step else {"run": run})
        if sink is not None:
            for repeat in self._early:
                sink("warning", ASKED_AGAIN, facts_of(repeat))


ASKED_AGAIN = "storage is asked again"
NO_ANSWER = "storage did not answer"


def facts_of(repeat: Repeat | StorageRetry) -> dict[str, Any]:
    """For a line of the log."""
    facts = {"key": repeat.key, "verb": repeat.verb, "came": repeat.came}
    return {**facts, "tries": repeat.tries, "wait_s": repeat.wait_s}
