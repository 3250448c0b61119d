"""Reading inputs from, and writing outputs to, where a run request says is the same with every engine."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from solidstate import Column, In, Out, StepContext, frame_type, pipeline, solid
from solidstate.events import StepFailure, StepInput, StepMaterialization, StepOutput
from solidstate.infra.home import Home
from solidstate.infra.local_run import Engine, run_local
from solidstate.storage.history import events_of

ROWS = frame_type("Rows", {"code": str, "n": Column(int, ge=0)}, library="polars")
BUCKET = "solidstate-local"


@solid(ins={"rows": In(ROWS)}, outs={"result": Out(ROWS)})
def keep(rows: pl.DataFrame) -> pl.DataFrame:
    """The same rows."""
    return rows


@solid(ins={"rows": In(ROWS)})
def look(context: StepContext, rows: pl.DataFrame) -> str:
    """What was written of them."""
    text: str = context.fs.cat_file(f"{BUCKET}/out/rows.csv").decode()
    return text


@pipeline
def flow() -> None:
    look(keep())


def facts(engine: Engine, folder: Path, text: str) -> list[Any]:
    """What the events of a run say of inputs, outputs, files and failures."""
    (folder / "in.csv").write_text(text)
    home = Home(folder / engine)
    request = {
        "solids": {
            "keep": {
                "inputs": {"rows": {"csv": {"path": str(folder / "in.csv")}}},
                "outputs": [{"result": {"csv": {"path": f"s3://{BUCKET}/out/rows.csv"}}}],
            }
        }
    }
    summary = run_local(flow, request, engine=engine, home=home, run_id="run-1")
    told: list[Any] = [summary.status]
    for event in events_of(home.store, summary):
        if isinstance(event, (StepInput, StepOutput)):
            told.append((event.step, event.name, event.type, event.metadata))
        elif isinstance(event, StepMaterialization):
            told.append((event.step, event.label, event.path, event.metadata))
        elif isinstance(event, StepFailure):
            told.append((event.step, event.error))
    return told


@pytest.mark.slow
@pytest.mark.parametrize("text", ["code,n\n007,1\n008,2\n", "code,n\n007,-1\n008,2\n"], ids=["good", "bad"])
def test_engines_agree(text: str, tmp_path: Path) -> None:
    """Events, metadata, files and errors are the same inline and on moto."""
    inline, moto = facts("inline", tmp_path, text), facts("moto", tmp_path, text)
    assert moto == inline
    metadata = {
        "rows": 2,
        "bytes": 22,
        "columns": [{"name": "code", "type": "String", "nulls": 0}, {"name": "n", "type": "Int64", "nulls": 0}],
    }
    if "-1" not in text:
        written = {"format": "csv", "rows": 2, "bytes": 19}
        assert inline == [
            "success",
            ("keep", "rows", "Rows", metadata),
            ("keep", "result", "Rows", metadata),
            ("keep", "result", f"s3://{BUCKET}/out/rows.csv", written),
            ("look", "rows", "Rows", metadata),
            ("look", "result", "str", {}),
        ]
    else:
        assert inline[0] == "failed"
        assert inline[1][1].message == (
            "Input `rows` of `keep` does not pass the check of type `Rows`: column `n`: 1 value is not >= 0 "
            "(row 0: -1)."
        )
