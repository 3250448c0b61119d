"""What happens while the body of a ``@pipeline`` runs: calling a solid records a node instead of computing.

Values do not exist yet at that time; their place is taken by ``OutputHandle``. A handle says so when it is used as if
it were a value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from solidstate.errors import DefinitionError

if TYPE_CHECKING:
    from solidstate.solid import SolidDefinition


class OutputHandle:
    """One future output of one node, to be handed to another solid's input."""

    __slots__ = ("_node", "_output")

    def __init__(self, node: str, output: str) -> None:
        self._node = node
        self._output = output

    def __repr__(self) -> str:
        return f"<output `{self._output}` of `{self._node}`>"

    def _no_value(self, what: str) -> NoReturn:
        raise DefinitionError(
            f"{what} of output `{self._output}` of `{self._node}` is not possible while a pipeline is being built: the "
            "value exists only when the pipeline runs.",
            subject=self._node,
            hint="move this into a solid, or return several outputs and connect them",
        )

    def __bool__(self) -> bool:
        self._no_value("The truth")

    def __iter__(self) -> Iterator[Any]:
        self._no_value("Iteration")

    def __getitem__(self, key: Any) -> Any:
        self._no_value("An element")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        self._no_value(f"The attribute `{name}`")


class OutputHandles(Sequence[OutputHandle]):
    """The future outputs of a node with several: by name (``parts.late``), by position, or unpacked."""

    def __init__(self, node: str, names: Sequence[str]) -> None:
        self._node = node
        self._handles = {name: OutputHandle(node, name) for name in names}

    def __repr__(self) -> str:
        return f"<outputs of `{self._node}`: {', '.join(self._handles)}>"

    def __len__(self) -> int:
        return len(self._handles)

    def __getitem__(self, index: Any) -> Any:
        return self._handles[index] if isinstance(index, str) else list(self._handles.values())[index]

    def __getattr__(self, name: str) -> OutputHandle:
        handle = self.__dict__.get("_handles", {}).get(name)
        if handle is None:
            if name.startswith("__"):
                raise AttributeError(name)
            raise DefinitionError(
                f"`{self._node}` has no output `{name}`; it has {', '.join(f'`{n}`' for n in self._handles)}.",
                subject=self._node,
                hint="use one of its outputs, or declare it in `outs=`",
            )
        return handle  # type: ignore[no-any-return]  # __dict__ is untyped


class Source(msgspec.Struct, frozen=True):
    """Where a value comes from: an output of a node."""

    node: str
    output: str


class Binding(msgspec.Struct, frozen=True):
    """What feeds one input. ``fan_in`` makes a list of all sources, in order."""

    sources: tuple[Source, ...]
    fan_in: bool = False


class Node(msgspec.Struct, frozen=True, eq=False):
    """One solid, used once in a pipeline under a name of its own."""

    name: str
    solid: SolidDefinition
    bindings: dict[str, Binding]
    tags: dict[str, str] = {}


class Composition:
    """The nodes recorded so far, and what was wrong with recording them."""

    def __init__(self, owner: str) -> None:
        self.owner = owner
        self.nodes: dict[str, Node] = {}
        self.problems: list[DefinitionError] = []

    def invoke(
        self, solid: SolidDefinition, name: str, tags: dict[str, str], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> OutputHandle | OutputHandles | None:
        if name in self.nodes:
            self.problems.append(
                DefinitionError(
                    f"Pipeline `{self.owner}` uses the name `{name}` twice.",
                    subject=name,
                    path=f"{self.owner}.{name}",
                    hint=f'give one of them a name of its own: `{solid.name}.alias("{name}_2")(...)`',
                )
            )
        else:
            bindings = self._bind(solid, name, args, kwargs)
            self.nodes[name] = Node(name=name, solid=solid, bindings=bindings, tags=tags)
        outputs = [out.name for out in solid.outputs]
        if not outputs:
            return None
        return OutputHandle(name, outputs[0]) if len(outputs) == 1 else OutputHandles(name, outputs)

    def _bind(
        self, solid: SolidDefinition, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> dict[str, Binding]:
        names = [inp.name for inp in solid.inputs]
        given: dict[str, Any] = dict(zip(names, args, strict=False))
        if len(args) > len(names):
            self._problem(
                name,
                f"`{name}` takes {len(names)} input{'' if len(names) == 1 else 's'}, got {len(args)} in its call.",
                "`context` and `config` are not passed in a pipeline; remove the surplus arguments",
            )
        for key, value in kwargs.items():
            if key not in names:
                have = ", ".join(f"`{n}`" for n in names) or "none"
                self._problem(name, f"`{name}` has no input `{key}`; its inputs: {have}.", "correct the keyword")
            elif key in given:
                self._problem(name, f"`{name}` gets its input `{key}` twice.", "pass it once")
            else:
                given[key] = value
        bindings = {key: self._binding(name, key, value) for key, value in given.items()}
        return {key: binding for key, binding in bindings.items() if binding is not None}

    def _binding(self, node: str, key: str, value: Any) -> Binding | None:
        fan_in = isinstance(value, (list, tuple)) and not isinstance(value, OutputHandles)
        sources: list[Source] = []
        for element in value if fan_in else [value]:
            if isinstance(element, OutputHandle):
                sources.append(Source(element._node, element._output))
            elif isinstance(element, OutputHandles):
                self._problem(
                    node,
                    f"Input `{key}` of `{node}` is given all outputs of `{element._node}` at once.",
                    f"choose one: {', '.join(f'`.{n}`' for n in element._handles)}",
                    key,
                )
                return None
            else:
                self._problem(
                    node,
                    f"Input `{key}` of `{node}` is given the value {element!r:.60}; in a pipeline only outputs of "
                    "other solids can be passed.",
                    f"put the value in config (`solids.{node}.inputs.{key}`), or return it from a solid",
                    key,
                )
                return None
        if fan_in and not sources:
            self._problem(node, f"Input `{key}` of `{node}` is given an empty list.", "pass at least one output", key)
            return None
        return Binding(tuple(sources), fan_in)

    def _problem(self, node: str, problem: str, hint: str, key: str = "") -> None:
        path = ".".join(part for part in (self.owner, node, key) if part)
        self.problems.append(DefinitionError(problem, subject=node, path=path, hint=hint))


_current: ContextVar[Composition | None] = ContextVar("solidstate_composition", default=None)


def current_composition() -> Composition | None:
    """The pipeline being built in this thread of control, if any."""
    return _current.get()


@contextmanager
def composing(owner: str) -> Iterator[Composition]:
    """Record solids called in the body as nodes of ``owner``."""
    composition = Composition(owner)
    token = _current.set(composition)
    try:
        yield composition
    finally:
        _current.reset(token)
