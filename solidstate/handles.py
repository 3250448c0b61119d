"""What stands for values while a pipeline is being built: handles of outputs, of mapped outputs, of composite inputs.

Values do not exist at that time. A handle says so when it is used as if it were a value, and says what to do instead.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NoReturn

import msgspec

from solidstate.errors import DefinitionError, name_list, short, shown

if TYPE_CHECKING:
    from solidstate.composition import Composition


class Source(msgspec.Struct, frozen=True):
    """Where a value comes from: an output of a node."""

    node: str
    output: str


class OutputHandle:
    """One future value, to be handed to another solid's input: an output of a node; inside a ``map`` one item's value
    (``over`` says of which dynamic output, ``scope`` of which call of ``map``); the list ``collect()`` makes."""

    __slots__ = ("_collected", "_output", "_over", "_owner", "_scope", "_step")

    def __init__(
        self,
        owner: Composition,
        step: str,
        output: str,
        *,
        over: Source | None = None,
        scope: object = None,
        collected: bool = False,
    ) -> None:
        self._owner = owner
        self._step = step
        self._output = output
        self._over = over
        self._scope = scope
        self._collected = collected

    def __repr__(self) -> str:
        return f"<{self._called()}>"

    def _called(self) -> str:
        return f"output `{self._output}` of `{self._step}`"

    def _no_value(self, what: str) -> NoReturn:
        raise DefinitionError(
            f"{what} of {self._called()} is not possible while a pipeline is being built: the value exists only when "
            "the pipeline runs.",
            subject=self._step,
            hint="move this into a solid, or return several outputs and connect them",
        )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, OutputHandle):
            self._no_value("A comparison")
        return identity(self) == identity(other)

    def __hash__(self) -> int:
        return hash((self._step, self._output))

    def __bool__(self) -> bool:  # noqa: PLE0304 - never returns
        self._no_value("The truth")

    def __iter__(self) -> Iterator[Any]:
        self._no_value("Iteration")

    def __getitem__(self, key: Any) -> Any:
        self._no_value("An element")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        if name in ("map", "collect"):
            raise DefinitionError(
                f"`.{name}` is for outputs with any number of items, but {self._called()} is one value.",
                subject=self._step,
                hint=f'declare it in its solid: `outs={{"{self._output}": DynamicOut(...)}}`',
            )
        self._no_value(f"The attribute `{name}`")


class InputHandle(OutputHandle):
    """An input of a composite that nobody has connected: what it is passed to stays open."""

    __slots__ = ()

    def _called(self) -> str:
        return f"input `{self._output}` of composite `{self._step}`"


class MappedHandle:
    """Any number of future values: a dynamic output, or what solids mapped over one give, item by item."""

    __slots__ = ("_output", "_over", "_owner", "_step")

    def __init__(self, owner: Composition, step: str, output: str, over: Source) -> None:
        self._owner = owner
        self._step = step
        self._output = output
        self._over = over

    def __repr__(self) -> str:
        return f"<items of output `{self._output}` of `{self._step}`>"

    def map(self, fn: Callable[[Any], Any], /) -> Any:
        """Call solids on each item. ``fn`` gets the item's handle and may call any number of solids on it; what it
        returns (a handle, a tuple or a mapping of handles) comes back as handles with ``map`` and ``collect``."""
        if not callable(fn):
            raise DefinitionError(
                f"`.map` of output `{self._output}` of `{self._step}` takes a solid or a function, got {shown(fn)}.",
                subject=self._step,
                hint="write `.map(solid)` or `.map(lambda item: solid(item, other))`",
            )
        scopes = self._owner.root.scopes
        if self._over == Source(self._step, self._output) and any(over == self._over for over, _ in scopes):
            raise DefinitionError(
                f"Output `{self._output}` of `{self._step}` is mapped inside of a `.map` over the same items: both "
                "would stand for one item.",
                subject=self._step,
                hint="pass one side as a list of all items: `.collect()`",
            )
        scope = (self._over, object())
        scopes.append(scope)
        try:
            result = fn(OutputHandle(self._owner, self._step, self._output, over=self._over, scope=scope))
        finally:
            scopes.remove(scope)
        return self._mapped(result)

    def collect(self) -> OutputHandle:
        """All items' values as one list, in the order the items were yielded."""
        return OutputHandle(self._owner, self._step, self._output, over=self._over, collected=True)

    def __iter__(self) -> Iterator[Any]:
        self._only_map("Iteration")

    def __len__(self) -> int:  # noqa: PLE0303 - never returns
        self._only_map("The length")

    def __bool__(self) -> bool:  # noqa: PLE0304 - never returns
        self._only_map("The truth")

    def __getitem__(self, key: Any) -> Any:
        self._only_map("An element")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        self._only_map(f"The attribute `{name}`")

    def _only_map(self, what: str) -> NoReturn:
        raise DefinitionError(
            f"{what} of output `{self._output}` of `{self._step}` is not possible while a pipeline is being built: how "
            "many items it has is known only when the pipeline runs.",
            subject=self._step,
            hint="call `.map(solid)` for each item, or `.collect()` for a list of all",
        )

    def _mapped(self, result: Any) -> Any:
        if result is None:
            return None
        if isinstance(result, MappedHandle) and over_of(result) == self._over:
            return result
        if isinstance(result, OutputHandle) and over_of(result) == self._over and not is_collected(result):
            owner, source = origin(result)
            return MappedHandle(owner, source.node, source.output, self._over)
        if isinstance(result, OutputHandles):
            name, handles = parts_of(result)
            return OutputHandles(name, {key: self._mapped(handle) for key, handle in handles.items()})
        if isinstance(result, tuple):
            return tuple(self._mapped(one) for one in result)
        if isinstance(result, Mapping):
            return {key: self._mapped(one) for key, one in result.items()}
        if self._owner.problems:  # which may be why; they are told when the body has ended
            return self
        raise DefinitionError(
            f"The function mapped over output `{self._output}` of `{self._step}` returned {_named(result)}, which does "
            "not depend on the item.",
            subject=self._step,
            hint="return what a solid called on the item gives, or nothing",
        )


class OutputHandles:
    """The future outputs of a node with several: by name (``parts.late``), by position, or unpacked.

    It has no public methods: an output may be called ``count`` or ``index``.
    """

    __slots__ = ("__parts__",)

    def __init__(self, step: str, handles: Mapping[str, Any]) -> None:
        self.__parts__ = (step, dict(handles))

    def __repr__(self) -> str:
        step, handles = self.__parts__
        return f"<outputs of `{step}`: {', '.join(handles)}>"

    def __len__(self) -> int:
        return len(self.__parts__[1])

    def __iter__(self) -> Iterator[Any]:
        return iter(self.__parts__[1].values())

    def __getitem__(self, index: Any) -> Any:
        if isinstance(index, slice) or (isinstance(index, int) and -len(self) <= index < len(self)):
            return list(self.__parts__[1].values())[index]
        return _output_named(self, index)

    def __getattr__(self, name: str) -> Any:
        if name == "__parts__":  # a copy being made has no outputs yet
            raise AttributeError(name)
        if name.startswith("__") and name not in self.__parts__[1]:
            raise AttributeError(name)
        return _output_named(self, name)


def _output_named(handles: OutputHandles, name: object) -> Any:
    step, by_name = parts_of(handles)
    handle = by_name.get(name) if isinstance(name, str) else None
    if handle is None:
        raise DefinitionError(
            f"`{step}` has no output `{shown(name) if not isinstance(name, str) else short(name)}`; it has "
            f"{name_list(list(by_name))}.",
            subject=step,
            hint="use one of its outputs, or declare it in `outs=`",
        )
    return handle


def _named(value: object) -> str:
    if isinstance(value, (OutputHandle, MappedHandle)):
        source = origin(value)[1]
        return f"output `{source.output}` of `{source.node}`"
    return shown(value)


# Handles have no public names of their own, so that every one of them can be reported; these are their friends.


def origin(handle: OutputHandle | MappedHandle) -> tuple[Composition, Source]:
    """In whose body the handle was made, and of what."""
    return handle._owner, Source(handle._step, handle._output)  # noqa: SLF001 - friends, in one module


def over_of(handle: OutputHandle | MappedHandle) -> Source | None:
    """The dynamic output the handle's items are of; None for a single value."""
    return handle._over  # noqa: SLF001 - friends, in one module


def is_collected(handle: OutputHandle) -> bool:
    return handle._collected  # noqa: SLF001 - friends, in one module


def in_scope(handle: OutputHandle) -> bool:
    """False for an item that has left the function it was mapped by."""
    scope = handle._scope  # noqa: SLF001 - friends, in one module
    return scope is None or any(scope is one for one in handle._owner.root.scopes)  # noqa: SLF001 - as above


def called(handle: OutputHandle) -> str:
    """The handle in words: ``output `late` of `split` ``."""
    return handle._called()  # noqa: SLF001 - friends, in one module


def identity(handle: OutputHandle) -> object:
    """What makes two handles the same."""
    owner, source = origin(handle)
    return owner.root, source, over_of(handle), is_collected(handle)


def parts_of(handles: OutputHandles) -> tuple[str, dict[str, Any]]:
    """The node's name and its handles by output."""
    return handles.__parts__
