"""A pipeline with one of everything a run request may speak of."""

from __future__ import annotations

import datetime as dt
import enum
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import msgspec

from solidstate import (
    DynamicOut,
    DynamicOutput,
    Mode,
    Out,
    Output,
    Preset,
    Secret,
    composite_solid,
    pipeline,
    resource,
    solid,
)
from solidstate.handler.runtime import LoadedPipeline, Runtime
from solidstate.planner.build import build_plan
from solidstate.storage.files import open_memory
from solidstate.storage.memory import MemoryStore
from solidstate.storage.store import ObjectStore


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Inner(msgspec.Struct):
    when: dt.datetime | None = None
    tags: dict[str, list[int]] = {}


class ReadConfig(msgspec.Struct):
    path: str
    limit: Annotated[int, msgspec.Meta(ge=0)] = 1
    share: float = 0.5
    colour: Colour = Colour.RED
    kind: Literal["a", "b"] = "a"
    inner: Inner | None = None
    pair: tuple[int, float] = (1, 1.0)
    anything: Any = None


class Login(msgspec.Struct):
    password: Secret | None = None
    user: str = "ops"


@resource
def database(config: Login) -> str:
    return config.user


@solid(tags={"owner": "ops", "tier": "gold"})
def read(config: ReadConfig) -> int:
    return config.limit


@solid(resources={"database"})
def add(left: int, right: float = 1.0, names: list[str] | None = None) -> float:
    return left + right


@solid(outs={"item": DynamicOut(int, max_items=5)})
def split(total: float) -> Iterator[DynamicOutput[int]]:
    for number in range(3):
        yield DynamicOutput(number, f"k{number}", "item")


@solid
def twice(number: int) -> int:
    return 2 * number


@solid(outs={"late": Out(int, optional=True), "early": Out(int)})
def sort(numbers: list[int]) -> Iterator[Output[int]]:
    yield Output(len(numbers), "early")


@composite_solid
def both(left: int) -> float:
    return add.alias("inside")(left)


@pipeline(
    modes=[Mode("local", {"database": database}), Mode("prod", {"database": database})],
    presets=[Preset("sample", mode="local", run_config={"solids": {"read": {"config": {"path": "p"}}}})],
    tags={"team": "data"},
)
def shop() -> None:
    total = add(read())
    sort(split(total).map(twice).collect())
    both(read.alias("again")())


REQUEST: dict[str, Any] = {
    "mode": "local",
    "preset": "sample",
    "solids": {
        "read": {
            "config": {
                "path": "p",
                "limit": 3,
                "share": 0.25,
                "colour": "blue",
                "kind": "b",
                "inner": {"when": "2026-01-01T00:00:00", "tags": {"a": [1]}},
                "pair": [1, 2.0],
                "anything": {"a": None},
            }
        },
        "add": {"inputs": {"right": 2.5, "names": ["x"]}},
        "again": {"config": {"path": "q"}},
        "both": {"solids": {"inside": {"inputs": {"right": 1.0}}}},
    },
    "resources": {"database": {"config": {"user": "u", "password": {"env": "NO_SUCH_VARIABLE"}}}},
    "tags": {"owner": "me"},
    "steps": "read*, again+",
    "from_run": None,
}
"""A valid request of it."""
WORDS = (
    *REQUEST,
    *("config", "inputs", "outputs", "solids", "read", "add", "split", "twice", "sort", "again", "both", "inside"),
    *("path", "limit", "share", "colour", "kind", "inner", "when", "tags", "pair", "anything", "red", "a", "right"),
    *("names", "database", "user", "password", "env", "ssm", "secretsmanager", "local", "prod", "sample", "result"),
    *("tag:owner=ops", "tag:tier", "read*", "*sort", "add+1", "2+twice", "both*", "type", "key"),
)


def runtime(store: ObjectStore | None = None) -> Runtime:
    """Of that pipeline alone."""
    loaded = LoadedPipeline(shop, build_plan(shop))
    return Runtime([loaded], store if store is not None else MemoryStore(), engine="fuzz", open_fs=open_memory)
