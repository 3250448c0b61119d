"""Every fuzz target by its name. A target takes bytes, and raises when the product does what it should not."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module

NAMES = (
    "run_requests",
    "commit_objects",
    "plans",
    "step_payloads",
    "selections",
    "key_parts",
    "yaml_texts",
    "run_records",
    "stored_values",
)


def target(name: str) -> Callable[[bytes], None]:
    """The ``check`` of ``tests/fuzz/<name>.py``."""
    check: Callable[[bytes], None] = import_module(f"tests.fuzz.{name}").check
    return check
