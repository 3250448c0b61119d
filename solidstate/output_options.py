"""What a run request may say about a solid's outputs: where to write them, beside storing them.

::

    solids: {clean: {outputs: [{result: {parquet: {path: "s3://bucket/clean.parquet"}}}]}}

Each entry names one output and one way of its type's materializer; an output may be written several times. Values that
can be written as JSON have the way ``json`` without any type of the user's.
"""

from __future__ import annotations

import functools
from typing import Any

import msgspec

from solidstate.config import configurable
from solidstate.events import Materialization
from solidstate.selector import Selector
from solidstate.solid import SolidDefinition
from solidstate.type_options import Option, Options, TypeContext, selector_of
from solidstate.types import EdgeType


class ValueFile(msgspec.Struct, frozen=True):
    """A JSON file of one value."""

    path: str


class PlainWays(Selector):
    """How a plain value can be written."""

    json: ValueFile | None = None


def write_json(context: TypeContext, config: ValueFile, value: Any) -> Materialization:
    """One value as one JSON document. Raises TypeError for what JSON has no form for."""
    data = msgspec.json.encode(value)
    with context.open(config.path, "wb") as file:
        file.write(data)
    return Materialization(context.name, config.path, metadata={"format": "json", "bytes": len(data)})


PLAIN = Options(PlainWays, {"json": Option(ValueFile, write_json)})


def materializer_of(edge: EdgeType) -> Options | None:
    """How values of a type can be written where a run request says; None when there is no way."""
    if edge.materializer is not None or edge.nothing:
        return edge.materializer
    return PLAIN if configurable(edge.annotation) else None


@functools.lru_cache(maxsize=4096)
def outputs_annotation(solid: SolidDefinition) -> Any:
    """The type of ``outputs`` in a solid's entry of a run request: a list of Selectors, one field for each output that
    can be written. None when there is no such output."""
    ways = {out.name: materializer_of(out.type) for out in solid.outputs}
    fields: list[tuple[str, Any, Any]] = [
        (name, way.annotation | None, None) for name, way in ways.items() if way is not None
    ]
    if not fields:
        return None
    item: Any = selector_of(f"Outputs_{solid.name}", fields)
    return list[item]  # a class made at run time


def materialization_of(made: Any, context: TypeContext, config: Any) -> list[Any]:
    """What a materializer returned, as a list of what to record: of its own, or that it wrote something."""
    if made is None:
        return [Materialization(context.name, str(getattr(config, "path", "")))]
    return list(made) if isinstance(made, (list, tuple)) else [made]
