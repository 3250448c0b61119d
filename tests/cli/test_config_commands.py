"""``config scaffold``, ``check`` and ``schema``: each speaks of the same run request."""

from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]  # it has no stubs
from jsonschema.exceptions import ValidationError  # type: ignore[import-untyped]  # it has no stubs

from solidstate.cli.documents import read_document
from solidstate.load import load_pipeline
from solidstate.request import resolve_request
from tests.cli.project import Project

MANY = """
    from __future__ import annotations

    import enum
    from typing import Annotated, Literal

    import msgspec

    from solidstate import Mode, pipeline, resource, solid


    class Colour(enum.Enum):
        RED = "red"
        BLUE = "blue"


    class Circle(msgspec.Struct, tag="circle"):
        radius: float


    class Square(msgspec.Struct, tag="square"):
        side: float


    class Window(msgspec.Struct):
        start: int
        stop: int = 10


    class Soft(msgspec.Struct):
        speed: float = 1.5
        names: list[str] = []


    class Config(msgspec.Struct):
        path: Annotated[str, msgspec.Meta(description="Where the\\nrows are.")]
        window: Window
        soft: Soft
        shape: Circle | Square
        count: Annotated[int, msgspec.Meta(ge=3)]
        colour: Colour = Colour.BLUE
        kind: Literal["csv", "parquet"] = "csv"
        limit: int | None = None
        table: dict[str, int] = {}
        on: bool = False


    class Zone(msgspec.Struct):
        name: str = "UTC"


    @resource
    def clock(config: Zone) -> str:
        return config.name


    @resource
    def database(config: Window) -> int:
        return config.start


    @solid(resources={"clock"})
    def read(config: Config, threshold: int, factor: float = 2.0) -> list[int]:
        return []


    @solid
    def write(rows: list[int], label: str = "all") -> int:
        return 0


    @pipeline(modes=[Mode("local", {"clock": clock}), Mode("prod", {"clock": database})])
    def many():
        write(read())
"""


@pytest.fixture
def many(project: Project) -> Project:
    """A project whose pipeline asks for config of every kind."""
    project.write("many.py", MANY)
    return project


def test_a_minimal_scaffold_has_what_is_required(many: Project) -> None:
    """Only what must be there, each with a value of its type, its type, and its description."""
    ran = many.run("config", "scaffold", "many.py")
    assert ran == (
        0,
        "# Run request for pipeline `many`\n"
        "# Validate it: solidstate config check many.py FILE\n"
        "mode: local  # local | prod\n"
        "solids:\n"
        "  read:\n"
        "    config:\n"
        '      path: "..."  # str: Where the rows are.\n'
        "      window:  # {start, stop?}\n"
        "        start: 0  # int\n"
        "      soft: {}  # {speed?, names?}\n"
        '      shape: {"type": "circle", "radius": 0.0}  # {radius} | {side}\n'
        "      count: 3  # int >= 3\n"
        "    inputs:\n"
        "      threshold: 0  # int\n",
        "",
    )


def test_a_full_scaffold_shows_the_rest_commented_out(many: Project) -> None:
    """Optional things stand where they belong, with their defaults, behind one comment mark each."""
    ran = many.run("config", "scaffold", "many.py", "--full")
    assert ran.out == (
        "# Run request for pipeline `many`\n"
        "# Validate it: solidstate config check many.py FILE\n"
        "mode: local  # local | prod\n"
        "solids:\n"
        "  read:\n"
        "    config:\n"
        '      path: "..."  # str: Where the rows are.\n'
        "      window:  # {start, stop?}\n"
        "        start: 0  # int\n"
        "        # stop: 10  # int\n"
        "      soft:  # {speed?, names?}\n"
        "        speed: 1.5  # float\n"
        "        names: []  # list[str]\n"
        '      shape: {"type": "circle", "radius": 0.0}  # {radius} | {side}\n'
        "      count: 3  # int >= 3\n"
        "      # colour: blue  # 'red' | 'blue'\n"
        "      # kind: csv  # 'csv' | 'parquet'\n"
        "      # limit: null  # int | None\n"
        "      # table: {}  # dict[str, int]\n"
        '      # "on": false  # bool\n'
        "    inputs:\n"
        "      threshold: 0  # int\n"
        "      # factor: 2.0  # float\n"
        "  # write:\n"
        "  #   inputs:\n"
        "  #     label: all  # str\n"
        "# resources:\n"
        "#   clock:\n"
        "#     config:\n"
        "#       name: UTC  # str\n"
        '# tags: {"owner": "ops"}  # recorded with the run\n'
        '# steps: "read*"  # run a part: name, name*, *name, name+1\n'
        "# from_run: RUN  # take what is not selected from this run\n"
    )


def test_a_pipeline_that_needs_nothing_has_an_empty_scaffold(project: Project) -> None:
    """Nothing required is said in so many words; presets are mentioned all the same."""
    project.write(
        "free.py",
        """
        from solidstate import Preset, pipeline, solid

        @solid
        def one() -> int:
            return 1

        @pipeline(presets=[Preset("sample", description="A small run.")])
        def free():
            '''Needs nothing.'''
            one()
        """,
    )
    assert project.run("config", "scaffold", "free.py").out == (
        "# Run request for pipeline `free`: Needs nothing.\n"
        "# Validate it: solidstate config check free.py FILE\n"
        "# preset: sample  # A small run.\n"
        "# nothing is required\n"
        "{}\n"
    )


FLAGS = [[], ["--full"], ["--json"], ["--json", "--full"]]
MODES = [[], ["--mode", "local"], ["--mode", "prod"]]


@pytest.mark.parametrize("mode", MODES, ids=" ".join)
@pytest.mark.parametrize("flags", FLAGS, ids=" ".join)
def test_every_scaffold_is_a_valid_request(
    many: Project, monkeypatch: pytest.MonkeyPatch, flags: list[str], mode: list[str]
) -> None:
    """What ``scaffold`` prints, ``check`` accepts, and so does the schema."""
    text = many.run("config", "scaffold", "many.py", *flags, *mode).out
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    ran = many.run("config", "check", "many.py", "-")
    name = mode[1] if mode else "local"
    assert ran == (
        0,
        f"ok  standard input is a valid run request for pipeline `many` in mode `{name}`\n",
        "",
    )
    many.write("r.yaml", text)
    Draft202012Validator(many.run("config", "schema", "many.py").json()).validate(read_document("r.yaml"))


def test_comment_marks_can_be_taken_away(many: Project) -> None:
    """A full scaffold with all its marks removed is a valid request that says every default."""
    text = many.run("config", "scaffold", "many.py", "--full").out
    head, *rest = re.split(r"(?m)^(?=mode:)", text, maxsplit=1)
    assert head.count("\n") == 2
    bare = re.sub(r"(?m)^( *)# (?=[ \"a-z])", r"\1", rest[0]).replace("from_run: RUN  #", "# from_run: RUN  #")
    many.write("r.yaml", bare)
    ran = many.run("config", "check", "many.py", "r.yaml", "--json")
    assert ran.code == 0, ran.err
    config = ran.json()["solids"]["read"]["config"]
    assert (config["colour"], config["on"], config["window"]) == ("blue", False, {"start": 0, "stop": 10})


def test_check_prints_the_request_with_its_preset(words: Project) -> None:
    """``--json`` shows what a run would really be given."""
    words.write("r.yaml", "preset: sample\nsolids: {read: {config: {limit: 2}}}\nsteps: read")
    assert words.run("config", "check", "words.py", "r.yaml").out == (
        "ok  r.yaml is a valid run request for pipeline `words` in mode `local`, preset `sample`\n"
    )
    assert words.run("config", "check", "words.py", "r.yaml", "--json").json() == {
        "mode": "local",
        "preset": "sample",
        "solids": {"read": {"config": {"path": "a quick word", "limit": 2}}},
        "steps": ["read"],
    }


VALID: dict[str, Any] = {
    "mode": "local",
    "solids": {
        "read": {
            "config": {
                "path": "x",
                "window": {"start": 1},
                "soft": {},
                "shape": {"type": "square", "side": 1},
                "count": 3,
            },
            "inputs": {"threshold": 1},
        }
    },
}


def changed(path: str, value: object) -> dict[str, Any]:
    """A valid request with one value put in its place."""

    def put(below: Any, keys: list[str]) -> Any:
        return {**below, keys[0]: put(below.get(keys[0], {}), keys[1:])} if keys else value

    return dict(put(VALID, path.split(".")))


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("mode", "prd"),
        ("modes", "local"),
        ("solids.raed", {}),
        ("solids.read.config.limt", 1),
        ("solids.read.config.limit", "many"),
        ("solids.read.config.count", 2),
        ("solids.read.config.colour", "green"),
        ("solids.read.config.shape", {"type": "line"}),
        ("solids.read.config.window", {}),
        ("solids.read.inputs.treshold", 1),
        ("solids.write.config", {"a": 1}),
        ("resources.clock.config", {"zone": 3}),
        ("tags", {"owner": 3}),
        ("steps", ["read"]),
    ],
)
def test_schema_and_check_refuse_the_same(many: Project, path: str, value: object) -> None:
    """An editor with the schema marks what ``config check`` would refuse."""
    validator = Draft202012Validator(many.run("config", "schema", "many.py").json())
    pipeline = load_pipeline("many.py")
    validator.validate(VALID)
    resolve_request(pipeline, VALID)
    document = changed(path, value)
    with pytest.raises(ValidationError):
        validator.validate(document)
    many.write("r.json", json.dumps(document))
    ran = many.run("config", "check", "many.py", "r.json")
    assert ran.code == 2
    assert ran.err.startswith("error: Run request for pipeline `many`: ")


def test_schema_leaves_to_presets_what_they_give(words: Project) -> None:
    """Where a preset may fill the gaps, the schema does not insist on fields."""
    schema = words.run("config", "schema", "words.py").json()
    Draft202012Validator.check_schema(schema)
    Draft202012Validator(schema).validate({"preset": "sample", "solids": {"read": {"config": {"limit": 2}}}})
    with pytest.raises(ValidationError):
        Draft202012Validator(schema).validate({"preset": "smaple"})
