"""What a run request that cannot be run is told, word for word; nothing a person writes gets out as it is."""

from __future__ import annotations

import datetime
import enum
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple, TypedDict

import msgspec
import pytest
import yaml

from solidstate import Mode, Preset, pipeline, resource, solid
from solidstate.errors import RequestErrors
from solidstate.request import resolve_request
from tests.author.golden_texts import compare


class Format(enum.Enum):
    CSV = "csv"
    PARQUET = "parquet"


class File(msgspec.Struct, tag="file"):
    path: str


class Table(msgspec.Struct, tag="table"):
    name: str
    schema: str = "public"


class Range(NamedTuple):
    low: int
    high: int = 9


class Extra(TypedDict):
    note: str


class Even(msgspec.Struct):
    number: int

    def __post_init__(self) -> None:
        if self.number % 2:
            raise ValueError("number must be even")


class ReadConfig(msgspec.Struct):
    source: File | Table
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] | None = None
    names: list[str] = []
    day: datetime.date | None = None
    shape: Format = Format.CSV
    level: Literal["low", "high"] = "low"
    weights: dict[str, float] = {}
    window: Range = Range(0)
    extra: Extra | None = None
    even: Even | None = None
    code: Annotated[str, msgspec.Meta(pattern="^[A-Z]{2}$")] = "AA"


class ClockConfig(msgspec.Struct):
    zone: str


@resource
def clock(config: ClockConfig) -> None: ...


@solid
def read(config: ReadConfig, threshold: int, flag: bool = False) -> int:
    return threshold


@solid
def report(rows: int, title: str = "") -> None: ...


@pipeline(
    modes=[Mode("local"), Mode("prod", {"clock": clock})],
    presets=[
        Preset("sample", mode="local", run_config={"solids": {"read": {"inputs": {"threshold": 1}}}}),
        Preset("odd", mode="local", run_config={"solid": {}, "preset": "sample"}),
    ],
)
def flights() -> None:
    report(read())


def reading(**config: Any) -> dict[str, Any]:
    """A request that is right but for what is given for the config of `read`."""
    source = {"source": {"type": "file", "path": "a.csv"}}
    return {"mode": "local", "solids": {"read": {"config": source | config, "inputs": {"threshold": 1}}}}


def nested(depth: int) -> Any:
    value: Any = "end"
    for _ in range(depth):
        value = {"a": value}
    return value


def cyclic() -> Any:
    value: dict[str, Any] = {"mode": "local"}
    value["tags"] = value
    return value


def aliased(width: int, depth: int) -> Any:
    value: Any = ["x"]
    for _ in range(depth):
        value = [value] * width
    return {"tags": value}


CASES: dict[str, Any] = {
    "empty": {},
    "a list": ["mode"],
    "text": "mode: local",
    "unknown sections": {"mode": "local", "solid": {}, "stepz": "read", "colour": 1},
    "unknown mode": {"mode": "locl"},
    "mode is a mapping": {"mode": {"name": "local"}},
    "unknown preset": {"preset": "simple"},
    "a preset with mistakes": {"preset": "odd"},
    "unknown solid": reading() | {"solids": {"raed": {}}},
    "sections are lists": {
        "mode": "prod",
        "solids": [],
        "resources": "clock",
        "tags": 5,
        "steps": ["read"],
        "from_run": "../x",
    },
    "everything missing": {"mode": "prod"},
    "config is text": {"mode": "local", "solids": {"read": {"config": "a.csv", "input": {}, "inputs": []}}},
    "no config taken": reading() | {"solids": reading()["solids"] | {"report": {"config": {"a": 1}}}},
    "connected input": reading() | {"solids": reading()["solids"] | {"report": {"inputs": {"rows": 1, "tilte": "a"}}}},
    "unknown field": reading(limt=5),
    "unknown field far from all": reading(zzzzzz=5),
    "wrong type": reading(limit="5"),
    "a bool is no int": reading(limit=True),
    "out of range": reading(limit=1001),
    "text by YAML's lights": reading(names=["a", 5, True, None, datetime.date(2013, 1, 31)]),
    "enum": reading(shape="cvs"),
    "literal": reading(level="hihg"),
    "literal of another type": reading(level=3),
    "not a day": reading(day="31.1.2013"),
    "a moment for a day": reading(day=datetime.datetime(2013, 1, 31, 12)),  # noqa: DTZ001 - as YAML reads it
    "no tag": reading(source={"path": "a.csv"}),
    "wrong tag": reading(source={"type": "fiel", "path": "a.csv"}),
    "inside a tagged union": reading(source={"type": "table", "path": "a.csv"}),
    "no mapping for a union": reading(source="a.csv"),
    "infinite": reading(weights={"a": float("inf"), "b": "1"}),
    "positions": reading(window=[1, "2"]),
    "too many positions": reading(window=[1, 2, 3]),
    "a mapping for positions": reading(window={"low": 1}),
    "typed dict": reading(extra={"note": 1, "more": 2}),
    "the type's own check": reading(even={"number": 3}),
    "pattern": reading(code="aa"),
    "several at once": reading(limit=0, names="a", level="x", other=1),
    "odd keys": reading(**{"\x1b[31mred": 1, "a\u202eb": 2, "x" * 10_000: 3, "..": 4, "": 5}),
    "odd keys in a mapping": reading(weights={"a b": "x", "\u202e": None}),
    "tags": reading() | {"tags": {"year": 2013, "team": {"a": 1}, "ok": "yes", "when": datetime.date(2013, 1, 31)}},
    "selection": reading() | {"steps": "raed*, report, , 1++read"},
    "selection without its upstream": reading() | {"steps": "report"},
    "selection of 20,000 characters": reading() | {"steps": "read," * 4_000},
    "selection with a huge depth": reading() | {"steps": "read+" + "9" * 5_000},
    "resource config": reading() | {"mode": "prod", "resources": {"clock": {"config": {"zone": 1}}, "clck": {}}},
    "an object": reading(names=[object]),
    "a path": reading(limit=Path("a")),
    "bytes and sets": reading(limit=b"5", names={1}),
    "keys that are no text": {"mode": "local", None: 1, 5: 2},
    "keys that are tuples": {"mode": "local", (1, 2): 1},
    "half a character": reading(code="\ud800"),
    "a number of 5,000 digits": reading(limit=10**5000),
    "too deep": {"tags": nested(5_000)},
    "contains itself": cyclic(),
    "too large": {"tags": {"a": "x" * 300_000}},
    "aliases of aliases": aliased(1000, 40),
}


def text_of(document: Any) -> str:
    with pytest.raises(RequestErrors) as caught:
        resolve_request(flights, document)
    return str(caught.value)


def test_every_text_is_the_golden_one() -> None:
    """Each document is refused with a text that is on file as a whole."""
    compare("request", {name: text_of(document) for name, document in CASES.items()})


@pytest.mark.parametrize("name", CASES)
def test_every_error_says_what_where_and_how_to_go_on(name: str) -> None:
    """A problem is one printable line of bounded length, and so are its path and its fix."""
    with pytest.raises(RequestErrors) as caught:
        resolve_request(flights, CASES[name])
    for error in caught.value.items:
        assert error.problem.endswith(".")
        for text in (error.problem, error.path, error.hint):
            assert text.isprintable()
            assert len(text) < 1_500
        assert error.hint


def test_yaml_dates_are_judged_like_their_text() -> None:
    """What YAML reads as a date is right for a date and is text in the request; for text it wants quotes."""
    config = "{source: {type: file, path: a}, day: 2013-01-31}"
    text = f"{{mode: local, solids: {{read: {{config: {config}, inputs: {{threshold: 1}}}}}}}}"
    request = resolve_request(flights, yaml.safe_load(text))
    assert request.solids["read"]["config"]["day"] == "2013-01-31"
    assert text_of(yaml.safe_load(text.replace("path: a", "path: 2013-01-31"))) == (
        "Run request for pipeline `flights`: Expected `str`, got datetime.date(2013, 1, 31) of type `date`.\n"
        "  at: solids.read.config.source.path\n"
        "  fix: quote it: `'2013-01-31'`"
    )
