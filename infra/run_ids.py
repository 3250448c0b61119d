"""What a run may be called where its caller chooses: it becomes an execution name, and part of keys and paths."""

from __future__ import annotations

from solidstate.errors import EngineError, shown
from solidstate.infra.home import new_run_id
from solidstate.request import RUN_ID


def check_run_id(run_id: str) -> None:
    """Raises EngineError for what is no run id."""
    if not isinstance(run_id, str) or not RUN_ID.fullmatch(run_id):
        raise EngineError(
            f"The run id {shown(run_id)} cannot be used: expected a letter or digit, then letters, digits, `_`, `.` or "
            "`-`, at most 80 characters.",
            subject="run id",
            hint=f"use one like `{new_run_id()}`",
        )
