"""The histories that other tests read are what the local AWS gives."""

from __future__ import annotations

import json
import os
from collections import Counter
from typing import Any

import pytest

from tests.infra import histories


def outline(history: histories.History) -> Counter[tuple[Any, ...]]:
    """What a history tells, whatever the order of what runs at the same time: kinds, states, errors."""
    found: Counter[tuple[Any, ...]] = Counter()
    for event in history:
        details: dict[str, Any] = next((value for key, value in event.items() if key.endswith("Details")), {})
        found[event["type"], details.get("name"), details.get("error")] += 1
    return found


@pytest.mark.slow
def test_the_recorded_histories_are_what_the_local_aws_gives() -> None:
    """The same events of the same states with the same errors, when recorded anew."""
    fresh = histories.record()
    if os.environ.get("UPDATE_HISTORIES"):
        for name, found in fresh.items():
            (histories.FOLDER / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n")
    assert sorted(fresh) == sorted(path.stem for path in histories.FOLDER.glob("*.json"))
    for name, found in fresh.items():
        kept = histories.stored(name)
        assert sum(map(outline, found.values()), Counter()) == sum(map(outline, kept.values()), Counter()), name
