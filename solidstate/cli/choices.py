"""What options of the command line may be set to, spelled out: importing it from where it is meant takes too long for
``--help``. Tests hold each to its source."""

from __future__ import annotations

KINDS = (
    "run_start",
    "run_success",
    "run_failure",
    "step_start",
    "step_input",
    "step_output",
    "step_materialization",
    "step_expectation_result",
    "step_success",
    "step_failure",
    "step_up_for_retry",
    "step_skipped",
    "resource_init",
    "resource_teardown",
    "hook_completed",
    "hook_errored",
    "storage_retry",
    "log",
    "engine",
)
LEVELS = ("debug", "info", "warning", "error", "critical")
ENGINES = ("moto", "inline")
FUNCTIONS = ("in-process", "runtime")
RUNTIMES = ("python3.11", "python3.12", "python3.13", "python3.14")
ARCHITECTURES = ("x86_64", "arm64")
