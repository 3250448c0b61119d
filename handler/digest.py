"""A step's answer to the state machine: what a person reads in the console, in at most 8 KiB whatever the step did."""

from __future__ import annotations

import json
from collections.abc import Iterable

import msgspec

from solidstate.events import AnyEvent, StepExpectation, StepMaterialization, StepSkipped, StepSuccess
from solidstate.handler.plain import clip
from solidstate.planner.contract import MAX_DIGEST_BYTES, StepDigest
from solidstate.storage.commits import Commit

MAX_LABEL = 60
MAX_PATH = 200
MAX_REASON = 300
_LIMITS = (40, 20, 10, 5, 2, 0)
"""How many outputs, expectations and materializations are named; the first number that fits is taken."""
_encode = msgspec.json.Encoder().encode
MORE = "..."
"""Under this name stands how many were left out."""


def digest_of(commit: Commit, events: list[AnyEvent], key: str, reason: str = "") -> StepDigest:
    """Boil a commit and its events down. Lists are cut, failed expectations first to stay; status and counts never are.

    Bytes are counted as plain ASCII JSON, the longest form in which the runtime may write the answer.
    """
    outputs = {out.name: f"{clip(out.type, MAX_LABEL)}, {out.size} bytes" for out in commit.outputs if not out.item}
    for name in dict.fromkeys(out.name for out in commit.outputs if out.item):
        items = commit.items(name)
        kind, size = clip(next(iter(items.values())).type, MAX_LABEL), sum(out.size for out in items.values())
        outputs[name] = f"{len(items)} items of {kind}, {size} bytes"
    expectations = _verdicts(event for event in events if isinstance(event, StepExpectation))
    made = [
        f"{clip(event.label, MAX_LABEL)} {clip(event.path, MAX_PATH)}".strip()
        for event in events
        if isinstance(event, StepMaterialization)
    ]
    reason = reason or next((event.reason for event in events if isinstance(event, StepSkipped)), "")
    duration = next((event.duration_s for event in events if isinstance(event, StepSuccess)), 0.0)

    def cut_to(limit: int) -> StepDigest:
        return StepDigest(
            step=commit.step,
            status=commit.status,
            outputs=_first(outputs, limit),
            expectations=_first(expectations, limit),
            materializations=[*made[:limit], *([f"{MORE} {len(made) - limit} more"] if len(made) > limit else [])],
            reason=clip(reason, MAX_REASON),
            duration_s=round(duration, 3),
            attempt=commit.attempt,
            events=key,
        )

    digests = (cut_to(limit) for limit in _LIMITS)
    return next(digest for digest in digests if _fits(digest))


def _fits(digest: StepDigest) -> bool:
    if len(_encode(digest)) * 6 <= MAX_DIGEST_BYTES:  # plain ASCII takes at most six characters for a byte of UTF-8
        return True
    return len(json.dumps(msgspec.to_builtins(digest))) <= MAX_DIGEST_BYTES


def _verdicts(expectations: Iterable[StepExpectation]) -> dict[str, str]:
    """By label, those that failed first. Of several under one label a single failure decides."""
    seen: dict[str, int] = {}
    failed: dict[str, int] = {}
    for event in expectations:
        label = clip(event.label, MAX_LABEL) or "expectation"
        seen[label] = seen.get(label, 0) + 1
        if not event.success:
            failed[label] = failed.get(label, 0) + 1
    worded = {
        label: f"FAILED {count} of {seen[label]}" if seen[label] > 1 else "FAILED" for label, count in failed.items()
    }
    worded.update(
        {
            label: f"passed {count} times" if count > 1 else "passed"
            for label, count in seen.items()
            if label not in failed
        }
    )
    return worded


def _first(named: dict[str, str], limit: int) -> dict[str, str]:
    if len(named) <= limit:
        return named
    return {**dict(list(named.items())[:limit]), MORE: f"{len(named) - limit} more"}
