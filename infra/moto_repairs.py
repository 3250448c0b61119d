"""What moto 5.2.5 gets wrong and a local run needs right: one place that knows the version and applies every repair.

moto is pinned exactly because the repairs replace private parts of it. Each repair is a small function whose docstring
says what is wrong without it; the tests run stock moto too, so that a repair upstream no longer needs is noticed.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, version

from solidstate.errors import EngineError
from solidstate.infra import (
    moto_repairs_api,
    moto_repairs_callbacks,
    moto_repairs_cloudformation,
    moto_repairs_interpreter,
    moto_repairs_maps,
    moto_repairs_s3,
    moto_repairs_stacks,
    moto_repairs_tasks,
)
from solidstate.infra.moto_inside import load_interpreter

SUPPORTED_MOTO = "5.2.5"
"""The only version the repairs are tested with."""

REPAIRS: tuple[Callable[[], None], ...] = (
    moto_repairs_interpreter.cache_clients,
    moto_repairs_interpreter.definite_paths,
    moto_repairs_interpreter.forget_threads,
    moto_repairs_interpreter.start_time_is_text,
    moto_repairs_interpreter.no_choice_matched,
    moto_repairs_interpreter.query_language_per_parse,
    moto_repairs_interpreter.status_last,
    moto_repairs_tasks.shape_requests_and_answers,
    moto_repairs_tasks.error_names,
    moto_repairs_api.describe_execution,
    moto_repairs_api.execution_names,
    moto_repairs_api.page_history,
    moto_repairs_api.keep_failure_cause,
    moto_repairs_api.stop_execution,
    moto_repairs_callbacks.token_for_each_attempt,
    moto_repairs_callbacks.first_answer_counts,
    moto_repairs_callbacks.stop_what_waits,
    moto_repairs_callbacks.nested_executions,
    moto_repairs_maps.child_executions,
    moto_repairs_s3.one_at_a_time,
    moto_repairs_s3.notify_later,
    moto_repairs_cloudformation.state_machines,
    moto_repairs_stacks.sam_resources,
    moto_repairs_stacks.aliased_machines,
)

_lock = threading.Lock()
_applied = threading.Event()


def installed_moto() -> str | None:
    """The installed version of moto, None when it is not installed."""
    try:
        return version("moto")
    except PackageNotFoundError:
        return None


def require_supported_moto() -> None:
    """``EngineError`` unless exactly the supported version of moto is installed."""
    found = installed_moto()
    if found == SUPPORTED_MOTO:
        return
    raise EngineError(
        f"Running on the local AWS needs `moto` {SUPPORTED_MOTO} exactly, but "
        + (f"version {found} is installed." if found else "it is not installed."),
        subject="moto",
        hint=f"pip install 'solidstate[local]', which brings moto {SUPPORTED_MOTO}",
    )


def apply_repairs() -> None:
    """Repair moto in this process, once; later calls do nothing. Checks the version first."""
    with _lock:
        if _applied.is_set():
            return
        require_supported_moto()
        # Everything the repairs search must be loaded before the first of them looks.
        load_interpreter()
        for repair in REPAIRS:
            repair()
        _applied.set()
