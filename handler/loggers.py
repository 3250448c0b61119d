"""The loggers of a mode: resources of it that are called with every line a step logs, beside its becoming an event."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from solidstate.errors import SolidstateError
from solidstate.events import EngineEvent, LogMessage, ResourceTeardown
from solidstate.handler.acquire import ResourceStack
from solidstate.handler.awaiting import settled
from solidstate.handler.boundary import call
from solidstate.handler.outcome import UserCodeRaised, error_info
from solidstate.handler.recorder import Recorder


class Loggers:
    """Those of one attempt, opened when it logs its first line and closed when it has ended. One that raises is on
    record and left out from then on: what a logger does is no reason for a step to fail."""

    def __init__(self, keys: Sequence[str], stack: ResourceStack, recorder: Recorder) -> None:
        self._left = list(keys)
        self._stack = stack
        self._recorder = recorder

    def write(self, event: LogMessage) -> None:
        for key in list(self._left):
            try:
                write: Any = self._stack.get(key)
                call("", settled, call(f"logging with `{key}`", write, event))
            except UserCodeRaised as raised:
                self._leave_out(key, raised.original)
            except SolidstateError as error:
                self._leave_out(key, error)

    def close(self) -> list[ResourceTeardown]:
        """Close those that were opened; returns how that went."""
        return self._stack.close()

    def _leave_out(self, key: str, error: BaseException) -> None:
        self._left.remove(key)
        told = error_info(error)
        self._recorder.emit(
            EngineEvent,
            message="a logger raised and is left out",
            fields={"logger": key, "error": f"{told.type}: {told.message}"},
        )
