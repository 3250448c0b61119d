"""``build_context``: a context for unit tests that call a solid directly, as the function it wraps."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Self

from solidstate.errors import SolidstateError, closest, name_list
from solidstate.events import AnyEvent
from solidstate.handler.acquire import Resources, ResourceStack
from solidstate.handler.context import StepContext, StepLog
from solidstate.handler.recorder import Recorder, Scope
from solidstate.resources import Mode
from solidstate.storage.files import open_memory


class BuiltContext(StepContext):
    """What a solid sees as its ``context``, outside of any run. ``events`` is what it logged and emitted so far.

    Resources with a teardown need a ``with`` block, whose end tears them down: ``with build_context(...) as context``.
    """

    def __init__(self, stack: ResourceStack, recorder: Recorder, resources: _GivenResources, **facts: Any) -> None:
        super().__init__(recorder=recorder, resources=resources, **facts)
        self._stack = stack
        self._given = resources
        self._events = recorder

    @property
    def events(self) -> list[AnyEvent]:
        return list(self._events.events)

    def __enter__(self) -> Self:
        self._given.entered = True
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()


class _GivenResources(Resources):
    """Resources of a context that was built: only those that were given; those with a teardown only in a ``with``."""

    __slots__ = ("_mode", "entered")

    def __init__(self, stack: ResourceStack, mode: Mode) -> None:
        super().__init__(stack)
        self._mode = mode
        self.entered = False

    def __getattr__(self, key: str) -> Any:
        if not key.startswith("__"):
            self._check(key)
        return super().__getattr__(key)

    def _check(self, key: str) -> None:
        given = self._mode.resources
        if key not in given:
            near = closest(key, given)
            raise SolidstateError(
                f"The context was built without a resource `{key}`; it has {name_list(list(given)) or 'none'}.",
                subject=key,
                hint=f"did you mean `{near}`?" if near else f'give it: `build_context(resources={{"{key}": ...}})`',
            )
        needed = [key]
        for name in needed:  # it grows by what those need that are already in it
            needed += [other for other in given[name].requires if other in given and other not in needed]
        torn = next((name for name in needed if given[name].generator), None)
        if torn is not None and not self.entered:
            raise SolidstateError(
                f"Resource `{torn}` has a teardown, which nothing would run.",
                subject=torn,
                hint="use the context in a block: `with build_context(...) as context:`",
            )


class _Around:
    """The file system and run tags of a context that was built."""

    def __init__(self, fs: Any, run_tags: dict[str, str]) -> None:
        self._fs = fs
        self._run_tags = run_tags

    def open_fs(self) -> Any:
        if self._fs is None:
            self._fs = open_memory()
        return self._fs

    def run_tags(self) -> dict[str, str]:
        return self._run_tags


def build_context(
    *,
    config: Any = None,
    resources: Mapping[str, Any] | None = None,
    resource_config: Mapping[str, Any] | None = None,
    run_id: str = "unit-test",
    pipeline: str = "unit_test",
    step_key: str = "solid",
    item: str | None = None,
    attempt: int = 1,
    tags: Mapping[str, str] | None = None,
    run_tags: Mapping[str, str] | None = None,
    remaining_time_s: float = 900.0,
    fs: Any = None,
) -> BuiltContext:
    """A context to hand to a solid that is called directly.

    ``resources`` maps keys to plain values or ``@resource`` definitions, ``resource_config`` the keys of the latter to
    their config. ``fs`` is the file system (one in memory unless given); ``remaining_time_s`` counts down from now.
    """
    mode = Mode("unit_test", resources=resources)
    configs = {key: {"config": value} for key, value in (resource_config or {}).items()}
    recorder = Recorder(Scope(run=run_id, pipeline=pipeline, step=step_key, attempt=attempt, item=item or ""))
    log = StepLog(recorder, None)
    around = _Around(fs, dict(run_tags or {}))
    stack = ResourceStack(mode, tuple(mode.resources), configs, recorder, log, around)
    return BuiltContext(
        stack,
        recorder,
        _GivenResources(stack, mode),
        run_id=run_id,
        pipeline=pipeline,
        step_key=step_key,
        item=item,
        attempt=attempt,
        config=config,
        log=log,
        remaining_time=_countdown(remaining_time_s),
        open_fs=around.open_fs,
        tags=dict(tags or {}),
        read_run_tags=around.run_tags,
    )


def _countdown(seconds: float) -> Callable[[], float]:
    end = time.monotonic() + seconds
    return lambda: max(0.0, end - time.monotonic())
