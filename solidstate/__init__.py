"""solidstate: typed data pipelines that run on a laptop and, unchanged, as Lambdas driven by Step Functions."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from solidstate.composites import CompositeDefinition, composite_solid
from solidstate.declarations import DynamicOut
from solidstate.errors import DefinitionError, RequestErrors, SolidstateError
from solidstate.events import DynamicOutput, ExpectationResult, Failure, Materialization, Output, RetryRequested
from solidstate.expectations import expect_input, expect_output
from solidstate.hooks import HookDefinition, failure_hook, success_hook
from solidstate.permissions import Permission
from solidstate.pipeline import PipelineDefinition, pipeline, pipeline_from_dependencies
from solidstate.policies import Compute, RetryPolicy
from solidstate.resources import Mode, Preset, resource
from solidstate.secret import Secret
from solidstate.selector import Selector
from solidstate.solid import In, Out, SolidDefinition, solid
from solidstate.type_options import TypeContext
from solidstate.types import Nothing, SolidType, TypeCheck

if TYPE_CHECKING:
    from solidstate.frame_types import Column, frame_type
    from solidstate.handler.acquire import ResourceContext
    from solidstate.handler.context import StepContext
    from solidstate.handler.hooks import HookContext
    from solidstate.infra.built_context import BuiltContext, build_context
    from solidstate.infra.in_process import execute_pipeline, execute_pipeline_iterator, execute_solid
    from solidstate.infra.iteration import PipelineIterator
    from solidstate.infra.results import PipelineFailed, PipelineResult, SolidResult
    from solidstate.row_quarantine import quarantine

__version__ = "0.1.0"

__all__ = [
    "BuiltContext",
    "Column",
    "CompositeDefinition",
    "Compute",
    "DefinitionError",
    "DynamicOut",
    "DynamicOutput",
    "ExpectationResult",
    "Failure",
    "HookContext",
    "HookDefinition",
    "In",
    "Materialization",
    "Mode",
    "Nothing",
    "Out",
    "Output",
    "Permission",
    "PipelineDefinition",
    "PipelineFailed",
    "PipelineIterator",
    "PipelineResult",
    "Preset",
    "RequestErrors",
    "ResourceContext",
    "RetryPolicy",
    "RetryRequested",
    "Secret",
    "Selector",
    "SolidDefinition",
    "SolidResult",
    "SolidType",
    "SolidstateError",
    "StepContext",
    "TypeCheck",
    "TypeContext",
    "build_context",
    "composite_solid",
    "execute_pipeline",
    "execute_pipeline_iterator",
    "execute_solid",
    "expect_input",
    "expect_output",
    "failure_hook",
    "frame_type",
    "pipeline",
    "pipeline_from_dependencies",
    "quarantine",
    "resource",
    "solid",
    "success_hook",
]

# Execution needs the planner and the step handler; a Lambda function that imports this package must not load them.
_LATE = {
    "BuiltContext": "solidstate.infra.built_context",
    "Column": "solidstate.frame_types",
    "HookContext": "solidstate.handler.hooks",
    "PipelineFailed": "solidstate.infra.results",
    "PipelineIterator": "solidstate.infra.iteration",
    "PipelineResult": "solidstate.infra.results",
    "ResourceContext": "solidstate.handler.acquire",
    "SolidResult": "solidstate.infra.results",
    "StepContext": "solidstate.handler.context",
    "build_context": "solidstate.infra.built_context",
    "execute_pipeline": "solidstate.infra.in_process",
    "execute_pipeline_iterator": "solidstate.infra.in_process",
    "execute_solid": "solidstate.infra.in_process",
    "frame_type": "solidstate.frame_types",
    "quarantine": "solidstate.row_quarantine",
}


def __getattr__(name: str) -> Any:
    if name in _LATE:
        return getattr(import_module(_LATE[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
