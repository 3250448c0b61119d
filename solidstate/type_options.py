"""How values of a type are read from where a run request says, and written to where it says.

2019 called the two input hydration and output materialization. A way is a function and the config it takes; a type may
have one way, or several by name of which a request chooses one::

    def read_csv(context: TypeContext, config: CsvFile) -> Table: ...

    SolidType("Table", loader={"csv": read_csv, "sheet": (SheetConfig, read_sheet)})

    solids: {clean: {inputs: {table: {csv: {path: "s3://bucket/table.csv"}}}}}
"""

from __future__ import annotations

import inspect
import itertools
import typing
from collections.abc import Callable, Mapping
from typing import IO, Any

import msgspec

from solidstate.errors import DefinitionError, SolidstateError, shown
from solidstate.selector import Selector

LOCAL = ("/", "./", "../", "~/", "file://")
"""How a path begins that names a file of this machine rather than one of ``context.fs``."""


class TypeContext:
    """What loaders and materializers see as their ``context``. ``name`` is that of the input or output."""

    def __init__(
        self,
        *,
        run_id: str,
        pipeline: str,
        step_key: str,
        name: str,
        log: Any,
        open_fs: Callable[[], Any],
        open_local: Callable[[str, str], IO[bytes]],
    ) -> None:
        self.run_id = run_id
        self.pipeline = pipeline
        self.step_key = step_key
        self.name = name
        self.log = log
        self._open_fs = open_fs
        self._open_local = open_local

    @property
    def fs(self) -> Any:
        """The file system that solids have as ``context.fs``: S3 on AWS and moto, local files or memory elsewhere."""
        return self._open_fs()

    def open(self, path: str, mode: str = "rb") -> IO[bytes]:
        """Open a file: ``/``, ``./``, ``../``, ``~/`` and ``file://`` lead to one of this machine, everything else
        (``s3://bucket/key``, ``bucket/key``) into ``fs``. Raises SolidstateError for one that is not there."""
        try:
            if path.startswith(LOCAL):
                return self._open_local(path.removeprefix("file://"), mode)
            # s3fs takes addresses with their scheme; a folder or memory in its place takes what follows it.
            opened: IO[bytes] = self.fs.open(path.removeprefix("s3://"), mode)
        except FileNotFoundError as error:
            local = "" if path.startswith(LOCAL) else f"; write `./{path}` for a file of this machine"
            raise SolidstateError(
                f"There is no file {shown(path, 300)} for `{self.name}`.",
                subject=self.name,
                path=f"solids.{self.step_key}",
                hint=f"correct the path{local}" if "://" not in path else "correct the path, or put the file there",
            ) from error
        return opened


class Option(msgspec.Struct, frozen=True):
    """One way: its config type and its function."""

    config: type
    fn: Callable[..., Any]


class Options(msgspec.Struct, frozen=True, eq=False):
    """The ways of one type. ``annotation`` is what stands in the run request: a Selector of the ways, or the config of
    the only one, which then has the name ""."""

    annotation: Any
    ways: dict[str, Option]

    def chosen(self, config: Any) -> tuple[str, Option, Any]:
        """Name, way and its own config, of a config of type ``annotation``."""
        if "" in self.ways:
            return "", self.ways[""], config
        name, inner = config.selected
        return name, self.ways[name], inner

    def describe(self) -> dict[str, Any]:
        """The JSON Schema of each way's config, by name."""
        return {name: msgspec.json.schema(way.config) for name, way in self.ways.items()}


def options(field: str, owner: str, declared: Any, arguments: int) -> Options:
    """What was declared as ``field`` (loader or materializer) of the type ``owner``; functions take ``arguments``.

    Raises DefinitionError for what is neither a function, a pair of config type and function, nor a mapping of names to
    these, and for a config type that is no Struct.
    """
    if isinstance(declared, Options):
        return declared
    subject = f"`{field}` of type `{owner}`"
    if not isinstance(declared, Mapping):
        way = _option(subject, declared, arguments)
        return Options(way.config, {"": way})
    ways = {
        str(name): _option(f"`{field}[{shown(name)}]` of type `{owner}`", one, arguments)
        for name, one in declared.items()
    }
    wrong = [name for name in ways if not name.isidentifier() or name.startswith("_")]
    if wrong or not ways:
        raise DefinitionError(
            f"{subject} must map names to functions, got {shown(wrong[0] if wrong else declared)}.",
            subject=subject,
            hint='write `{"csv": read_csv}`',
        )
    fields: list[tuple[str, Any, Any]] = [(name, way.config | None, None) for name, way in ways.items()]
    return Options(selector_of(f"{owner}_{field}", fields), ways)


_made = itertools.count(1)


def selector_of(title: str, fields: list[tuple[str, Any, Any]]) -> Any:
    """A Selector class made at run time. JSON Schema tells classes of one name apart by their modules."""
    module = f"{__name__}.made_{next(_made)}"
    return msgspec.defstruct(title, fields, bases=(Selector,), frozen=True, module=module)


def _option(subject: str, declared: Any, arguments: int) -> Option:
    config, fn = declared if isinstance(declared, tuple) and len(declared) == 2 else (None, declared)
    if not callable(fn):
        raise DefinitionError(
            f"{subject} must be a function, or a pair of a config type and a function, got {shown(declared)}.",
            subject=subject,
            hint="write `(CsvFile, read_csv)`",
        )
    if config is None:
        config = _config_of(fn, arguments)
    if not (isinstance(config, type) and issubclass(config, msgspec.Struct)):
        raise DefinitionError(
            f"The config of {subject} must be a `msgspec.Struct`, got {shown(config)}.",
            subject=subject,
            hint="annotate its second parameter, `(context, config: CsvFile)`, or write `(CsvFile, function)`",
        )
    return Option(config, fn)


def _config_of(fn: Callable[..., Any], arguments: int) -> Any:
    """The annotation of the second parameter; None when there is none to be had."""
    try:
        names = list(inspect.signature(fn).parameters)
        return typing.get_type_hints(fn).get(names[1]) if len(names) >= arguments else None
    except Exception:  # noqa: BLE001 - a function of any kind, with annotations of any kind
        return None
