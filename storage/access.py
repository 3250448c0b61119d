"""What storage needs of S3, as actions on patterns of keys: the part of a function's policy that is the same for all.

Keys have the pipeline, then the step, before the run, so that a pattern with one ``*`` at its end cuts off exactly what
belongs to a pipeline or a step.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import msgspec

from solidstate.storage import keys

MAX_STEPS_NAMED = 8
"""Functions that run more steps than this may write what any step of the pipeline writes: a role's policies may have
10,240 characters together (IAM user guide, "IAM and AWS STS quotas")."""

_WRITTEN = ("commits", "data", "attempts")
"""The kinds of keys that every step writes."""


class Access(msgspec.Struct, frozen=True):
    """One statement: S3 actions on keys of the data bucket that match ``patterns``; on the bucket itself, for keys that
    begin so, when ``listing``."""

    name: str
    actions: tuple[str, ...]
    patterns: tuple[str, ...]
    listing: bool = False


def access_of_runs(pipeline: str) -> list[Access]:
    """Of the function that begins and ends runs, and may run any step."""
    everything = keys.pipeline_patterns(pipeline, keys.KINDS)
    objects = Access("ReadAndWriteRuns", ("s3:AbortMultipartUpload", "s3:GetObject", "s3:PutObject"), everything)
    return [objects, _finding(everything)]


def access_of_steps(pipeline: str, steps: Sequence[str], parking: Collection[str], *, meeting: bool) -> list[Access]:
    """Of a function that runs these steps and nothing else: it reads what the pipeline has and writes what is theirs.
    ``parking`` are steps that may have to wait; ``meeting``: the function wakes others, or waits for them."""
    kinds = ("runs", "commits", "data", "attempts", *(("ended", "parked") if meeting else ()))
    read = keys.pipeline_patterns(pipeline, kinds)
    always = (*_WRITTEN, *(("ended",) if meeting else ()))  # a step that is passed over wakes others, without a commit
    own = [keys.step_patterns(pipeline, step, always) for step in steps]
    own += [keys.step_patterns(pipeline, step, ("parked",)) for step in steps if step in parking]
    written = tuple(pattern for patterns in own for pattern in patterns)
    if len(steps) > MAX_STEPS_NAMED:
        parked = ("parked",) if any(step in parking for step in steps) else ()
        written = keys.pipeline_patterns(pipeline, (*always, *parked))
    return [
        Access("ReadRuns", ("s3:GetObject",), read),
        Access("WriteOwnSteps", ("s3:AbortMultipartUpload", "s3:PutObject"), written),
        _finding(read),
    ]


def _finding(patterns: tuple[str, ...]) -> Access:
    """Without it S3 answers 403, not 404, for an object that is not there."""
    return Access("MissingMeansMissing", ("s3:ListBucket",), patterns, listing=True)
