"""A pipeline with much to get wrong in its run request, and requests that do."""

from __future__ import annotations

import datetime
from typing import Annotated, Any, Literal

import msgspec

from solidstate import Mode, Preset, Secret, Selector, composite_solid, pipeline, resource, solid


class Window(msgspec.Struct, forbid_unknown_fields=True):
    """Which days."""

    first: datetime.date
    days: Annotated[int, msgspec.Meta(ge=1, le=31)] = 7


class File(msgspec.Struct):
    path: str


class Table(msgspec.Struct):
    name: Annotated[str, msgspec.Meta(pattern="^[a-z_]+$")]
    limit: int | None = None


class Source(Selector):
    """Where rows come from."""

    file: File | None = None
    table: Table | None = None


class ReadConfig(msgspec.Struct):
    source: Source
    window: Window
    columns: list[str] = []
    order: Literal["up", "down"] = "up"


class ServerConfig(msgspec.Struct):
    host: str
    password: Secret
    retries: int = 3


class ScaleConfig(msgspec.Struct):
    factor: float


@resource
def server(config: ServerConfig) -> str:
    return config.host


@solid(resources={"server"})
def read(config: ReadConfig) -> list[int]:
    """Rows."""
    return [config.window.days]


@solid
def scale(rows: list[int], config: ScaleConfig) -> list[float]:
    return [row * config.factor for row in rows]


@solid
def shift(rows: list[float], by: dict[str, int], label: str = "x") -> list[float]:
    return [row + sum(by.values()) for row in rows]


@composite_solid
def prepare(rows: Any) -> Any:
    return shift(scale(rows))


@solid
def report(rows: list[float]) -> int:
    return len(rows)


@pipeline(
    modes=[Mode("test", {"server": "none"}), Mode("prod", {"server": server})],
    presets=[
        Preset("nightly", "prod", {"resources": {"server": {"config": {"host": "db", "password": {"env": "PW"}}}}}),
    ],
)
def gated() -> None:
    """Reads, prepares, reports."""
    report(prepare(read()))


READ = {"config": {"source": {"file": {"path": "a"}}, "window": {"first": "2013-01-31"}}}
PREPARE = {"solids": {"scale": {"config": {"factor": 2}}, "shift": {"inputs": {"by": {"a": 1}}}}}
SERVER = {"server": {"config": {"host": "db", "password": {"env": "GATE_PASSWORD"}}}}
VALID: dict[str, Any] = {"mode": "test", "solids": {"read": READ, "prepare": PREPARE}}


def changed(path: str, value: Any, **more: Any) -> dict[str, Any]:
    """The valid request with one part set to something else (``...`` takes it away), and top-level parts added."""
    document: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(VALID | more))
    *outer, last = path.split(".")
    inner = document
    for key in outer:
        inner = inner.setdefault(key, {})
    if value is ...:
        inner.pop(last, None)
    else:
        inner[last] = value
    return document


_CONFIG = "solids.read.config"

MALFORMED: dict[str, Any] = {
    "nothing at all": {},
    "a list": [],
    "text": "mode: test",
    "a number": 5,
    "an unknown section": changed("solid", {}),
    "no mode": changed("mode", ...),
    "an unknown mode": changed("mode", "tset"),
    "a mode that is no text": changed("mode", 3),
    "an unknown preset": changed("preset", "nigthly"),
    "an unknown step": changed("solids.raed", READ),
    "a step that is no mapping": changed("solids.read", [1]),
    "an unknown entry of a step": changed("solids.read.configs", {}),
    "missing config": changed(_CONFIG, ...),
    "an unknown field": changed(f"{_CONFIG}.colums", ["a"]),
    "a wrong item of a list": changed(f"{_CONFIG}.columns", ["a", 2, None]),
    "not one of the words": changed(f"{_CONFIG}.order", "sideways"),
    "a date that is none": changed(f"{_CONFIG}.window.first", "2013-02-30"),
    "a number out of range": changed(f"{_CONFIG}.window.days", 32),
    "a number in quotes": changed(f"{_CONFIG}.window.days", "7"),
    "nothing selected": changed(f"{_CONFIG}.source", {}),
    "two things selected": changed(f"{_CONFIG}.source.table", {"name": "t"}),
    "a text that does not match": changed(f"{_CONFIG}.source", {"table": {"name": "No Such"}}),
    "config of a solid in a composite": changed("solids.prepare.solids.scale.config.factor", "two"),
    "an unknown solid in a composite": changed("solids.prepare.solids.scail", {}),
    "a connected input": changed("solids.report", {"inputs": {"rows": [1.0]}}),
    "an input of a wrong type": changed("solids.prepare.solids.shift.inputs.by", {"a": "one"}),
    "an unknown resource": changed("resources", {"sever": {}}),
    "missing config of a resource": changed("mode", "prod"),
    "a secret in clear": changed(
        "mode", "prod", resources={"server": {"config": {"host": "db", "password": "hunter2"}}}
    ),
    "tags that are no text": changed("tags", {"n": 1, "ok": "yes"}),
    "an unknown selection": changed("steps", "reed*"),
    "a selection without its inputs": changed("steps", "report"),
    "a run to reuse that is no run id": changed("from_run", "../../etc"),
    "signs that steer a terminal": changed("mode", "\u202e\x1b[2J\nerror: none"),
    "several at once": changed(
        f"{_CONFIG}.window", {"first": 3, "dayz": 1}, mode="prd", tags=[], solid=1, resources={"x": {}}
    ),
}
"""By what is wrong with them."""
