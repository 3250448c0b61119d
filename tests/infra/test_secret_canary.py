"""One secret goes through runs that give it away in every way something is recorded; it is found nowhere."""

from __future__ import annotations

import base64
import json
import logging
import traceback
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from solidstate import (
    ExpectationResult,
    Failure,
    Materialization,
    Mode,
    Out,
    Output,
    Secret,
    SolidType,
    TypeCheck,
    execute_pipeline,
    pipeline,
    resource,
    solid,
)
from solidstate.errors import RequestErrors, SolidstateError
from solidstate.events import encode_events
from solidstate.infra.home import Home
from solidstate.infra.local_run import Engine, run_local
from solidstate.infra.results import PipelineFailed
from solidstate.planner.build import build_plan
from solidstate.planner.compile import compile_plan
from solidstate.planner.plan import encode_plan

CANARY = 'canary/7f3a "quoted" é 91b2'
LITERAL = "literal-canary-5d11"
FORMS = [
    CANARY,
    json.dumps(CANARY)[1:-1],
    repr(CANARY)[1:-1],
    urllib.parse.quote(CANARY),
    urllib.parse.quote(CANARY, safe=""),
    base64.b64encode(CANARY.encode()).decode().rstrip("="),
    base64.b64encode(f"ops:{CANARY}".encode()).decode()[8:40],
    CANARY[:12],
    LITERAL,
]


class Login(msgspec.Struct):
    password: Secret
    user: str = "ops"


def telling(value: Any) -> TypeCheck:
    return TypeCheck(success=True, description="fine", metadata={"seen": CANARY, CANARY: [CANARY]})


Row = SolidType("Row", check=telling, python=dict[str, str])


@resource
def database(context: Any, config: Login) -> Iterator[str]:
    password = config.password.get()
    context.log.warning(f"connecting with {password}", dsn=f"db://ops:{urllib.parse.quote(password)}@host")  # noqa: G004 - that is the point
    yield "a connection"
    raise RuntimeError(f"cannot close {password}")


@solid(resources={"database"}, outs={"result": Out(Row)})
def read(context: Any, config: Login) -> Iterator[Any]:
    password = config.password.get()
    context.resources.database  # noqa: B018 - opened
    context.log.info(password, header=base64.b64encode(f"ops:{password}".encode()).decode(), deep={"a": [password]})
    context.log.info("x" * 3_990 + password)  # noqa: G003 - that is the point
    yield Materialization(password, f"s3://bucket/{password}", password, {"password": password})
    yield ExpectationResult(False, password, f"saw {password}", {"value": json.dumps({"p": password})})
    yield Output({"user": "ops"}, metadata={"by": password})


@solid
def fails(context: Any, config: Login, row: dict[str, str]) -> None:
    try:
        raise KeyError(config.password.get())
    except KeyError as error:
        raise ValueError(f"no access for {config.password.get()!r}") from error


@solid
def refuses(config: Login, row: dict[str, str]) -> int:
    return config.password.get()  # type: ignore[return-value]  # that is the point


@solid
def declares(config: Login, row: dict[str, str]) -> None:
    raise Failure(f"{'y' * 280}{config.password.get()}", metadata={"password": config.password.get()})


@solid
def stays(row: dict[str, str]) -> str:
    return row["user"]


@pipeline(modes=[Mode("default", {"database": database})])
def canary() -> None:
    row = read()
    fails(row=row)
    refuses(row=row)
    declares(row=row)
    stays(row)


def request(password: Any) -> dict[str, Any]:
    login = {"config": {"password": password}}
    return {
        "solids": dict.fromkeys(("read", "fails", "refuses", "declares"), login),
        "resources": {"database": login},
    }


def leaks(text: str) -> list[str]:
    return [form for form in FORMS if form in text]


def leaks_in(folder: Path) -> list[tuple[str, str]]:
    files = [path for path in folder.rglob("*") if path.is_file()]
    assert files
    return [(path.name, form) for path in files for form in leaks(path.read_bytes().decode("utf-8", "replace"))]


@pytest.fixture(autouse=True)
def known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANARY_PASSWORD", CANARY)


@pytest.mark.parametrize("engine", ["inline", pytest.param("moto", marks=pytest.mark.slow)])
def test_a_whole_run_tells_the_secret_nowhere(
    engine: Engine, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Objects, events, logs, definition, execution history and both streams are searched for six spellings."""
    caplog.set_level(logging.DEBUG)
    home = Home(tmp_path / "home")
    summary = run_local(canary, request({"env": "CANARY_PASSWORD"}), engine=engine, home=home, run_id="r1")
    assert {step.step: step.status for step in summary.steps} == {
        "read": "success",
        "fails": "failed",
        "refuses": "failed",
        "declares": "failed",
        "stays": "success",
    }
    assert leaks_in(tmp_path) == []
    captured = capfd.readouterr()
    assert leaks(captured.out + captured.err + caplog.text + str(summary)) == []
    everything = "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
    assert everything.count("[secret]") > 20


def test_execution_in_this_process_tells_it_nowhere() -> None:
    """Neither the events nor the exception, with all that it was caused by, hold the value."""
    with pytest.raises(PipelineFailed) as caught:
        execute_pipeline(canary, request({"env": "CANARY_PASSWORD"}))
    assert leaks("".join(traceback.format_exception(caught.value))) == []
    assert leaks(encode_events(caught.value.result.events).decode()) == []


def test_the_plan_and_the_definition_know_nothing_of_it() -> None:
    """Both are made from the pipeline alone."""
    plan = build_plan(canary)
    assert leaks(encode_plan(plan).decode() + compile_plan(plan).definition.decode()) == []


MISPLACED: list[Any] = [
    request(LITERAL),
    request([LITERAL]),
    request({"env": [LITERAL]}),
    request({"value": LITERAL}),
    request({"env": f"{LITERAL} !"}),
    {"solids": {"read": {"config": LITERAL}}},
    {"solids": {"read": {"config": {"passwort": LITERAL}}}},
    {"solids": {"read": {"config": {"password": {"env": "A"}, "user": {"password": LITERAL}}}}},
    {"solids": {"read": LITERAL}},
    {"solids": [{"read": {"config": {"password": LITERAL}}}]},
    {"solids": {"stays": {"config": {"password": LITERAL}}}},
    {"resources": [LITERAL]},
    [{"password": LITERAL}],
    LITERAL,
]


@pytest.mark.parametrize("document", MISPLACED, ids=str)
def test_a_literal_is_refused_without_being_repeated(document: Any) -> None:
    """Wherever somebody writes the value itself, the refusal does not contain it."""
    with pytest.raises(RequestErrors) as caught:
        execute_pipeline(canary, document)
    assert leaks(str(caught.value)) == []
    assert [leak for error in caught.value.items for leak in leaks(repr(vars(error)))] == []


def test_the_search_can_find(tmp_path: Path) -> None:
    """What is searched for is found where it is."""
    (tmp_path / "a").write_text(json.dumps({"a": CANARY}))
    assert leaks_in(tmp_path)


def test_a_missing_secret_refuses_the_step_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """The error of a step names the reference and the way out."""
    monkeypatch.delenv("CANARY_PASSWORD")
    with pytest.raises(SolidstateError) as caught:
        Secret(env="CANARY_PASSWORD").get()
    assert str(caught.value) == (
        "The environment variable of the secret `env: CANARY_PASSWORD` is not set.\n"
        "  fix: set it where the step runs: `export CANARY_PASSWORD=...`"
    )
