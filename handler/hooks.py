"""Call the hooks of a step that has ended, record what became of them, and let nothing they do change the outcome."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from solidstate.errors import SolidstateError
from solidstate.events import ErrorInfo, HookCompleted, HookErrored
from solidstate.handler.acquire import Around, Resources, ResourceStack
from solidstate.handler.awaiting import settled
from solidstate.handler.boundary import call
from solidstate.handler.outcome import UserCodeRaised, error_info
from solidstate.handler.recorder import Recorder
from solidstate.hooks import HookDefinition
from solidstate.planner.contract import RunHandle
from solidstate.planner.plan import Step


class Ended(msgspec.Struct, frozen=True):
    """An attempt that has ended and is on record."""

    run: RunHandle
    pipeline: str
    step: Step
    item: str
    attempt: int
    error: ErrorInfo | None
    outputs: dict[str, int]
    log: Any


class HookContext:
    """What a hook is given: which step ended and how.

    ``item`` is the key of the item a mapped step was run for, None for other steps. ``outputs`` maps the names of the
    outputs to their stored sizes in bytes (empty for a failure); ``error`` is the failure (None for a success).
    ``resources`` are those the hook declared, opened for it and closed after it.
    ``idempotency_key`` is the same each time this hook is called for this step of this run.
    """

    __slots__ = (
        "_around",
        "attempt",
        "error",
        "hook",
        "item",
        "log",
        "mode",
        "outputs",
        "pipeline",
        "resources",
        "run_id",
        "solid",
        "step_key",
        "tags",
    )

    def __init__(self, hook: HookDefinition, ended: Ended, resources: Resources, around: Around) -> None:
        self.hook = hook
        self.run_id = ended.run.id
        self.mode = ended.run.mode
        self.pipeline = ended.pipeline
        self.step_key = ended.step.name
        self.solid = ended.step.solid
        self.tags = ended.step.tags
        self.item = ended.item or None
        self.attempt = ended.attempt
        self.error = ended.error
        self.outputs = dict(ended.outputs)
        self.log = ended.log
        self.resources = resources
        self._around = around

    @property
    def idempotency_key(self) -> str:
        return "/".join(part for part in (self.run_id, self.step_key, self.item, self.hook.name) if part)

    @property
    def run_tags(self) -> dict[str, str]:
        """The tags of the run; read from its record at first use (one GET)."""
        return self._around.run_tags()

    @property
    def fs(self) -> Any:
        """The fsspec file system the solid sees as its own ``context.fs``."""
        return self._around.open_fs()


def call_hooks(
    hooks: Sequence[HookDefinition],
    ended: Ended,
    stack_of: Callable[[HookDefinition], ResourceStack],
    around: Around,
    recorder: Recorder,
) -> list[HookErrored]:
    """Call each hook once, in order. Only Ctrl-C goes on up; returns what the others raised, as it was recorded."""
    errored: list[HookErrored] = []
    for hook in hooks:
        began = recorder.elapsed()
        error = _called(hook, ended, stack_of(hook), around)
        took = round(recorder.elapsed() - began, 6)
        if error is None:
            recorder.emit(HookCompleted, name=hook.name, on=hook.on, duration_s=took)
        else:
            errored.append(recorder.emit(HookErrored, name=hook.name, on=hook.on, duration_s=took, error=error))
    return errored


def _called(hook: HookDefinition, ended: Ended, stack: ResourceStack, around: Around) -> ErrorInfo | None:
    doing = f"calling hook `{hook.name}`"
    try:
        answer = call(doing, hook.fn, HookContext(hook, ended, Resources(stack), around))
        call(doing, settled, answer)
    except UserCodeRaised as raised:
        return error_info(raised.original)
    except SolidstateError as error:
        return error_info(error)
    finally:
        stack.close()
    return None
