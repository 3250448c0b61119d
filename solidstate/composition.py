"""What happens while the body of a ``@pipeline`` runs: calling a solid records a node instead of computing.

A composite's body is recorded the same way, into the same list of nodes, under names that begin with the composite's:
what runs is always flat.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

import msgspec

from solidstate.errors import DefinitionError, name_list, short, shown
from solidstate.handles import (
    InputHandle,
    MappedHandle,
    OutputHandle,
    OutputHandles,
    Source,
    called,
    in_scope,
    is_collected,
    origin,
    over_of,
    parts_of,
)

if TYPE_CHECKING:
    from solidstate.solid import SolidDefinition

__all__ = ["Binding", "Composition", "Node", "OutputHandle", "OutputHandles", "Source", "composing"]

MAX_NAME = 160
"""Characters of a node's whole name, ``outer.inner``: it is part of keys, which file systems bound, with a run and an
item."""


class Binding(msgspec.Struct, frozen=True):
    """What feeds one input. ``fan_in`` makes a list of all sources, in order; ``collect`` a list of all items of its
    only source."""

    sources: tuple[Source, ...]
    fan_in: bool = False
    collect: bool = False


class Node(msgspec.Struct, frozen=True, eq=False):
    """One solid, used once in a pipeline under a name of its own; inside a composite ``outer.inner``.

    ``map_over`` is the dynamic output it is run for each item of, if any.
    """

    name: str
    solid: SolidDefinition
    bindings: dict[str, Binding]
    tags: dict[str, str] = {}
    map_over: Source | None = None


class Composition:
    """The nodes recorded so far, and what was wrong with recording them.

    ``owner`` is the pipeline (or, while one is checked by itself, the composite). One made ``within`` another records
    the body of the composite ``name`` into the same nodes.
    """

    def __init__(
        self, owner: str, *, within: Composition | None = None, name: str = "", checked_alone: bool = False
    ) -> None:
        self.owner = owner
        self.checked_alone: bool = within.checked_alone if within else checked_alone
        self.kind = "Composite" if self.checked_alone else "Pipeline"
        self.root: Composition = within.root if within else self
        self.prefix: str = f"{within.prefix}{name}." if within else ""
        self.nodes: dict[str, Node] = within.nodes if within else {}
        self.problems: list[DefinitionError] = within.problems if within else []
        self.composites: dict[str, Any] = within.composites if within else {}
        self.scopes: list[tuple[Source, object]] = []
        self.children: list[str] = []
        self.parameters: dict[int, str] = {}
        self.targets: dict[str, list[Source]] = {}

    def invoke(
        self, solid: SolidDefinition, name: str, tags: dict[str, str], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Record a node; gives the handles of its outputs: none, one, or several by name."""
        name = self.prefix + name
        over: Source | None = None
        if self.take_name(name, solid.name):
            given = self.arguments([inp.name for inp in solid.inputs], name, args, kwargs)
            found = {key: self._binding(name, key, value) for key, value in given.items()}
            bindings = {key: binding for key, (binding, _) in found.items() if binding is not None}
            over = self._mapped_over(solid, name, [one for _, overs in found.values() for one in overs])
            self.nodes[name] = Node(name=name, solid=solid, bindings=bindings, tags=tags, map_over=over)
        handles: dict[str, OutputHandle | MappedHandle] = {}
        for out in solid.outputs:
            if out.dynamic and over is None:
                handles[out.name] = MappedHandle(self, name, out.name, Source(name, out.name))
            else:
                scope = self.root.scopes[-1] if over is not None and self.root.scopes else None
                handles[out.name] = OutputHandle(self, name, out.name, over=over, scope=scope)
        if not handles:
            return None
        return next(iter(handles.values())) if len(handles) == 1 else OutputHandles(name, handles)

    def take_name(self, name: str, definition: str) -> bool:
        """Whether a whole name can be given to a new child; what keeps it from that is noted."""
        if len(name) > MAX_NAME:
            hint = "give the composites around it shorter names with `.alias(...)`"
            self.problem(name, f"The name `{name}` has {len(name)} characters; at most {MAX_NAME} are allowed.", hint)
        if name in self.nodes or name in self.composites:
            self.twice(name, definition)
            return False
        self.children.append(name)
        return True

    def twice(self, name: str, solid: str) -> None:
        """Record that two nodes want the same name."""
        hint = f'give one of them a name of its own: `{solid}.alias("{name.rpartition(".")[2]}_2")`'
        self.problem(name, f"{self.kind} `{self.owner}` uses the name `{name}` twice.", hint)

    def arguments(self, names: list[str], name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
        """What was passed, by input."""
        given: dict[str, Any] = dict(zip(names, args, strict=False))
        if len(args) > len(names):
            self.problem(
                name,
                f"`{name}` takes {len(names)} input{'' if len(names) == 1 else 's'}, got {len(args)} in its call.",
                "`context` and `config` are not passed in a pipeline; remove the surplus arguments",
            )
        for key, value in kwargs.items():
            if key not in names:
                have = ", ".join(f"`{n}`" for n in names) or "none"
                self.problem(name, f"`{name}` has no input `{short(key)}`; its inputs: {have}.", "correct the keyword")
            elif key in given:
                self.problem(name, f"`{name}` gets its input `{key}` twice.", "pass it once")
            else:
                given[key] = value
        return given

    def _binding(self, node: str, key: str, value: Any) -> tuple[Binding | None, list[Source]]:
        """What feeds the input, None when it stays open; and the dynamic outputs its values are items of."""
        self.note_target(value, node, key)
        if isinstance(value, InputHandle) and not self.wrong_argument(node, key, value):
            return None, []
        elements: list[Any] = list(value) if isinstance(value, (list, tuple)) else [value]
        if self.wrong_argument(node, key, value):
            return None, []
        overs = [over for one in elements if not is_collected(one) and (over := over_of(one)) is not None]
        sources = tuple(origin(one)[1] for one in elements if not isinstance(one, InputHandle))
        collect = isinstance(value, OutputHandle) and is_collected(value)
        return Binding(sources, isinstance(value, (list, tuple)), collect), overs

    def note_target(self, value: Any, node: str, key: str) -> None:
        """Remember which inputs a composite's own inputs are passed on to."""
        for element in value if isinstance(value, (list, tuple)) else [value]:
            parameter = self.parameters.get(id(element))
            target = Source(node, key)
            if parameter is not None and target not in self.targets.setdefault(parameter, []):
                self.targets[parameter].append(target)

    def wrong_argument(self, node: str, key: str, value: Any) -> bool:
        """Whether what is passed cannot feed an input; why not is noted."""
        listed = isinstance(value, (list, tuple))
        if listed and not value:
            self.problem(node, f"Input `{key}` of `{node}` is given an empty list.", "pass at least one output", key)
            return True
        for element in value if listed else [value]:
            wrong = self._not_a_source(node, key, element, listed=listed)
            if wrong is not None:
                self.problem(node, *wrong, key)
                return True
        return False

    def _not_a_source(self, node: str, key: str, element: Any, *, listed: bool) -> tuple[str, str] | None:
        """What is wrong with an argument, and a fix; None for an output of this pipeline."""
        given = f"Input `{key}` of `{node}` is given"
        if isinstance(element, MappedHandle):
            source = origin(element)[1]
            return (
                f"{given} output `{source.output}` of `{source.node}`, which has any number of items.",
                f"call it for each item, `.map({node.rpartition('.')[2]})`, or pass a list of all items, `.collect()`",
            )
        if isinstance(element, OutputHandle):
            owner, source = origin(element)
            if owner.root is not self.root:
                return (
                    f"{given} output `{source.output}` of `{source.node}` of another pipeline, `{owner.owner}`.",
                    f"call `{source.node}` in this pipeline's body, too",
                )
            if not in_scope(element):
                return (
                    f"{given} an item of {called(element)} outside of the function that is mapped over it.",
                    "return it from that function, and call `.map` or `.collect()` on what `.map` gives",
                )
            if listed and is_collected(element):
                return (
                    f"{given} the collected {called(element)} as one element of a list.",
                    "pass it alone: it is a list already",
                )
            if listed and isinstance(element, InputHandle) and not self.checked_alone:
                return (
                    f"{given} {called(element)} as one element of a list, but that is not connected.",
                    f"connect input `{source.output}` of `{source.node}`",
                )
            return None
        if isinstance(element, OutputHandles):
            step, handles = parts_of(element)
            return (
                f"{given} all outputs of `{step}` at once.",
                f"choose one: {', '.join(f'`.{name}`' for name in handles)}",
            )
        problem = f"{given} the value {shown(element)}; in a pipeline only outputs of other solids can be passed."
        if callable(element):
            name = short(str(getattr(element, "name", getattr(element, "__name__", "it"))))
            return f"{given} `{name}` itself, not its output.", f"call it: `{name}(...)`"
        if isinstance(element, Iterator):
            return problem, "make a list of it: `list(...)` or `[...]`"
        place = ".solids.".join(node.split("."))
        return problem, f"put the value in config (`solids.{place}.inputs.{key}`), or return it from a solid"

    def _mapped_over(self, solid: SolidDefinition, name: str, overs: list[Source]) -> Source | None:
        distinct = list(dict.fromkeys(overs))
        if not distinct:
            return None
        if len(distinct) > 1:
            self.problem(
                name,
                f"`{name}` is given items of {name_list([f'{over.node}.{over.output}' for over in distinct])}; it can "
                "be mapped over one of them only.",
                "pass one of them as a list of all items: `.collect()`",
            )
        dynamic = [out.name for out in solid.outputs if out.dynamic]
        if dynamic:
            over = distinct[0]
            self.problem(
                name,
                f"`{name}` is mapped over output `{over.output}` of `{over.node}` and has the dynamic output "
                f"`{dynamic[0]}` itself; items of items have no place in a state machine's keys and maps.",
                "yield a list for each item, or `.collect()` first and make the items in a solid of its own",
            )
        return distinct[0]

    def problem(self, node: str, problem: str, hint: str, key: str = "") -> None:
        """Note what is wrong, at ``node`` and its input ``key``."""
        path = ".".join(part for part in (self.owner, node, key) if part)
        self.problems.append(DefinitionError(problem, subject=node, path=path, hint=hint))


_current: ContextVar[Composition | None] = ContextVar("solidstate_composition", default=None)


def current_composition() -> Composition | None:
    """The pipeline being built in this thread of control, if any."""
    return _current.get()


@contextmanager
def composing(composition: Composition) -> Iterator[Composition]:
    """Record solids called in the body as nodes of ``composition``."""
    token = _current.set(composition)
    try:
        yield composition
    finally:
        _current.reset(token)
