"""A deployed function's runtime, from its environment.

SOLIDSTATE_PIPELINES   targets, comma separated: ``flights.pipeline:flights``
SOLIDSTATE_BUCKET      the data bucket (and SOLIDSTATE_RETENTION_DAYS, see ``handler/integrity.py``)
SOLIDSTATE_PLANS       folder of shipped plans, ``<pipeline>.json`` (default ``plans`` beside the code)
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import msgspec

from solidstate.errors import SolidstateError, name_list
from solidstate.handler.live_events import LiveEvents
from solidstate.handler.logs import StepLogger
from solidstate.handler.runtime import LoadedPipeline, Runtime
from solidstate.load import load_pipeline
from solidstate.planner.plan import decode_plan
from solidstate.storage.s3_choice import bucket_store
from solidstate.storage.task_tokens import StepFunctionsTokens


def runtime_from_environment() -> Runtime:
    """Raises SolidstateError naming the variable or file that is missing or wrong."""
    folder = Path(os.environ.get("SOLIDSTATE_PLANS") or Path(os.environ.get("LAMBDA_TASK_ROOT", ".")) / "plans")
    targets = [target.strip() for target in _variable("SOLIDSTATE_PIPELINES").split(",") if target.strip()]
    bucket = _variable("SOLIDSTATE_BUCKET")
    store = bucket_store(bucket)
    return Runtime(
        [_load(target, folder) for target in targets],
        store,
        engine="aws",
        open_fs=open_s3fs,
        log_sink=StepLogger("solidstate").sink,
        version=os.environ.get("AWS_LAMBDA_FUNCTION_VERSION", ""),
        tokens=StepFunctionsTokens(),
        live=LiveEvents(store),
    )


def open_s3fs() -> Any:
    """``context.fs``: S3 with the function's own credentials."""
    import importlib

    return importlib.import_module("solidstate.storage.files").open_s3()


def _variable(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise SolidstateError(
            f"The environment variable `{name}` is not set.",
            subject=name,
            hint="deploy with the generated template.yaml",
        )
    return value


def _load(target: str, folder: Path) -> LoadedPipeline:
    definition = load_pipeline(target)
    path = folder / f"{definition.name}.json"
    hint = "build the bundle again with `solidstate build`"
    try:
        loaded = LoadedPipeline(definition, decode_plan(path.read_bytes()))
    except (OSError, msgspec.MsgspecError) as error:
        problem = f"The plan of pipeline `{definition.name}` cannot be read: {error}."
        raise SolidstateError(problem, subject=definition.name, path=str(path), hint=hint) from error
    if loaded.steps.keys() != loaded.nodes.keys():
        planned, coded = sorted(loaded.steps.keys() - loaded.nodes), sorted(loaded.nodes.keys() - loaded.steps)
        raise SolidstateError(
            f"The plan of pipeline `{definition.name}` was made from other code: it has "
            f"{name_list(planned) or 'less'}, the code has {name_list(coded) or 'less'}.",
            subject=definition.name,
            path=str(path),
            hint=hint,
        )
    return loaded
