"""What a solid sees as its ``context``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from solidstate.events import (
    ExpectationResult,
    LogMessage,
    Materialization,
    StepMaterialization,
    plain_metadata,
)
from solidstate.handler.acquire import Resources
from solidstate.handler.outcome import Refused
from solidstate.handler.plain import text_of
from solidstate.handler.recorder import Recorder
from solidstate.handler.verdicts import record_expectation

Level = Literal["debug", "info", "warning", "error", "critical"]
LogSink = Callable[[Level, str, dict[str, Any]], None]


class StepLog:
    """``context.log``: a message and structured fields. Each call is an event of the run, a line in the function's log,
    and whatever the loggers of the mode make of it (``write``)."""

    # Messages are positional only, so that a field may be called `message`.

    __slots__ = ("_recorder", "_sink", "_write")

    def __init__(
        self, recorder: Recorder, sink: LogSink | None, write: Callable[[LogMessage], None] | None = None
    ) -> None:
        self._recorder = recorder
        self._sink = sink
        self._write = write

    def debug(self, message: str, /, **fields: Any) -> None:
        self._log("debug", message, fields)

    def info(self, message: str, /, **fields: Any) -> None:
        self._log("info", message, fields)

    def warning(self, message: str, /, **fields: Any) -> None:
        self._log("warning", message, fields)

    def error(self, message: str, /, **fields: Any) -> None:
        self._log("error", message, fields)

    def critical(self, message: str, /, **fields: Any) -> None:
        self._log("critical", message, fields)

    def _log(self, level: Level, message: str, fields: dict[str, Any]) -> None:
        event = self._recorder.emit(LogMessage, level=level, message=text_of(message), fields=plain_metadata(fields))
        if self._sink is not None:
            self._sink(level, event.message, event.fields)
        if self._write is not None:
            self._write(event)


class StepContext:
    """The run and step a solid is part of, and the tools it may use.

    ``item`` is the key of the item a mapped step is run for, else None. ``idempotency_key`` is the same for every
    attempt of this step (and item) in this run: hand it to outside systems that can
    tell repeated requests by such a key. ``remaining_time_s`` is what is left before Lambda ends the attempt.
    """

    def __init__(
        self,
        *,
        run_id: str,
        pipeline: str,
        step_key: str,
        item: str | None,
        attempt: int,
        config: Any,
        resources: Resources,
        recorder: Recorder,
        log: StepLog,
        remaining_time: Callable[[], float],
        open_fs: Callable[[], Any],
        tags: dict[str, str],
        read_run_tags: Callable[[], dict[str, str]],
    ) -> None:
        self.run_id = run_id
        self.pipeline = pipeline
        self.step_key = step_key
        self.item = item
        self.attempt = attempt
        self.config = config
        self.resources = resources
        self.log = log
        self.tags = tags
        self._recorder = recorder
        self._remaining_time = remaining_time
        self._open_fs = open_fs
        self._read_run_tags = read_run_tags

    @property
    def idempotency_key(self) -> str:
        return "/".join(part for part in (self.run_id, self.step_key, self.item) if part)

    @property
    def remaining_time_s(self) -> float:
        return self._remaining_time()

    @property
    def fs(self) -> Any:
        """An fsspec file system: S3 on AWS and moto, local files under the inline engine. Imported at first use; the
        step's resources see the same one."""
        return self._open_fs()

    @property
    def run_tags(self) -> dict[str, str]:
        """The tags of the run; ``tags`` are the solid's. Read from the run's record at first use (one GET)."""
        return self._read_run_tags()

    def emit(self, event: Materialization | ExpectationResult) -> None:
        """Record a Materialization or an ExpectationResult from a solid that returns instead of yielding."""
        record_user_event(self._recorder, event)


def record_user_event(recorder: Recorder, event: object) -> None:
    """Turn what user code emits into an event of the run. Anything else is refused by name."""
    match event:
        case Materialization():
            recorder.emit(
                StepMaterialization,
                label=text_of(event.label),
                path=text_of(event.path),
                description=text_of(event.description),
                metadata=plain_metadata(event.metadata),
            )
        case ExpectationResult():
            record_expectation(recorder, event)
        case _:
            raise Refused(
                f"`context.emit` takes a Materialization or an ExpectationResult, got `{type(event).__name__}`.",
                subject=type(event).__name__,
                hint="log other facts with `context.log.info(message, key=value)`",
            )
