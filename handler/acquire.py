"""Resources of one step: opened at first use, once, with those they need before them; closed in reverse, always."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any, Protocol

import msgspec

from solidstate.errors import SolidstateError, closest, name_list
from solidstate.events import ErrorInfo, ResourceInit, ResourceTeardown
from solidstate.handler.boundary import call
from solidstate.handler.outcome import Refused, UserCodeRaised, error_info
from solidstate.handler.recorder import Recorder, Scope
from solidstate.resources import Mode


class Around(Protocol):
    """What solids, resources and hooks of one attempt share, made when the first asks for it."""

    def open_fs(self) -> Any: ...
    def run_tags(self) -> dict[str, str]: ...


class ResourceContext:
    """What a resource function sees as its ``context``: for whom it is made, and the tools it may use."""

    __slots__ = ("_around", "attempt", "config", "log", "name", "pipeline", "run_id", "step_key")

    def __init__(self, name: str, scope: Scope, log: Any, config: Any, around: Around) -> None:
        self.name = name
        self.run_id = scope.run
        self.pipeline = scope.pipeline
        self.step_key = scope.step
        self.attempt = scope.attempt
        self.log = log
        self.config = config
        self._around = around

    @property
    def fs(self) -> Any:
        """The fsspec file system the solid sees as its own ``context.fs``."""
        return self._around.open_fs()

    @property
    def run_tags(self) -> dict[str, str]:
        """The tags of the run; read from its record at first use (one GET)."""
        return self._around.run_tags()


class ResourceStack:
    """Opens and closes. ``allowed`` are the keys the solid declared; ``configs`` the run request's ``resources``."""

    def __init__(
        self,
        mode: Mode,
        allowed: tuple[str, ...],
        configs: Mapping[str, Any],
        recorder: Recorder,
        log: Any,
        around: Around,
    ) -> None:
        self._mode = mode
        self._allowed = allowed
        self._configs = configs
        self._recorder = recorder
        self._log = log
        self._around = around
        self._values: dict[str, Any] = {}
        self._open: list[tuple[str, Any]] = []
        self._lock = (
            threading.RLock()
        )  # a solid may ask from several threads; each resource is opened once all the same

    def get(self, key: str) -> Any:
        """The resource a solid asked for by ``context.resources.<key>``."""
        if key not in self._allowed:
            near = closest(key, self._allowed)
            raise Refused(
                f"Solid asked for resource `{key}`, but declares {name_list(self._allowed) or 'none'}.",
                subject=key,
                hint=f"did you mean `{near}`?" if near else f'declare it: `@solid(resources={{"{key}"}})`',
            )
        with self._lock:
            return self._acquire(key)

    def _acquire(self, key: str) -> Any:
        if key in self._values:
            return self._values[key]
        definition = self._mode.resources[key]
        needed = {name: self._acquire(name) for name in definition.requires}
        began = self._recorder.elapsed()
        arguments: list[Any] = []
        config = None
        if definition.config_type is not None:
            given = self._configs.get(key, {}).get("config", {})
            config = call(
                f"making the config of resource `{key}`", msgspec.convert, given, definition.config_type, str_keys=True
            )
            needed["config"] = config
        if definition.takes_context:
            arguments.append(ResourceContext(key, self._recorder.scope, self._log, config, self._around))
        doing = f"opening resource `{key}`"
        value = call(doing, definition.fn, *arguments, **needed)
        if definition.generator:
            generator = value
            value = call(doing, next, generator, _END)
            if value is _END:
                raise Refused(
                    f"Resource `{key}` ended without yielding anything.",
                    subject=key,
                    hint="yield the resource once; what follows the `yield` is its teardown",
                )
            self._open.append((key, generator))
        self._values[key] = value
        self._recorder.emit(ResourceInit, name=key, duration_s=round(self._recorder.elapsed() - began, 6))
        return value

    def close(self) -> list[ResourceTeardown]:
        """Run every teardown, last opened first; returns their events. A teardown that raises is recorded and does not
        stop the others."""
        closed: list[ResourceTeardown] = []
        with self._lock:
            while self._open:
                key, generator = self._open.pop()
                closed.append(self._recorder.emit(ResourceTeardown, name=key, error=_torn_down(key, generator)))
        return closed


_END: Any = object()


def _torn_down(key: str, generator: Any) -> ErrorInfo | None:
    doing = f"closing resource `{key}`"
    try:
        if call(doing, next, generator, _END) is not _END:
            call(doing, generator.close)
            raise Refused(
                f"Resource `{key}` yielded twice.",
                subject=key,
                hint="yield the resource once; what follows the `yield` is its teardown",
            )
    except UserCodeRaised as raised:
        return error_info(raised.original)
    except SolidstateError as error:
        return error_info(error)
    return None


class Resources:
    """``context.resources``: attributes are resources, opened when they are first read."""

    __slots__ = ("_stack",)

    def __init__(self, stack: ResourceStack) -> None:
        self._stack = stack

    def __getattr__(self, key: str) -> Any:
        if key.startswith("__"):
            raise AttributeError(key)
        try:
            return self._stack.get(key)
        except UserCodeRaised as raised:  # the solid may want to handle what its resource raised
            original = raised.original
        raise original  # outside the handler, which would add itself to the user's traceback
