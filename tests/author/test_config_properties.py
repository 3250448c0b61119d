"""Config schemas of any shape: what is valid is accepted and comes back as it was; each single mistake has one error,
at its own path."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from solidstate import Secret, Selector
from solidstate.acceptance import acceptor
from solidstate.config import example_of, schema_of
from solidstate.evaluate import evaluate
from solidstate.presets import laid_over

Path = tuple[str | int, ...]
_numbers = itertools.count()
NAMES = ["alpha", "bravo", "charlie", "delta"]


class Kind(msgspec.Struct):
    """A type, valid values for it, and the types inside."""

    annotation: Any
    values: Any
    wrong: Any = None
    fields: dict[str, tuple[Kind, bool]] = {}
    item: Kind | None = None
    selector: bool = False
    nullable: bool = False


LEAVES = [
    Kind(int, st.integers(-99, 99), "text"),
    Kind(str, st.sampled_from(["a", "b c"]), 5),
    Kind(bool, st.booleans(), "text"),
    Kind(float, st.floats(-9, 9), "text"),
    Kind(Literal["low", "high"], st.sampled_from(["low", "high"]), "hgih"),
    Kind(Annotated[int, msgspec.Meta(ge=0, le=9)], st.integers(0, 9), 99),
    Kind(Secret, st.sampled_from([{"env": "NAME"}, {"ssm": "/a"}]), "hunter2"),
]


def structs(inner: st.SearchStrategy[Kind]) -> st.SearchStrategy[Kind]:
    fields = st.dictionaries(st.sampled_from(NAMES), st.tuples(inner, st.booleans()), min_size=1, max_size=3)
    return fields.map(_struct)


def _struct(fields: dict[str, tuple[Kind, bool]]) -> Kind:
    # A field that may be left out defaults to null, so that leaving it out and reading it back are the same.
    ordered = sorted(fields.items(), key=lambda pair: not pair[1][1])
    declared: list[Any] = [
        (name, kind.annotation) if needed else (name, kind.annotation | None, None) for name, (kind, needed) in ordered
    ]
    cls = msgspec.defstruct(f"Made{next(_numbers)}", declared, omit_defaults=True)
    always = {name: kind.values for name, (kind, needed) in ordered if needed}
    sometimes = {name: kind.values for name, (kind, needed) in ordered if not needed}
    return Kind(cls, st.fixed_dictionaries(always, optional=sometimes), "text", dict(ordered))


def selectors(inner: st.SearchStrategy[Kind]) -> st.SearchStrategy[Kind]:
    return st.dictionaries(st.sampled_from(NAMES), inner, min_size=2, max_size=3).map(_selector)


def _selector(options: dict[str, Kind]) -> Kind:
    declared: list[Any] = [(name, kind.annotation | None, None) for name, kind in options.items()]
    cls = msgspec.defstruct(f"Made{next(_numbers)}", declared, bases=(Selector,), omit_defaults=True)
    values = st.one_of([st.fixed_dictionaries({name: kind.values}) for name, kind in options.items()])
    return Kind(cls, values, "text", {name: (kind, False) for name, kind in options.items()}, selector=True)


def lists(inner: st.SearchStrategy[Kind]) -> st.SearchStrategy[Kind]:
    return inner.map(lambda kind: Kind(list[kind.annotation], st.lists(kind.values, max_size=2), "text", item=kind))  # type: ignore[name-defined]  # a type made at run time


def mappings(inner: st.SearchStrategy[Kind]) -> st.SearchStrategy[Kind]:
    keys = st.sampled_from(NAMES)
    return inner.map(
        lambda kind: Kind(dict[str, kind.annotation], st.dictionaries(keys, kind.values, max_size=2), "text", item=kind)  # type: ignore[name-defined]  # a type made at run time
    )


KINDS = structs(
    st.recursive(
        st.sampled_from(LEAVES),
        lambda inner: structs(inner) | selectors(inner) | lists(inner) | mappings(inner),
        max_leaves=8,
    )
)
CASES = KINDS.flatmap(lambda kind: st.tuples(st.just(kind), kind.values))


def mistakes(kind: Kind, value: Any, path: Path = ()) -> Iterator[tuple[Any, Path, str]]:
    """The value with one mistake in it, its path, and the reason that error must have (empty for any)."""
    yield kind.wrong, path, ""
    if kind.fields:
        yield {**value, "zulu_unknown": 1}, (*path, "zulu_unknown"), "unknown"
        for name, (inner, needed) in kind.fields.items():
            if needed:
                yield {key: one for key, one in value.items() if key != name}, (*path, name), "missing"
            if name in value:
                for wrong, where, reason in mistakes(inner, value[name], (*path, name)):
                    yield {**value, name: wrong}, where, reason
        if kind.selector:
            yield {}, path, "selector"
            both = dict.fromkeys(list(kind.fields)[:2], 1)
            yield both, path, "selector"
    elif isinstance(value, list) and kind.item is not None:
        for number, one in enumerate(value):
            for wrong, where, reason in mistakes(kind.item, one, (*path, number)):
                yield [*value[:number], wrong, *value[number + 1 :]], where, reason
    elif isinstance(value, dict) and kind.item is not None:
        for key, one in value.items():
            for wrong, where, reason in mistakes(kind.item, one, (*path, key)):
                yield {**value, key: wrong}, where, reason


@given(CASES)
def test_what_is_valid_is_accepted_and_comes_back(case: tuple[Kind, Any]) -> None:
    """No error, and the typed config, written down, is what was given."""
    kind, value = case
    assert evaluate(schema_of(kind.annotation), value) == []
    assert acceptor(kind.annotation)(value) or "Annotated" in str(kind)
    typed = msgspec.convert(value, kind.annotation)
    assert msgspec.to_builtins(typed) == value


@settings(max_examples=60)
@given(CASES)
def test_each_mistake_has_one_error_at_its_path(case: tuple[Kind, Any]) -> None:
    """Whatever is wrong and however deep, that place is named and no other; secrets are not repeated."""
    kind, value = case
    schema = schema_of(kind.annotation)
    for wrong, where, reason in mistakes(kind, value):
        errors = evaluate(schema, wrong)
        assert not acceptor(kind.annotation)(wrong)
        assert [error.steps for error in errors] == [where], (wrong, [str(error) for error in errors])
        assert not reason or errors[0].reason == reason
        assert errors[0].hint
        assert "hunter2" not in str(errors[0])
        assert "hunter2" not in repr(vars(errors[0]))


@given(KINDS)
def test_the_example_of_a_schema_is_valid(kind: Kind) -> None:
    """What an error offers to paste is accepted."""
    schema = schema_of(kind.annotation)
    assert evaluate(schema, example_of(schema)) == []


@given(KINDS.flatmap(lambda kind: st.tuples(st.just(kind), kind.values, kind.values)))
def test_two_valid_values_laid_over_each_other_are_valid(case: tuple[Kind, Any, Any]) -> None:
    """A preset and a request that are each complete make a request that is, and what the request says holds."""
    kind, below, above = case
    merged = laid_over(kind.annotation, below, above)
    assert evaluate(schema_of(kind.annotation), merged) == []
    assert laid_over(kind.annotation, merged, above) == merged
