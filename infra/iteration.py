"""``execute_pipeline_iterator``: a run driven by whoever reads its events."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator
from typing import Self

from solidstate.errors import SolidstateError
from solidstate.events import AnyEvent
from solidstate.infra.results import PipelineResult
from solidstate.storage.records import RunSummary


class PipelineIterator:
    """The events of a run, as they happen. The next attempt of a step starts only when all events before it were taken.

    ``result`` is there once the iterator is exhausted. Leaving it before (``close()``, or the end of a ``with`` block)
    stops the run between two attempts, and closes it as cancelled with what was done kept.
    """

    def __init__(
        self,
        attempts: Generator[None, None, RunSummary],
        pending: deque[AnyEvent],
        finish: Callable[[RunSummary], PipelineResult],
    ) -> None:
        self._attempts = attempts
        self._pending = pending
        self._finish = finish
        self._result: PipelineResult | None = None
        self._over = False

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> AnyEvent:
        while not self._pending:
            if self._over:
                raise StopIteration
            try:
                next(self._attempts)
            except StopIteration as ended:
                self._over = True
                self._result = self._finish(ended.value)
            except BaseException:
                self._over = True
                raise
        return self._pending.popleft()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop a run that has not ended. Events nobody has taken are dropped."""
        self._attempts.close()
        self._over = True
        self._pending.clear()

    @property
    def result(self) -> PipelineResult:
        """The finished run; raises SolidstateError while it has not ended, and when it was stopped."""
        if self._result is None:
            raise SolidstateError(
                "The run was stopped before its end." if self._over else "The run has not ended.",
                subject="result",
                hint="take all events first: `for event in iterator: ...`",
            )
        return self._result
