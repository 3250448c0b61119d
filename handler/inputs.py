"""Load a step's inputs: one GET per distinct upstream step, everything verified before it is decoded."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import msgspec

from solidstate.composition import Node
from solidstate.errors import IntermediateError, MissingObject
from solidstate.events import StepInput as StepInputEvent
from solidstate.events import plain_metadata
from solidstate.handler.boundary import call
from solidstate.handler.outcome import Refused, UserCodeRaised
from solidstate.handler.plain import clip, text_of
from solidstate.handler.recorder import Recorder
from solidstate.handler.runtime import LoadedPipeline
from solidstate.planner.plan import OutputRef, Step, StepInput
from solidstate.storage import keys
from solidstate.storage.codecs import codec_named
from solidstate.storage.commits import Commit, CommittedOutput, decode_commit
from solidstate.storage.store import ObjectStore

PARALLEL_FROM = 4
"""From this many upstream steps on, their commits are fetched by threads."""


class Skip(msgspec.Struct, frozen=True):
    """Why a step does not run. ``decided``: for good (an optional output stayed out), not because something failed."""

    reason: str
    because: list[str]
    decided: bool


def fetch_commits(
    store: ObjectStore, pipeline: str, step: Step, run_of: Callable[[str], str], workers: int
) -> dict[str, Commit | None]:
    """The commits of all upstream steps; None where there is none."""

    def fetch(upstream: str) -> Commit | None:
        run = run_of(upstream)
        key = keys.commit(pipeline, upstream, run)
        try:
            commit = decode_commit(store.get(key), key)
        except MissingObject:
            return None
        return own_commit(commit, key, upstream, run)

    names = step.upstream()
    if workers == 1 or len(names) < PARALLEL_FROM:
        return {name: fetch(name) for name in names}
    from concurrent.futures import ThreadPoolExecutor  # costs a cold start 15 ms; most steps have few inputs

    with ThreadPoolExecutor(min(workers, len(names))) as pool:
        return dict(zip(names, pool.map(fetch, names), strict=True))


def own_commit(commit: Commit, key: str, step: str, run: str) -> Commit:
    """The commit itself, when it is what its key says; raises IntermediateError otherwise."""
    if (commit.step, commit.run) != (step, run):
        raise IntermediateError(
            f"The object `{key}` holds the commit of step `{commit.step}` of run `{commit.run}`, expected `{step}` of "
            f"`{run}`.",
            subject=step,
            path=key,
            hint="it was copied there, or the file system does not tell upper from lower case; rename the step",
        )
    return commit


def skip_reason(step: Step, commits: dict[str, Commit | None], steps: Mapping[str, Step]) -> Skip | None:
    """Whether something the step needs will never come. ``steps`` are those of the plan, by name."""
    failed = [name for name, commit in commits.items() if commit is None]
    if failed:
        return Skip(f"upstream {_names(failed)} did not succeed", failed, decided=False)
    skipped = [name for name, commit in commits.items() if commit is not None and commit.status == "skipped"]
    if skipped:
        return Skip(f"upstream {_names(skipped)} was skipped", skipped, decided=True)
    absent = [
        f"{ref.step}.{ref.output}"
        for inp in step.inputs
        for ref in inp.sources
        if (commit := commits[ref.step]) is not None and commit.output(ref.output) is None
        if steps[ref.step].output(ref.output).optional
    ]
    if absent:
        return Skip(f"optional output {_names(absent)} was not produced", list(dict.fromkeys(absent)), decided=True)
    return None


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in dict.fromkeys(names))


def load_inputs(
    loaded: LoadedPipeline,
    step: Step,
    node: Node,
    commits: dict[str, Commit | None],
    given: dict[str, Any],
    store: ObjectStore,
    recorder: Recorder,
) -> dict[str, Any]:
    """Values by parameter name, each checked against its type. ``given`` are the inputs of the run request."""
    values: dict[str, Any] = {}
    for inp in step.inputs:
        definition = node.solid.input(inp.name)
        if inp.nothing:
            continue
        size = 0
        if inp.kind == "config":
            if inp.name not in given:
                values[inp.name] = definition.default
                continue
            doing = f"reading input `{inp.name}` from config"
            value = call(doing, msgspec.convert, given[inp.name], definition.type.annotation, str_keys=True)
        else:
            parts = [_read(loaded, ref, commits, store, step.name) for ref in inp.sources]
            size = sum(part_size for _, part_size in parts)
            value = [part for part, _ in parts] if inp.kind == "fan_in" else parts[0][0]
        verdict = call(f"checking input `{inp.name}`", definition.type.check, value)
        if not verdict.success:
            raise Refused(
                f"Input `{inp.name}` of `{step.name}` does not pass the check of type `{inp.type}`: "
                f"{verdict.description}.",
                subject=inp.name,
                hint=_type_hint(inp),
            )
        recorder.emit(
            StepInputEvent,
            name=inp.name,
            type=inp.type,
            sources=[f"{ref.step}.{ref.output}" for ref in inp.sources],
            size=size,
            metadata=plain_metadata(verdict.metadata),
        )
        values[inp.name] = value
    return values


def _type_hint(inp: StepInput) -> str:
    if not inp.sources:
        return f"correct `inputs.{inp.name}` in the run request"
    return f"make {_names(f'{ref.step}.{ref.output}' for ref in inp.sources)} produce what this input declares"


def _read(
    loaded: LoadedPipeline, ref: OutputRef, commits: dict[str, Commit | None], store: ObjectStore, reader: str
) -> tuple[Any, int]:
    commit = commits[ref.step]
    stored = commit.output(ref.output) if commit is not None else None
    if commit is None or stored is None:
        raise IntermediateError(
            f"Output `{ref.output}` of `{ref.step}`, needed by `{reader}`, is not in its commit.",
            subject=ref.step,
            hint="the run that is reused followed another plan; run the step again",
        )
    return decoded_output(loaded, ref, stored, store, reader), stored.size


def decoded_output(
    loaded: LoadedPipeline, ref: OutputRef, stored: CommittedOutput, store: ObjectStore, reader: str
) -> Any:
    """The value of a committed output, for ``reader`` (named in errors). Raises IntermediateError, naming output and
    producer, when its bytes are not there, not what was stored, or not what the producer's type can decode."""
    producer = loaded.nodes[ref.step].solid.output(ref.output)
    if producer.type.nothing:
        return None
    data = verified_bytes(stored, store, ref, reader)
    asked = producer.type.codec
    cause: BaseException
    again = f"run `{ref.step}` again in a new run; its type may have changed since this value was stored"
    try:
        if asked is not None and not isinstance(asked, str) and asked.name == stored.codec:
            return call("", asked.decode, data)
        return codec_named(stored.codec, producer.type.annotation, allow_pickle=asked == "pickle").decode(data)
    except IntermediateError as error:
        problem, hint, cause = error.problem, error.hint, error
    except UserCodeRaised as raised:
        problem, hint, cause = _reason(raised.original), again, raised.original
    except Exception as error:  # noqa: BLE001 - a decoder may raise anything on bytes it did not write
        problem, hint, cause = _reason(error), again, error
    raise IntermediateError(
        f"Output `{ref.output}` of `{ref.step}` cannot be decoded as `{stored.codec}` (`{producer.type.name}`): "
        f"{problem}",
        subject=ref.step,
        path=stored.key or "",
        hint=hint or again,
    ) from cause


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {clip(text_of(error), 500)}."


def verified_bytes(stored: CommittedOutput, store: ObjectStore, ref: OutputRef, reader: str) -> bytes:
    """The encoded value, when its size and SHA-256 are those of the commit; raises IntermediateError otherwise."""
    where = stored.key or f"the commit of `{ref.step}`"
    if stored.inline is not None:
        data = stored.inline
    else:
        try:
            data = store.get(stored.key or "")
        except MissingObject as error:
            raise IntermediateError(
                f"Output `{ref.output}` of `{ref.step}`, needed by `{reader}`, is gone: there is no object `{where}`.",
                subject=ref.step,
                path=where,
                hint=f"it was deleted or has expired; run again from `{ref.step}`",
            ) from error
    if len(data) != stored.size or hashlib.sha256(data).hexdigest() != stored.sha256:
        raise IntermediateError(
            f"Output `{ref.output}` of `{ref.step}` is damaged: {where} holds {len(data)} bytes, expected "
            f"{stored.size} bytes with SHA-256 {stored.sha256[:12]}...",
            subject=ref.step,
            path=where,
            hint=f"restore the object's earlier version, or run again from `{ref.step}`",
        )
    return data
