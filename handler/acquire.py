"""Resources of one step: opened at first use, once, with those they need before them; closed in reverse, always."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from solidstate.events import ResourceInit, ResourceTeardown
from solidstate.handler.boundary import call
from solidstate.handler.outcome import Refused, UserCodeRaised, error_info
from solidstate.handler.recorder import Recorder
from solidstate.errors import closest, name_list
from solidstate.resources import Mode


class ResourceContext(msgspec.Struct, frozen=True):
    """What a resource function sees as its ``context``."""

    name: str
    run_id: str
    step_key: str
    log: Any
    config: Any = None


class ResourceStack:
    """Opens and closes. ``allowed`` are the keys the solid declared; ``configs`` the run request's ``resources``."""

    def __init__(
        self, mode: Mode, allowed: tuple[str, ...], configs: Mapping[str, Any], recorder: Recorder, log: Any
    ) -> None:
        self._mode = mode
        self._allowed = allowed
        self._configs = configs
        self._recorder = recorder
        self._log = log
        self._values: dict[str, Any] = {}
        self._open: list[tuple[str, Any]] = []

    def get(self, key: str) -> Any:
        """The resource a solid asked for by ``context.resources.<key>``."""
        if key not in self._allowed:
            near = closest(key, self._allowed)
            raise Refused(
                f"Solid asked for resource `{key}`, but declares {name_list(self._allowed) or 'none'}.",
                subject=key,
                hint=f"did you mean `{near}`?" if near else f'declare it: `@solid(resources={{"{key}"}})`',
            )
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
            config = call(f"making the config of resource `{key}`", msgspec.convert, given, definition.config_type)
            needed["config"] = config
        if definition.takes_context:
            scope = self._recorder.scope
            arguments.append(ResourceContext(key, scope.run, scope.step, self._log, config))
        doing = f"opening resource `{key}`"
        value = call(doing, definition.fn, *arguments, **needed)
        if definition.generator:
            generator = value
            value = call(doing, next, generator)
            self._open.append((key, generator))
        self._values[key] = value
        self._recorder.emit(ResourceInit, name=key, duration_s=round(self._recorder.elapsed() - began, 6))
        return value

    def close(self) -> None:
        """Run every teardown, last opened first. A teardown that raises is recorded and does not stop the others."""
        while self._open:
            key, generator = self._open.pop()
            error = None
            try:
                call(f"closing resource `{key}`", next, generator, None)
            except UserCodeRaised as raised:
                error = error_info(raised.original)
            self._recorder.emit(ResourceTeardown, name=key, error=error)


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
            raise raised.original from raised.original.__cause__
