"""Take what a solid returned or yielded: events are recorded, outputs are checked and stored, rules are held."""

from __future__ import annotations

import types
from collections.abc import Iterator
from contextlib import closing
from typing import Any

from solidstate.errors import NotStorable, closest, name_list, shown
from solidstate.events import DynamicOutput, ExpectationResult, Materialization, Output, plain_metadata
from solidstate.events import StepOutput as StepOutputEvent
from solidstate.handler.attempt import Attempt
from solidstate.handler.boundary import ask, call, items
from solidstate.handler.context import record_user_event
from solidstate.handler.dynamic import check_item, items_of, not_an_item
from solidstate.handler.outcome import OutputNotStorable, Refused
from solidstate.handler.type_io import TypeIo
from solidstate.handler.verdicts import fail_if_unmet, judge
from solidstate.solid import OutputDefinition
from solidstate.storage import keys
from solidstate.storage.codecs import Codec, codec_for
from solidstate.storage.commits import CommittedOutput
from solidstate.storage.sink import INLINE_LIMIT, store_value

_SPECIAL = (types.GeneratorType, Output, DynamicOutput, Materialization, ExpectationResult)
"""Results that are not simply a value."""
_NEVER_SPECIAL = frozenset({type(None), bool, int, float, str, bytes, list, dict, set})
"""Where that is certain at a glance: to look for an instance of these classes takes its time."""
EMPTY_SHA256 = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


class OutputTaker:
    """Stores the outputs of one attempt under keys of its own. ``io`` writes them elsewhere too, when the run request
    says so."""

    _inline_left = INLINE_LIMIT  # for all items of dynamic outputs together

    def __init__(self, attempt: Attempt, io: TypeIo | None) -> None:
        self._attempt = attempt
        self._solid = attempt.solid
        self._recorder = attempt.recorder
        self._io = io
        self._item_keys: dict[str, set[str]] = {}
        self.committed: list[CommittedOutput] = []

    @property
    def _step(self) -> str:
        return self._attempt.label

    def take(self, result: Any) -> list[CommittedOutput]:
        """Work through a solid's result. Raises Refused when a declared rule is broken."""
        outputs, unmet = self._solid.outputs, self._recorder.unmet
        special = type(result) not in _NEVER_SPECIAL and isinstance(result, _SPECIAL)
        if len(outputs) == 1 and not special and _plain(outputs[0]):
            self._keep(outputs[0], result)  # one plain value for the only output: nothing below has anything to add
            if unmet:
                fail_if_unmet(unmet)
            return self.committed
        if isinstance(result, types.GeneratorType):
            with closing(items(result)) as stream:  # at once, not when the last reference goes
                for item in stream:
                    self._yielded(item)
        else:
            for output in self._returned(result):
                self._store_output(output)
        fail_if_unmet(unmet)
        taken = {out.name for out in self.committed}
        for out in self._solid.outputs:
            if out.name not in taken and out.type.nothing and not out.dynamic:
                self._commit_nothing(out)
            elif out.name not in taken and not out.optional and not out.dynamic:
                raise Refused(
                    f"`{self._step}` ended without its output `{out.name}`.",
                    subject=self._step,
                    hint=f'yield `Output(value, "{out.name}")`, or declare it `Out(..., optional=True)`',
                )
        return self.committed

    def _yielded(self, item: Any) -> None:
        if isinstance(item, (Output, DynamicOutput)):
            self._store_output(item)
        elif isinstance(item, (Materialization, ExpectationResult)):
            record_user_event(self._recorder, item)
        else:
            raise Refused(
                f"`{self._step}` yielded a `{type(item).__name__}`; a solid yields Output, Materialization or "
                "ExpectationResult.",
                subject=self._step,
                hint=f"wrap the value: `yield Output(value, {self._first()!r})`",
            )

    def _first(self) -> str:
        return self._solid.outputs[0].name if self._solid.outputs else "result"

    def _returned(self, result: Any) -> Iterator[Output[Any] | DynamicOutput[Any]]:
        outputs = self._solid.outputs
        if isinstance(result, Output):
            yield result
        elif isinstance(result, (Materialization, ExpectationResult)):
            raise Refused(
                f"`{self._step}` returned a bare `{type(result).__name__}`.",
                subject=self._step,
                hint="yield it, or call `context.emit(...)` and return the value",
            )
        elif isinstance(result, DynamicOutput) or (len(outputs) == 1 and outputs[0].dynamic):
            yield from items_of(self._step, outputs[0], result)
        elif len(outputs) == 1:
            if not (outputs[0].type.nothing and result is None):
                yield Output(result, outputs[0].name)
        elif isinstance(result, tuple) and len(result) == len(outputs):
            for out, value in zip(outputs, result, strict=True):
                if out.dynamic:
                    yield from items_of(self._step, out, value)
                else:
                    yield value if isinstance(value, Output) else Output(value, out.name)
        elif not (result is None and all(out.optional or out.type.nothing for out in outputs)):
            if not outputs:
                raise Refused(
                    f"`{self._step}` has no outputs but returned a `{type(result).__name__}`.",
                    subject=self._step,
                    hint='return nothing, or declare an output: `outs={"result": Out(...)}`',
                )
            raise Refused(
                f"`{self._step}` has {len(outputs)} outputs ({name_list([o.name for o in outputs])}) but returned a "
                f"`{type(result).__name__}`.",
                subject=self._step,
                hint=f"return a tuple of {len(outputs)}, or yield an `Output` for each",
            )

    def _store_output(self, output: Output[Any] | DynamicOutput[Any]) -> None:
        named = isinstance(output.name, str)
        definition = next((out for out in self._solid.outputs if named and out.name == output.name), None)
        if definition is None:
            declared = [out.name for out in self._solid.outputs]
            near = closest(output.name, declared) if named else None
            name = shown(output.name)
            raise Refused(
                f"`{self._step}` produced an output {name}; it declares {name_list(declared) or 'none'}.",
                subject=self._step,
                hint=f"did you mean `{near}`?" if near else f"declare it: `outs={{{name}: Out(...)}}`",
            )
        item = ""
        if isinstance(output, DynamicOutput):
            check_item(self._step, definition, output, self._item_keys.get(definition.name, ()))
            item = output.key
            self._item_keys.setdefault(definition.name, set()).add(item)
        elif definition.dynamic:
            raise not_an_item(self._step, definition)
        elif self.committed and any(out.name == output.name for out in self.committed):
            raise Refused(
                f"`{self._step}` produced its output `{output.name}` twice.",
                subject=self._step,
                hint="yield each output once; collect several values in a list",
            )
        if definition.type.nothing:
            self._commit_nothing(definition, item)
        else:
            self._keep(definition, output.value, output.metadata, item)

    def _keep(self, definition: OutputDefinition, value: Any, metadata: Any = None, item: str = "") -> None:
        """Check a value, judge it, store it, record it, and write it elsewhere too when the request says so."""
        verdict = ask(f"checking output `{definition.name}`", definition.type.check, value)
        if not verdict.success:
            raise Refused(
                f"Output `{definition.name}` of `{self._step}` does not pass the check of type "
                f"`{definition.type.name}`: {verdict.description}.",
                subject=definition.name,
                hint="return what the annotation says, or correct the annotation",
                metadata=verdict.metadata,
            )
        if self._attempt.loaded.ways_out:
            self._check_ways_out(definition.name, value)
        for expectation in self._solid.expectations:
            if expectation.side == "output" and expectation.name == definition.name:
                judge(expectation, value, self._recorder)
        facts: dict[str, Any] = {}
        if verdict.metadata:
            facts.update(plain_metadata(verdict.metadata))
        if metadata:
            facts.update(plain_metadata(metadata))
        self._record(definition, self._put(definition, value, item), facts)
        if self._io is not None:
            self._io.write(definition, value)

    def _check_ways_out(self, name: str, value: Any) -> None:
        """Hold a value against the outputs of composites that it is."""
        step = self._attempt.step.name
        for passage in self._attempt.loaded.ways_out.get((step, name), ()):
            port = passage.port
            doing = f"checking output `{port.name}` of composite `{passage.composite}`"
            verdict = call(doing, port.type.check, value)
            if not verdict.success:
                raise Refused(
                    f"Output `{name}` of `{self._step}` is output `{port.name}` of composite `{passage.composite}` and "
                    f"does not pass the check of its type `{port.type.name}`: {verdict.description}.",
                    subject=port.name,
                    hint=f"return what `{passage.composite}` declares, or correct its annotation",
                    metadata=verdict.metadata,
                )

    def _put(self, definition: OutputDefinition, value: Any, item: str) -> CommittedOutput:
        attempt, name = self._attempt, definition.name

        def key() -> str:
            run, step = attempt.run, attempt.step.name
            return keys.data(run.pipeline, step, run.id, attempt.attempt_id, name, item=attempt.item, output_item=item)

        limit = max(0, self._inline_left) if item else INLINE_LIMIT
        try:
            codec: Codec = codec_for(value, definition.type.annotation, definition.type.codec)
            doing = f"storing output `{name}`"  # the codec may be the user's
            stored = call(doing, store_value, attempt.store, key, value, codec, limit)
        except NotStorable as error:
            raise OutputNotStorable(
                f"Output `{name}` of `{self._step}` cannot be stored: {error.problem}",
                subject=name,
                hint=error.hint,
            ) from error
        if item:
            self._inline_left -= len(stored.inline or b"")
        return CommittedOutput(
            name=definition.name,
            type=definition.type.name,
            codec=codec.name,
            size=stored.size,
            sha256=stored.sha256,
            inline=stored.inline,
            key=stored.key,
            item=item,
        )

    def _commit_nothing(self, definition: OutputDefinition, item: str = "") -> None:
        nothing = CommittedOutput(
            name=definition.name, type="Nothing", codec="nothing", size=0, sha256=EMPTY_SHA256, inline=b"", item=item
        )
        self._record(definition, nothing, {})

    def _record(self, definition: OutputDefinition, stored: CommittedOutput, metadata: dict[str, Any]) -> None:
        self.committed.append(stored)
        self._recorder.emit(
            StepOutputEvent,
            name=definition.name,
            type=stored.type,
            codec=stored.codec,
            size=stored.size,
            sha256=stored.sha256,
            key=stored.key or "",
            metadata=metadata,
            output_item=stored.item,
        )


def _plain(definition: OutputDefinition) -> bool:
    """Whether what is returned for it is simply its value."""
    return not (definition.dynamic or definition.type.nothing)
