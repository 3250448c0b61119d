"""solidstate: typed data pipelines that run on a laptop and, unchanged, as Lambdas driven by Step Functions."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from solidstate.errors import DefinitionError, RequestErrors, SolidstateError
from solidstate.events import ExpectationResult, Failure, Materialization, Output, RetryRequested
from solidstate.pipeline import PipelineDefinition, pipeline, pipeline_from_dependencies
from solidstate.policies import Compute, RetryPolicy
from solidstate.resources import Mode, Preset, resource
from solidstate.solid import In, Out, SolidDefinition, solid
from solidstate.types import Nothing, SolidType, TypeCheck

if TYPE_CHECKING:
    from solidstate.infra.in_process import (
        PipelineFailed,
        PipelineResult,
        SolidResult,
        execute_pipeline,
        execute_solid,
    )

__version__ = "0.1.0"

__all__ = [
    "Compute",
    "DefinitionError",
    "ExpectationResult",
    "Failure",
    "In",
    "Materialization",
    "Mode",
    "Nothing",
    "Out",
    "Output",
    "PipelineDefinition",
    "PipelineFailed",
    "PipelineResult",
    "Preset",
    "RequestErrors",
    "RetryPolicy",
    "RetryRequested",
    "SolidDefinition",
    "SolidResult",
    "SolidType",
    "SolidstateError",
    "TypeCheck",
    "execute_pipeline",
    "execute_solid",
    "pipeline",
    "pipeline_from_dependencies",
    "resource",
    "solid",
]

# Execution needs the planner and the step handler; a Lambda function that imports this package must not load them.
_LATE = dict.fromkeys(
    ("PipelineFailed", "PipelineResult", "SolidResult", "execute_pipeline", "execute_solid"),
    "solidstate.infra.in_process",
)


def __getattr__(name: str) -> Any:
    if name in _LATE:
        return getattr(import_module(_LATE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
