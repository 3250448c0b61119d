"""Inputs read from, and outputs written to, where the run request says: the loaders and materializers of types."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import IO, Any, cast

import msgspec

from solidstate.events import Materialization
from solidstate.handler.boundary import call
from solidstate.handler.context import record_user_event
from solidstate.handler.outcome import Refused
from solidstate.handler.recorder import Recorder
from solidstate.output_options import materialization_of, materializer_of, outputs_annotation
from solidstate.solid import InputDefinition, OutputDefinition, SolidDefinition
from solidstate.type_options import TypeContext


class TypeIo:
    """What the run request says about one step's ``inputs`` and ``outputs``, and the means to do it."""

    def __init__(
        self,
        solid: SolidDefinition,
        entry: dict[str, Any],
        recorder: Recorder,
        log: Any,
        open_fs: Callable[[], Any],
    ) -> None:
        self.given: dict[str, Any] = entry.get("inputs", {})
        self._recorder = recorder
        self._log = log
        self._open_fs = open_fs
        self._wanted: list[tuple[str, Any]] = []
        if entry.get("outputs"):
            asked = msgspec.convert(entry["outputs"], outputs_annotation(solid), str_keys=True)
            self._wanted = [one.selected for one in asked]

    def read(self, definition: InputDefinition) -> Any:
        """The value of an input that the request gives. Raises UserCodeRaised for what reading it raised."""
        name, edge = definition.name, definition.type
        doing = f"reading input `{name}` from config"
        config = call(doing, msgspec.convert, self.given[name], edge.given_as, str_keys=True)
        if edge.loader is None:
            return config
        option, way, inner = edge.loader.chosen(config)
        doing = f"loading input `{name}` as `{option}`" if option else f"loading input `{name}`"
        return call(doing, way.fn, self._context(name), inner)

    def write(self, definition: OutputDefinition, value: Any) -> None:
        """Write an output everywhere the request says and record that. Raises UserCodeRaised, and Refused for a
        materializer that returns anything but Materializations."""
        if not self._wanted:
            return
        options = materializer_of(definition.type)
        for name, config in self._wanted:
            if name != definition.name or options is None:
                continue
            option, way, inner = options.chosen(config)
            doing = f"writing output `{name}` as `{option}`" if option else f"writing output `{name}`"
            context = self._context(name)
            made = call(doing, way.fn, context, inner, value)
            for event in materialization_of(made, context, inner):
                if not isinstance(event, Materialization):
                    raise Refused(
                        f"The materializer of type `{definition.type.name}` returned a `{type(event).__name__}`.",
                        subject=definition.type.name,
                        hint="return a Materialization, a list of them, or None",
                    )
                record_user_event(self._recorder, event)

    def _context(self, name: str) -> TypeContext:
        scope = self._recorder.scope
        return TypeContext(
            run_id=scope.run,
            pipeline=scope.pipeline,
            step_key=scope.step,
            name=name,
            log=self._log,
            open_fs=self._open_fs,
            open_local=open_local,
        )


def open_local(path: str, mode: str) -> IO[bytes]:
    """A file of this machine; folders are made for one that is written."""
    place = Path(path).expanduser()
    if "w" in mode:
        place.parent.mkdir(parents=True, exist_ok=True)
    return cast("IO[bytes]", place.open(mode))
