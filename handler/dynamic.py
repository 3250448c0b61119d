"""The rules for items of a dynamic output: which keys they may have, how many there may be, who yields them."""

from __future__ import annotations

import re
from collections.abc import Collection
from typing import Any

from solidstate.declarations import MAX_DYNAMIC_ITEMS
from solidstate.errors import shown
from solidstate.events import DynamicOutput
from solidstate.handler.outcome import Refused
from solidstate.solid import OutputDefinition

KEY = re.compile(r"[A-Za-z0-9_-]{1,64}")
"""It becomes part of S3 keys and is shown in state machine executions."""


def check_item(step: str, definition: OutputDefinition, item: DynamicOutput[Any], taken: Collection[str]) -> None:
    """Raises Refused for an item that cannot be one more of ``definition``, whose keys so far are ``taken``."""
    name = definition.name
    if not definition.dynamic:
        raise Refused(
            f"`{step}` produced an item for its output `{name}`, which is one value.",
            subject=step,
            hint=f'yield `Output(value, "{name}")`, or declare it `DynamicOut(...)`',
        )
    if not (isinstance(item.key, str) and KEY.fullmatch(item.key)):
        raise Refused(
            f"Key {shown(item.key)} of an item of output `{name}` of `{step}` cannot be used: expected 1 to 64 "
            "letters, digits, `_` or `-`.",
            subject=step,
            hint='make one of the value, for example `re.sub(r"[^A-Za-z0-9_-]+", "_", name)[:64]`',
        )
    if item.key in taken:
        raise Refused(
            f"`{step}` produced two items of output `{name}` with the key `{item.key}`.",
            subject=step,
            hint="give each item a key of its own, for example with its number in it",
        )
    if len(taken) >= definition.max_items:
        raise Refused(
            f"`{step}` produced more than {definition.max_items} items of output `{name}`.",
            subject=step,
            hint=f"declare it `DynamicOut(..., max_items={_next(definition.max_items)})`, or put several into one item",
        )


def _next(limit: int) -> int:
    """A round number above a limit."""
    return min(int("1" + "0" * len(str(limit))), MAX_DYNAMIC_ITEMS)


def not_an_item(step: str, definition: OutputDefinition) -> Refused:
    """The refusal of a plain value for a dynamic output."""
    return Refused(
        f"`{step}` produced one value for its output `{definition.name}`, which takes items.",
        subject=step,
        hint=f'yield `DynamicOutput(value, key="...", name="{definition.name}")` for each item',
    )


def items_of(step: str, definition: OutputDefinition, result: Any) -> list[DynamicOutput[Any]]:
    """The items a solid returned instead of yielding them."""
    if isinstance(result, DynamicOutput):
        return [result]
    if result is None:
        return []
    if isinstance(result, (list, tuple)) and all(isinstance(one, DynamicOutput) for one in result):
        return list(result)
    raise not_an_item(step, definition)
