"""The ``solids`` section of a run request, flat: what is written below composites, and what their ``config_fn`` makes.

In a document composites nest (``solids: {outer: {solids: {inner: {config: ...}}}}``); steps do not. Here each step's
entry is found, together with the place it stands at, for every message about it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from solidstate.composites import CompositeUse
from solidstate.config_errors import ConfigError, Path, mismatch, path_text, unknown
from solidstate.errors import SolidstateError, short
from solidstate.pipeline import PipelineDefinition


class Place(msgspec.Struct, frozen=True):
    """Where a step's entry stands, and what it says. ``made_by`` names the composite whose ``config_fn`` made it."""

    path: Path
    entry: Mapping[str, Any]
    made_by: str = ""


ConfigReader = Callable[[Path, Any, Mapping[str, Any], bool], dict[str, Any]]
"""(path, config type, entry, whether it is needed) -> the config as JSON data, errors noted."""


class Flattened(msgspec.Struct):
    """Every step's place, and the config of composites, by whole name. ``unmade`` are steps whose config would have
    been made of a composite's that is wrong: what they lack is not known."""

    places: dict[str, Place] = {}
    configs: dict[str, dict[str, Any]] = {}
    unmade: set[str] = set()


def flatten(
    pipeline: PipelineDefinition,
    section: Mapping[str, Any],
    needed: set[str],
    read_config: ConfigReader,
    errors: list[ConfigError],
) -> Flattened:
    """Find every step's entry. ``needed`` are the steps that will run; errors of structure and of ``config_fn`` are
    appended to ``errors``. Whole names (``outer.inner``) are understood too: that is how a request is recorded."""
    walk = _Walk(pipeline, needed, read_config, errors)
    names = [name for name in (*walk.nodes, *walk.uses) if "." not in name]
    walk.scope(names, _nested(section, walk), ("solids",), Place((), {}))
    order = {name: walk.found.places[name] for name in walk.nodes if name in walk.found.places}
    return Flattened(order, walk.found.configs, walk.found.unmade)


def _nested(section: Mapping[str, Any], walk: _Walk) -> Mapping[str, Any]:
    whole = [key for key in section if isinstance(key, str) and "." in key and (key in walk.nodes or key in walk.uses)]
    if not whole:
        return section
    result: dict[str, Any] = {key: value for key, value in section.items() if key not in whole}
    for key in whole:
        *outer, last = key.split(".")
        place = result
        for name in outer:
            entry = dict(place.get(name) or {})
            entry["solids"] = dict(entry.get("solids") or {})
            place[name] = entry
            place = entry["solids"]
        place[last] = section[key]
    return result


class _Walk:
    def __init__(
        self, pipeline: PipelineDefinition, needed: set[str], read_config: ConfigReader, errors: list[ConfigError]
    ) -> None:
        self.nodes = {node.name: node for node in pipeline.nodes}
        self.uses = {use.name: use for use in pipeline.composites}
        self.needed = needed
        self.read_config = read_config
        self.errors = errors
        self.found = Flattened()

    def scope(self, children: list[str], section: Mapping[str, Any], path: Path, made: Place) -> None:
        """The entries of one composite's children, or of the pipeline's. ``made`` is what ``config_fn`` made."""
        local = {name.rpartition(".")[2]: name for name in children}
        self.errors += [unknown(path, key, list(local)) for key in section if key not in local]
        self.errors += [_at_fault(unknown(made.path, key, list(local)), made) for key in made.entry if key not in local]
        for key, name in local.items():
            here: Path = (*path, key)
            if key not in section and key not in made.entry and name not in self.uses:
                self.found.places[name] = Place(here, {})
                continue
            entry = self._mapping(here, section.get(key))
            produced = Place((*made.path, key), made.entry.get(key) or {}, made.made_by)
            if not isinstance(produced.entry, Mapping):
                self.errors.append(_at_fault(mismatch(produced.path, produced.entry, "a mapping"), produced))
                produced = Place((), {})
            entry = self._unmasked(here, entry, produced)
            if name in self.uses:
                self._composite(self.uses[name], here, entry, produced)
            else:
                from_outside = not produced.entry
                self.found.places[name] = (
                    Place(here, entry)
                    if from_outside
                    else Place(produced.path, {**entry, **produced.entry}, made.made_by)
                )

    def _composite(self, use: CompositeUse, path: Path, entry: Mapping[str, Any], produced: Place) -> None:
        definition = use.definition
        known = ["config", "solids"] if definition.config_type is not None else ["solids"]
        self.errors += [unknown(path, key, known) for key in entry if key not in known]
        inner = self._mapping((*path, "solids"), entry.get("solids"))
        made = Place((*produced.path, "solids"), produced.entry.get("solids") or {}, produced.made_by)
        if definition.config_type is not None and definition.config_fn is not None:
            config_path, source = (path, entry) if "config" not in produced.entry else (produced.path, produced.entry)
            if made.entry:
                self.errors.append(
                    _at_fault(ConfigError("unknown", made.path, f"`{use.name}` makes this config itself."), made)
                )
            before = len(self.errors)
            wanted = any(name.startswith(f"{use.name}.") for name in self.needed)
            config = self.read_config((*config_path, "config"), definition.config_type, source, wanted)
            if config:
                self.found.configs[use.name] = config
            made = Place((*path, "config_fn"), {}, use.name)
            if len(self.errors) == before and (wanted or config):
                made = Place(made.path, self._made(use, config, (*path, "config")), use.name)
            elif produced.made_by:
                self.errors[before:] = [_at_fault(error, produced) for error in self.errors[before:]]
            if len(self.errors) > before:
                self.found.unmade.update(name for name in self.nodes if name.startswith(f"{use.name}."))
        self.scope(list(use.children), inner, (*path, "solids"), made)

    def _made(self, use: CompositeUse, config: dict[str, Any], path: Path) -> Mapping[str, Any]:
        """What ``config_fn`` makes of a valid config; the function is the user's and may do anything."""
        definition = use.definition
        if definition.config_fn is None:
            return {}
        try:
            made = definition.config_fn(msgspec.convert(config, definition.config_type, str_keys=True))
        except Exception as error:  # noqa: BLE001 - user code
            said = error.problem if isinstance(error, SolidstateError) else short(str(error), 300)
            problem = f"`config_fn` of composite `{use.name}` raised {type(error).__name__}: {said.rstrip('.')}."
            hint = "correct the value, or the function"
            self.errors.append(ConfigError("constraint", path, problem, hint=hint))
            return {}
        if isinstance(made, Mapping):
            return made
        place = Place((*path[:-1], "config_fn"), {}, use.name)
        self.errors.append(_at_fault(mismatch(place.path, made, "a mapping"), place))
        return {}

    def _unmasked(self, path: Path, entry: Mapping[str, Any], produced: Place) -> Mapping[str, Any]:
        """What is left of an entry beside what ``config_fn`` makes; the same said twice is no contradiction."""
        for key in entry:
            if (
                key in ("config", "inputs", "outputs")
                and key in produced.entry
                and not _same(entry[key], produced.entry[key])
            ):
                problem = f"`{path_text((*path, key))}` is made by `config_fn` of composite `{produced.made_by}`."
                hint = "remove it here, and set the composite's own `config`"
                self.errors.append(ConfigError("unknown", (*path, key), problem, given=entry[key], hint=hint))
        return {key: value for key, value in entry.items() if key not in produced.entry or key == "solids"}

    def _mapping(self, path: Path, value: Any) -> Mapping[str, Any]:
        if value is None:
            return {}
        if isinstance(value, Mapping):
            return value
        self.errors.append(mismatch(path, value, "a mapping", "write `name: value` pairs below it, or `{}`"))
        return {}


def _same(given: Any, made: Any) -> bool:
    return bool(msgspec.to_builtins(given, str_keys=True, enc_hook=repr) == msgspec.to_builtins(made, enc_hook=repr))


def _at_fault(error: ConfigError, place: Place) -> ConfigError:
    """The error of a value that no document holds: it is the function that has to be corrected."""
    if place.made_by:
        error.hint = f"correct what `config_fn` of composite `{place.made_by}` returns"
    return error


def blamed(errors: list[ConfigError], place: Place) -> list[ConfigError]:
    """Errors found in the entry of ``place``, with the way out that fits whoever wrote it."""
    return [_at_fault(error, place) for error in errors]


def groups(pipeline: PipelineDefinition) -> dict[str, list[str]]:
    """The steps of each composite, nested ones included."""
    return {
        use.name: [node.name for node in pipeline.nodes if node.name.startswith(f"{use.name}.")]
        for use in pipeline.composites
    }
