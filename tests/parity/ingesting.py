"""A solid whose config has a field of every kind 2019 had."""

from __future__ import annotations

import enum
from typing import Annotated, Any

import msgspec

from solidstate import Selector, solid


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Csv(msgspec.Struct):
    path: str
    comma: str = ","


class Source(Selector):
    csv: Csv | None = None
    parquet: Csv | None = None


class Inner(msgspec.Struct, frozen=True):
    depth: int = 1


class Ingest(msgspec.Struct):
    bucket: str
    color: Color = Color.RED
    limit: int = 10
    ratio: float = 0.5
    dry: bool = False
    names: list[str] = []
    src: Source | None = None
    maybe: int | None = None
    inner: Inner = Inner()
    extra: dict[str, Any] = {}
    sizes: dict[str, int] = {}
    anything: Any = None
    share: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0


class AllOptional(msgspec.Struct):
    limit: int = 10


@solid
def ingest(config: Ingest) -> dict[str, Any]:
    plain: dict[str, Any] = msgspec.to_builtins(config)
    return plain


def given(**config: Any) -> dict[str, Any]:
    """A request whose config of `ingest` is right but for what is said."""
    return {"solids": {"ingest": {"config": {"bucket": "b"} | config}}}
