"""The exceptions that steps ended with, kept beside a run of this process: a record holds no more than their text."""

from __future__ import annotations

from solidstate.handler.committed import base
from solidstate.handler.hushing import tellable
from solidstate.handler.outcome import AttemptFailed


class Causes:
    """By step. A later attempt's replaces an earlier one's; of a mapped step's items the first one's is the step's."""

    def __init__(self) -> None:
        self.by_step: dict[str, BaseException | None] = {}

    def remember(self, failed: AttemptFailed) -> None:
        """Note what ``failed`` was raised from."""
        name = base(failed.step)
        if name != failed.step and name in self.by_step:
            return
        self.by_step[name] = tellable(failed.__cause__, type(failed)(failed.error, failed.step))
