"""Hooks while steps run: after the record, at least once, and without a say in the outcome."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from solidstate import (
    DynamicOut,
    DynamicOutput,
    Mode,
    Out,
    RetryPolicy,
    execute_pipeline,
    failure_hook,
    pipeline,
    resource,
    solid,
    success_hook,
)
from solidstate.errors import StorageUnavailable
from solidstate.events import HookErrored, kind_of
from solidstate.storage import keys
from solidstate.storage.memory import MemoryStore

calls: list[Any] = []


@pytest.fixture(autouse=True)
def _no_calls() -> None:
    calls.clear()


@resource
def pager(context: Any) -> Iterator[Any]:
    yield lambda text: calls.append((context.step_key, text))
    calls.append("pager closed")


@success_hook
async def cheer(context: Any) -> None:
    calls.append((context.step_key, context.outputs, context.error, context.run_tags, context.idempotency_key))


@failure_hook(resources={"pager"})
def page(context: Any) -> None:
    context.resources.pager(f"{context.error.type}: {context.error.message}")


@success_hook
def stumble(context: Any) -> None:
    raise KeyError("stumbled")


@failure_hook
def reach(context: Any) -> None:
    context.resources.pager("hello")


@solid(hooks=[cheer])
def make() -> int:
    return 3


@solid(retry=RetryPolicy(max_attempts=2), hooks=[page, reach])
def spoil(number: int) -> None:
    raise OSError("try later")


@solid(outs={"some": Out(int, optional=True)})
def maybe() -> Any:
    yield from ()


@solid(hooks=[cheer])
def after(number: int) -> int:
    return number


@pipeline
def skipping() -> None:
    after(maybe())


@pipeline(modes=[Mode("default", {"pager": pager})], hooks=[stumble])
def watched() -> None:
    spoil(make())


def test_a_success_hook_follows_the_commit(bench: Any) -> None:
    """It sees sizes and the run's tags; its events come after the step's own and leave its status alone."""
    run = bench(watched, {"tags": {"owner": "ops"}})
    run.step("make")
    assert calls == [("make", {"result": 1}, None, {"owner": "ops"}, "run-1/make/cheer")]
    assert run.kinds("make") == ["step_start", "step_output", "step_success", "hook_completed", "hook_errored"]
    assert [event.seq for event in run.events("make")] == [1, 2, 3, 4, 5]
    summary = run.close().steps[0]
    assert (summary.status, summary.warnings) == (
        "success",
        ["hook `stumble`: KeyError: 'stumbled' (while calling hook `stumble`)"],
    )
    assert ("warning", "hook `stumble` failed") in [line[:2] for line in run.lines]


def test_a_failure_hook_is_called_for_the_last_attempt_only(bench: Any) -> None:
    """Its resources are opened for it and closed after it; what it did not declare is refused to it."""
    run = bench(watched)
    run.step("make")
    calls.clear()
    run.fails("spoil")
    assert calls == []
    run.fails("spoil", retry=1)
    assert calls == [("spoil", "OSError: try later"), "pager closed"]
    errored = [event for event in run.events("spoil") if isinstance(event, HookErrored)]
    assert [(event.name, event.error.message) for event in errored] == [
        ("reach", "Solid asked for resource `pager`, but declares none.")
    ]


def test_hooks_of_an_attempt_that_died_are_called_by_the_next(bench: Any) -> None:
    """At least once: the commit is there, nothing tells of its hooks."""
    store = Dying()
    run = bench(watched, store=store)
    store.die = True
    with pytest.raises(Killed):
        run.step("make")
    assert [key for key in store.put_keys if "/commits/" in key] == [run.key("make")]
    assert calls == []
    run.step("make", retry=1)
    assert [call[0] for call in calls] == ["make"]
    second = [(event.seq, kind_of(event)) for event in run.events("make") if event.attempt == 2]
    assert second == [(1, "engine"), (2, "hook_completed"), (3, "hook_errored")]
    run.step("make", retry=2)  # now its hooks are on record, under the second attempt
    assert len(calls) >= 1
    assert run.close().steps[0].status == "success"


def test_hooks_that_were_called_are_not_called_again(bench: Any) -> None:
    """Another attempt that finds the commit finds the events of its hooks beside it."""
    run = bench(watched)
    run.step("make")
    run.step("make", retry=1)
    assert len(calls) == 1


def test_a_step_that_was_skipped_has_no_success_to_tell(bench: Any) -> None:
    """It is committed as skipped, and no success hook is called for it."""
    run = bench(skipping)
    run.step("maybe")
    assert run.step("after").status == "skipped"
    assert calls == []


def test_an_attempt_that_was_overtaken_calls_no_hooks(bench: Any) -> None:
    """A first attempt, believed to be dead, finds the commit of the second, whose hooks were called."""
    run = bench(watched)
    run.step("make", retry=1)
    assert len(calls) == 1
    run.step("make")
    assert len(calls) == 1


def test_events_of_hooks_that_cannot_be_stored_cost_nothing(bench: Any) -> None:
    """The step has its result; the log says what is missing."""

    class Refusing(MemoryStore):
        def put(self, key: str, body: bytes, *, if_absent: bool = False) -> bool:
            if "/attempts/" in key:
                raise StorageUnavailable("no answer", subject=key)
            return super().put(key, body, if_absent=if_absent)

    run = bench(watched, store=Refusing())
    assert run.step("make").status == "success"
    assert ("error", "events of the attempt could not be stored", {"reason": "no answer"}) in run.lines


class Killed(BaseException):
    """The function is gone."""


class Dying(MemoryStore):
    """A store that takes the function down with it right after a commit."""

    def __init__(self) -> None:
        super().__init__()
        self.die = False
        self.put_keys: list[str] = []

    def put(self, key: str, body: bytes, *, if_absent: bool = False) -> bool:
        done = super().put(key, body, if_absent=if_absent)
        self.put_keys.append(key)
        if self.die and key.startswith(keys.commit("watched", "make", "run-1")):
            self.die = False
            raise Killed
        return done


@success_hook
def tell_item(context: Any) -> None:
    calls.append((context.step_key, context.item, context.idempotency_key))


@solid(outs={"rows": DynamicOut(int)}, hooks=[tell_item])
def several() -> Iterator[Any]:
    yield DynamicOutput(1, "one", "rows")
    yield DynamicOutput(2, "two", "rows")


@solid(hooks=[tell_item])
def each(row: int) -> int:
    return row


def test_a_hook_is_told_the_item() -> None:
    """Of a mapped step; None of any other."""

    @pipeline
    def mapped() -> None:
        several().map(each)

    result = execute_pipeline(mapped, run_id="r")
    assert result.success
    assert calls == [
        ("several", None, "r/several/tell_item"),
        ("each", "one", "r/each/one/tell_item"),
        ("each", "two", "r/each/two/tell_item"),
    ]
