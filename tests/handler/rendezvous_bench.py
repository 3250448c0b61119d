"""One run whose steps meet, by payloads, with every request to the store and every answer to a token noted."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import msgspec

from solidstate import solid
from solidstate.errors import StorageUnavailable
from solidstate.handler.entry import make_handler
from solidstate.handler.runtime import LoadedPipeline, Runtime
from solidstate.infra.inline import InlineInvocation
from solidstate.pipeline import PipelineDefinition
from solidstate.planner.build import build_plan
from solidstate.planner.contract import READY, RunHandle
from solidstate.storage import keys
from solidstate.storage.memory import MemoryStore


class Counted(MemoryStore):
    """Notes each verb and kind of object: on S3 each is one request."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, str]] = []

    def counts(self) -> dict[str, int]:
        """How many of each since it was last asked."""
        counted = dict(Counter(f"{verb} {key.split('/')[1]}" for verb, key in self.seen))
        self.seen.clear()
        return counted

    def get(self, key: str) -> bytes:
        self.seen.append(("get", key))
        return super().get(key)

    def put(self, key: str, body: bytes, *, if_absent: bool = False) -> bool:
        self.seen.append(("put", key))
        return super().put(key, body, if_absent=if_absent)

    def exists(self, key: str) -> bool:
        self.seen.append(("look", key))
        return super().exists(key)


class Tokens:
    """Answered tokens, the first answer to each. ``broken`` is raised as often as it says."""

    def __init__(self) -> None:
        self.answered: dict[str, Any] = {}
        self.refused: list[str] = []
        self.broken = 0

    def succeed(self, token: str, answer: bytes) -> bool:
        return self._answer(token, json.loads(answer))

    def fail(self, token: str, error: str, cause: str) -> bool:
        return self._answer(token, f"{error}: {cause}")

    def _answer(self, token: str, answer: Any) -> bool:
        if self.broken:
            self.broken -= 1
            raise StorageUnavailable("Step Functions did not answer.")
        if token in self.answered:
            self.refused.append(token)
            return False
        self.answered[token] = answer
        return True


WOKEN = f"{READY}: all that it waits for has ended"


class Run:
    """One run of a pipeline, by payloads, as the state machine sends them."""

    def __init__(
        self, definition: PipelineDefinition, *, steps: list[str] | None = None, from_run: str | None = None
    ) -> None:
        self.loaded = LoadedPipeline(definition, build_plan(definition))
        self.store, self.tokens = Counted(), Tokens()
        self.lines: list[tuple[dict[str, Any], str, dict[str, Any]]] = []
        runtime = Runtime(
            [self.loaded],
            self.store,
            engine="test",
            open_fs=lambda: None,
            log_sink=lambda who: lambda _, message, facts: self.lines.append((who, message, facts)),
            fetch_workers=1,
            tokens=self.tokens,
        )
        self.runtime, self.handler = runtime, make_handler(runtime)
        self.handle = RunHandle(
            "r", "default", pipeline=definition.name, plan=self.loaded.hash, request={}, steps=steps, from_run=from_run
        )

    def call(self, kind: str, step: str, **payload: Any) -> Any:
        """One invocation."""
        event = {"kind": kind, "step": step, "run": msgspec.to_builtins(self.handle), **payload}
        return self.handler(json.loads(json.dumps(event)), InlineInvocation(60))

    def step(self, name: str, **payload: Any) -> Any:
        """One attempt of a step."""
        return self.call("step", name, **payload)

    def parked(self, step: str, number: int = 0, item: str = "") -> Any:
        """What a step has left, None when it has not parked so often."""
        key = keys.parked(self.loaded.definition.name, step, "r", number, item)
        return json.loads(self.store.get(key)) if MemoryStore.exists(self.store, key) else None

    def reuse(self, step: str, earlier: Run) -> None:
        """Give the run `r0`, from which this one takes what is not selected, a result of ``step``."""
        for done in earlier.loaded.plan.steps:
            earlier.step(done.name)
        pipe = self.loaded.definition.name
        body = earlier.store.get(keys.commit(pipe, step, "r")).replace(b'"run":"r"', b'"run":"r0"')
        self.store.put(keys.commit(pipe, step, "r0"), body)

    def ended(self, step: str, item: str = "") -> bool:
        """Whether there is a marker."""
        return MemoryStore.exists(self.store, keys.ended(self.loaded.definition.name, step, "r", item))

    def commit(self, step: str) -> bool:
        """Whether there is a commit."""
        return MemoryStore.exists(self.store, keys.commit(self.loaded.definition.name, step, "r"))


@solid
def one() -> int:
    return 1


@solid
def fail() -> int:
    raise ValueError("no")


@solid
def add(x: int, y: int) -> int:
    return x + y


@solid
def same(x: int) -> int:
    return x
