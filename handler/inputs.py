"""Load a step's inputs from the commits of its upstream steps, everything verified before it is decoded."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import Any

from solidstate.errors import IntermediateError, MissingObject
from solidstate.events import StepInput as StepInputEvent
from solidstate.events import plain_metadata
from solidstate.handler.attempt import Attempt
from solidstate.handler.boundary import ask, call
from solidstate.handler.outcome import Refused, UserCodeRaised
from solidstate.handler.plain import clip, text_of
from solidstate.handler.runtime import LoadedPipeline
from solidstate.handler.type_io import TypeIo
from solidstate.handler.upstream import Upstream, each
from solidstate.planner.plan import OutputRef, StepInput
from solidstate.storage.codecs import codec_named
from solidstate.storage.commits import CommittedOutput
from solidstate.storage.store import ObjectStore


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in dict.fromkeys(names))


def load_inputs(attempt: Attempt, upstream: Upstream, io: TypeIo | None) -> dict[str, Any]:
    """Values by parameter name, each checked against its type. ``io`` reads those that the run request gives."""
    loaded, solid, store, emit = attempt.loaded, attempt.solid, attempt.store, attempt.recorder.emit
    values: dict[str, Any] = {}
    for inp in attempt.step.inputs:
        if inp.nothing:
            continue
        name, kind = inp.name, inp.kind
        definition = solid.input(name)
        size = 0
        if kind == "config":
            if io is None or name not in io.given:
                values[name] = definition.default
                continue
            value = io.read(definition)
        elif kind == "output" and (plain := upstream.plain_output(inp.sources[0])) is not None:
            size = plain.size
            value = decoded_output(
                loaded,
                inp.sources[0],
                plain,
                store,
                attempt.label,
                proven=not attempt.foreign,
                allow_pickle=attempt.runtime.allow_pickle,
            )
        else:
            parts = _read(attempt, inp, upstream)
            size = sum(part_size for _, part_size in parts)
            value = [part for part, _ in parts] if kind in ("fan_in", "collect") else parts[0][0]
        verdict = ask(f"checking input `{name}`", definition.type.check, value)
        if not verdict.success:
            raise Refused(
                f"Input `{name}` of `{attempt.step.name}` does not pass the check of type `{inp.type}`: "
                f"{verdict.description}.",
                subject=name,
                hint=_type_hint(inp),
                metadata=verdict.metadata,
            )
        if loaded.ways_in:
            _check_ways_in(attempt, name, value)
        facts = plain_metadata(verdict.metadata) if verdict.metadata else {}
        sources = [f"{ref.step}.{ref.output}" for ref in inp.sources]
        emit(StepInputEvent, name=name, type=inp.type, sources=sources, size=size, metadata=facts)
        values[name] = value
    return values


def _check_ways_in(attempt: Attempt, name: str, value: Any) -> None:
    """Hold a value against the inputs of composites that it came in by."""
    for passage in attempt.loaded.ways_in.get((attempt.step.name, name), ()):
        port = passage.port
        doing = f"checking input `{port.name}` of composite `{passage.composite}`"
        verdict = call(doing, port.type.check, value)
        if not verdict.success:
            raise Refused(
                f"Input `{port.name}` of composite `{passage.composite}`, passed on to `{name}` of "
                f"`{attempt.step.name}`, does not pass the check of type `{port.type.name}`: {verdict.description}.",
                subject=port.name,
                hint=f"connect to `{passage.composite}` what its input declares, or correct the annotation",
                metadata=verdict.metadata,
            )


def _type_hint(inp: StepInput) -> str:
    if not inp.sources:
        return f"correct `inputs.{inp.name}` in the run request"
    return f"make {_names(f'{ref.step}.{ref.output}' for ref in inp.sources)} produce what this input declares"


def _read(attempt: Attempt, inp: StepInput, upstream: Upstream) -> list[tuple[Any, int]]:
    """The values of an input's sources, each with its stored size: several for a fan-in, any number for a collect."""
    allowed = attempt.runtime.allow_pickle

    def decode(part: tuple[OutputRef, str, CommittedOutput]) -> tuple[Any, int]:
        ref, producer, stored = part
        value = decoded_output(
            attempt.loaded, ref, stored, attempt.store, attempt.label, producer=producer, allow_pickle=allowed
        )
        return value, stored.size

    workers = attempt.runtime.fetch_workers if inp.kind == "collect" else 1
    return each(decode, _stored(attempt, inp, upstream), workers)


def _stored(attempt: Attempt, inp: StepInput, upstream: Upstream) -> list[tuple[OutputRef, str, CommittedOutput]]:
    """What an input's sources have left, in order, each with the label of the step or item that has."""
    found: list[tuple[OutputRef, str, CommittedOutput]] = []
    for ref in inp.sources:
        for name, stored in upstream.outputs(inp, ref):
            if stored is None:
                raise IntermediateError(
                    f"Output `{ref.output}` of `{name}`, needed by `{attempt.label}`, is not in its commit.",
                    subject=ref.step,
                    hint="the run that is reused followed another plan; run the step again",
                )
            found.append((ref, ref.step if stored.item else name, stored))
    return found


def decoded_output(
    loaded: LoadedPipeline,
    ref: OutputRef,
    stored: CommittedOutput,
    store: ObjectStore,
    reader: str,
    *,
    producer: str = "",
    proven: bool = False,
    allow_pickle: bool = True,
) -> Any:
    """The value of a committed output of ``producer`` (a step, or one item of it), for ``reader``; both are named in
    errors. Raises IntermediateError of the kind that fits when its bytes are not there, not what was stored, or not
    what the producer's type can decode. ``proven``: the commit was written by this very process, so that what is inline
    need not be verified. Without ``allow_pickle`` no pickle is read, even where the producer's type asks for it."""
    definition = loaded.nodes[ref.step].solid.output(ref.output)
    if definition.type.nothing:
        return None
    data = stored.inline
    if data is None or not proven:
        data = verified_bytes(stored, store, ref, reader, producer or ref.step, loaded.definition.name)
    asked = definition.type.codec
    cause: BaseException
    if asked == "pickle" == stored.codec and not allow_pickle:
        raise IntermediateError(
            f"Output `{ref.output}` of `{ref.step}` is stored as a pickle, which is not read here, because reading it "
            "could run any code.",
            subject=ref.step,
            path=stored.key or "",
            hint="pass `allow_pickle=True`, if you trust all who can write where it is stored",
        )
    try:
        if asked is not None and not isinstance(asked, str) and asked.name == stored.codec:
            return call("", asked.decode, data)
        return codec_named(stored.codec, definition.type.annotation, allow_pickle=asked == "pickle").decode(data)
    except IntermediateError as error:
        problem, hint, cause = error.problem, error.hint, error
    except UserCodeRaised as raised:
        problem, hint, cause = _reason(raised.original), "", raised.original
    except Exception as error:  # noqa: BLE001 - a decoder may raise anything on bytes it did not write
        problem, hint, cause = _reason(error), "", error
    from solidstate.handler.integrity import undecodable

    raise undecodable(stored, ref, producer or ref.step, definition.type.name, problem, hint) from cause


def _reason(error: BaseException) -> str:
    return f"{type(error).__name__}: {clip(text_of(error), 500)}."


def verified_bytes(
    stored: CommittedOutput, store: ObjectStore, ref: OutputRef, reader: str, producer: str, pipeline: str
) -> bytes:
    """The encoded value, when its size and SHA-256 are those of the commit; raises MissingIntermediate (or
    ExpiredIntermediate), TruncatedIntermediate or CorruptedIntermediate otherwise."""
    data = stored.inline
    if data is None:
        try:
            data = store.get(stored.key or "")
        except MissingObject as error:
            from solidstate.handler.integrity import gone

            raise gone(stored, ref, producer, reader, store, pipeline) from error
    if len(data) != stored.size or hashlib.sha256(data).hexdigest() != stored.sha256:
        from solidstate.handler.integrity import damaged

        raise damaged(stored, ref, producer, reader, data)
    return data
