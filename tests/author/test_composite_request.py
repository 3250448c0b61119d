"""Run requests for pipelines with composites: where things are written, what `config_fn` makes, every error's text."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from solidstate import composite_solid, execute_solid, pipeline, solid
from solidstate.errors import RequestErrors
from solidstate.request import resolve_request


class By(msgspec.Struct):
    by: int


class Size(msgspec.Struct):
    size: int


@solid
def plus(number: int, config: By) -> int:
    return number + config.by


@solid
def one() -> int:
    return 1


def make(config: Size) -> dict[str, Any]:
    """Config for the children of `sized`: right, wrong, or none at all, by size."""
    if config.size == 13:
        raise ValueError("bad luck")
    by: Any = "much" if config.size > 100 else config.size
    if config.size < 0:
        return {"pluss": {"config": {"by": 1}}}
    return {"plus": {"config": {"by": by}}, "open": {"solids": {"plus": {"config": {"by": 10 * config.size}}}}}


@composite_solid
def opened(number: Any) -> Any:
    return plus(number)


@composite_solid(config=Size, config_fn=make)
def sized(number: Any) -> Any:
    return {"a": plus(number), "b": opened.alias("open")(number)}


@pipeline
def p() -> None:
    sized(one())
    opened(one.alias("uno")())


OPENED = {"opened": {"solids": {"plus": {"config": {"by": 7}}}}}


def resolved(solids: Any, **more: Any) -> Any:
    """The `solids` of the resolved request."""
    return resolve_request(p, {"solids": solids, **more}).solids


def told(solids: Any) -> list[tuple[str, str, str]]:
    """(path, problem, hint) of each error."""
    with pytest.raises(RequestErrors) as caught:
        resolve_request(p, {"solids": solids})
    return [(error.path, error.problem, error.hint) for error in caught.value.items]


def test_config_nests_and_is_resolved_flat() -> None:
    """What is written below `solids` of a composite, and what its `config_fn` makes, becomes the steps' own config."""
    assert resolved({"sized": {"config": {"size": 3}}, **OPENED}) == {
        "sized": {"config": {"size": 3}},
        "sized.plus": {"config": {"by": 3}},
        "sized.open.plus": {"config": {"by": 30}},
        "opened.plus": {"config": {"by": 7}},
    }


def test_a_resolved_request_is_a_request() -> None:
    """What a run records can start another run, with the same outcome."""
    first = resolve_request(p, {"solids": {"sized": {"config": {"size": 3}}, **OPENED}})
    assert resolve_request(p, msgspec.to_builtins(first)) == first


def test_an_open_input_is_given_where_the_solid_stands() -> None:
    """Inputs that a composite leaves open are inputs of the solids inside."""
    alone = pipeline(name="q")(lambda: opened())  # noqa: PLW0108 - a definition is no function
    entry = {"config": {"by": 2}, "inputs": {"number": 5}}
    request = resolve_request(alone, {"solids": {"opened": {"solids": {"plus": entry}}}})
    assert request.solids == {"opened.plus": entry}
    with pytest.raises(RequestErrors) as caught:
        resolve_request(alone, {"solids": {"opened": {"solids": {"plus": {"config": {"by": 2}}}}}})
    assert [error.path for error in caught.value.items] == ["solids.opened.solids.plus.inputs.number"]


def test_a_composite_selects_its_steps() -> None:
    """By its name, with what is above or below, as a step does."""
    document = {"solids": {"sized": {"config": {"size": 3}}}}
    assert resolve_request(p, {**document, "steps": "*sized"}).steps == ["one", "sized.plus", "sized.open.plus"]
    assert resolve_request(p, {**document, "steps": "one, sized.open.plus"}).steps == ["one", "sized.open.plus"]


def test_config_of_what_is_not_selected_is_not_needed() -> None:
    """Neither that of a composite nor that of the solids inside."""
    assert resolve_request(p, {"steps": "uno"}).steps == ["uno"]


FIX = "correct what `config_fn` of composite `sized` returns"


@pytest.mark.parametrize(
    ("solids", "errors"),
    [
        (
            OPENED,
            [
                (
                    "solids.sized.config.size",
                    "Missing required field `size` of type `int`.",
                    'add it, for example `{"solids":{"sized":{"config":{"size":0}}}}`',
                )
            ],
        ),
        (
            {"sized": {"config": {"size": 300}}, **OPENED},
            [("solids.sized.config_fn.plus.config.by", "Expected `int`, got 'much' of type `str`.", FIX)],
        ),
        (
            {"sized": {"config": {"size": -1}}, **OPENED},
            [
                ("solids.sized.config_fn.pluss", "Unknown field 'pluss'.", FIX),
                (
                    "solids.sized.solids.plus.config.by",
                    "Missing required field `by` of type `int`.",
                    'add it, for example `{"solids":{"sized":{"solids":{"plus":{"config":{"by":0}}}}}}`',
                ),
                (
                    "solids.sized.solids.open.solids.plus.config.by",
                    "Missing required field `by` of type `int`.",
                    'add it, for example `{"solids":{"sized":{"solids":{"open":{"solids":{"plus":{"config":'
                    '{"by":0}}}}}}}}`',
                ),
            ],
        ),
        (
            {"sized": {"config": {"size": 13}}, **OPENED},
            [
                (
                    "solids.sized.config",
                    "`config_fn` of composite `sized` raised ValueError: bad luck.",
                    "correct the value, or the function",
                )
            ],
        ),
        (
            {"sized": {"config": {"size": 3}, "solids": {"plus": {"config": {"by": 4}}}}, **OPENED},
            [
                (
                    "solids.sized.solids.plus.config",
                    "`solids.sized.solids.plus.config` is made by `config_fn` of composite `sized`.",
                    "remove it here, and set the composite's own `config`",
                )
            ],
        ),
        (
            {
                "sized": {"config": {"size": 3}},
                "opened": {"config": {"by": 1}, "solids": {"plus": {"config": {"by": "7"}}}},
            },
            [
                ("solids.opened.config", "Unknown field 'config'.", "known here: `solids`"),
                ("solids.opened.solids.plus.config.by", "Expected `int`, got '7' of type `str`.", "for example `0`"),
            ],
        ),
        (
            {"sized": {"config": {"size": 3}}, "opened": 4},
            [
                (
                    "solids.opened",
                    "Expected `a mapping`, got 4 of type `int`.",
                    "write `name: value` pairs below it, or `{}`",
                ),
                (
                    "solids.opened.solids.plus.config.by",
                    "Missing required field `by` of type `int`.",
                    'add it, for example `{"solids":{"opened":{"solids":{"plus":{"config":{"by":0}}}}}}`',
                ),
            ],
        ),
    ],
)
def test_errors(solids: Any, errors: list[tuple[str, str, str]]) -> None:
    """Each with its own place; what `config_fn` made is blamed on it."""
    assert told(solids) == errors


def test_a_composite_runs_alone() -> None:
    """`execute_solid` takes composites: inputs, config of the composite or of the solids inside, outputs by name."""
    done = execute_solid(sized, inputs={"number": 5}, config={"size": 2})
    assert done.outputs == {"a": 7, "b": 25}
    assert execute_solid(opened, inputs={"number": 5}, solids={"plus": {"config": {"by": 1}}}).output() == 6
