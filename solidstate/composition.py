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

from solidstate.errors import DefinitionError, name_list, short, shown

if TYPE_CHECKING:
    from solidstate.solid import SolidDefinition


class OutputHandle:
    """One future output of one node, to be handed to another solid's input."""

    __slots__ = ("_node", "_output", "_owner")

    def __init__(self, owner: Composition, node: str, output: str) -> None:
        self._owner = owner
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

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, OutputHandle):
            self._no_value("A comparison")
        return _origin(self) == _origin(other)

    def __hash__(self) -> int:
        return hash((self._node, self._output))

    def __bool__(self) -> bool:  # noqa: PLE0304 - never returns
        self._no_value("The truth")

    def __iter__(self) -> Iterator[Any]:
        self._no_value("Iteration")

    def __getitem__(self, key: Any) -> Any:
        self._no_value("An element")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        self._no_value(f"The attribute `{name}`")


class OutputHandles:
    """The future outputs of a node with several: by name (``parts.late``), by position, or unpacked.

    It has no public methods: an output may be called ``count`` or ``index``.
    """

    __slots__ = ("__by_name", "__node")

    def __init__(self, owner: Composition, node: str, names: Sequence[str]) -> None:
        self.__node = node
        self.__by_name = {name: OutputHandle(owner, node, name) for name in names}

    def __repr__(self) -> str:
        return f"<outputs of `{self.__node}`: {', '.join(self.__by_name)}>"

    def __len__(self) -> int:
        return len(self.__by_name)

    def __iter__(self) -> Iterator[OutputHandle]:
        return iter(self.__by_name.values())

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice) or (isinstance(index, int) and -len(self) <= index < len(self)):
            return list(self.__by_name.values())[index]
        return self.__named(index)

    def __getattr__(self, name: str) -> OutputHandle:
        if name.startswith("_OutputHandles__"):  # a copy being made has no outputs yet
            raise AttributeError(name)
        if name.startswith("__") and name not in self.__by_name:
            raise AttributeError(name)
        return self.__named(name)

    def __named(self, name: object) -> OutputHandle:
        handle = self.__by_name.get(name) if isinstance(name, str) else None
        if handle is None:
            raise DefinitionError(
                f"`{self.__node}` has no output `{shown(name) if not isinstance(name, str) else short(name)}`; it has "
                f"{name_list(list(self.__by_name))}.",
                subject=self.__node,
                hint="use one of its outputs, or declare it in `outs=`",
            )
        return handle


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
            self.twice(name, solid.name)
        else:
            bindings = self._bind(solid, name, args, kwargs)
            self.nodes[name] = Node(name=name, solid=solid, bindings=bindings, tags=tags)
        outputs = [out.name for out in solid.outputs]
        if not outputs:
            return None
        return OutputHandle(self, name, outputs[0]) if len(outputs) == 1 else OutputHandles(self, name, outputs)

    def twice(self, name: str, solid: str) -> None:
        """Record that two nodes want the same name."""
        hint = f'give one of them a name of its own: `{solid}.alias("{name}_2")`'
        self._problem(name, f"Pipeline `{self.owner}` uses the name `{name}` twice.", hint)

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
                self._problem(name, f"`{name}` has no input `{short(key)}`; its inputs: {have}.", "correct the keyword")
            elif key in given:
                self._problem(name, f"`{name}` gets its input `{key}` twice.", "pass it once")
            else:
                given[key] = value
        bindings = {key: self._binding(name, key, value) for key, value in given.items()}
        return {key: binding for key, binding in bindings.items() if binding is not None}

    def _binding(self, node: str, key: str, value: Any) -> Binding | None:
        fan_in = isinstance(value, (list, tuple))
        sources: list[Source] = []
        for element in value if fan_in else [value]:
            wrong = self._not_a_source(node, key, element)
            if wrong is not None:
                self._problem(node, *wrong, key)
                return None
            sources.append(_origin(element)[1])
        if fan_in and not sources:
            self._problem(node, f"Input `{key}` of `{node}` is given an empty list.", "pass at least one output", key)
            return None
        return Binding(tuple(sources), fan_in)

    def _not_a_source(self, node: str, key: str, element: Any) -> tuple[str, str] | None:
        """What is wrong with an argument, and a fix; None for an output of this pipeline."""
        if isinstance(element, OutputHandle):
            owner, source = _origin(element)
            if owner is self:
                return None
            return (
                f"Input `{key}` of `{node}` is given output `{source.output}` of `{source.node}` of another pipeline, "
                f"`{owner.owner}`.",
                f"call `{source.node}` in this pipeline's body, too",
            )
        if isinstance(element, OutputHandles):
            sources = [_origin(handle)[1] for handle in element]
            return (
                f"Input `{key}` of `{node}` is given all outputs of `{sources[0].node}` at once.",
                f"choose one: {', '.join(f'`.{source.output}`' for source in sources)}",
            )
        problem = (
            f"Input `{key}` of `{node}` is given the value {shown(element)}; in a pipeline only outputs of other "
            "solids can be passed."
        )
        if callable(element):
            name = short(str(getattr(element, "name", getattr(element, "__name__", "it"))))
            return f"Input `{key}` of `{node}` is given `{name}` itself, not its output.", f"call it: `{name}(...)`"
        if isinstance(element, Iterator):
            return problem, "make a list of it: `list(...)` or `[...]`"
        return problem, f"put the value in config (`solids.{node}.inputs.{key}`), or return it from a solid"

    def _problem(self, node: str, problem: str, hint: str, key: str = "") -> None:
        path = ".".join(part for part in (self.owner, node, key) if part)
        self.problems.append(DefinitionError(problem, subject=node, path=path, hint=hint))


def _origin(handle: OutputHandle) -> tuple[Composition, Source]:
    """Whose handle it is. A handle has no public names of its own, so that every one of them can be reported."""
    return handle._owner, Source(handle._node, handle._output)  # noqa: SLF001 - friends, in one module


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
