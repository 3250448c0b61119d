"""What a run takes from an earlier one, and when that does not fit any more."""

from __future__ import annotations

from typing import Any

import pytest

from solidstate import DynamicOut, DynamicOutput, Out, PipelineDefinition, pipeline, solid
from solidstate.errors import RequestErrors, SolidstateError
from solidstate.events import RunStart
from solidstate.handler.reuse import Reuse, reuse_of
from solidstate.handler.runtime import LoadedPipeline, Runtime
from solidstate.infra.again import request_from_failure
from solidstate.infra.inline import run_inline
from solidstate.planner.build import build_plan
from solidstate.storage import keys
from solidstate.storage.history import events_of, summary_of
from solidstate.storage.memory import MemoryStore
from solidstate.storage.records import RunSummary

BROKEN = {"merge"}


def make(**returns: Any) -> PipelineDefinition:
    """From read to clean to merge to report, with extra into merge. ``returns`` changes what a solid declares."""

    @solid(outs={"result": Out(returns.get("read", int))})
    def read() -> Any:
        return 1

    @solid
    def clean(x: Any, y: Any = 0) -> int:
        return 2

    @solid
    def extra() -> int:
        return 3

    @solid
    def merge(x: int, y: int) -> int:
        if "merge" in BROKEN:
            raise ValueError("broken")
        return x + y

    @solid
    def report(total: int) -> None: ...

    @pipeline(tags={"team": "data"})
    def parts() -> None:
        rows, more = read(), extra()
        cleaned = clean(rows, more) if returns.get("rewired") else clean(rows)
        report(merge(cleaned, more))

    return parts


def loaded(definition: PipelineDefinition) -> LoadedPipeline:
    return LoadedPipeline(definition, build_plan(definition))


def run(store: MemoryStore, definition: PipelineDefinition, run_id: str, request: Any = None) -> RunSummary:
    one = loaded(definition)
    runtime = Runtime([one], store, engine="inline", open_fs=lambda: None, fetch_workers=1)
    return run_inline(runtime, one, request, run_id)


@pytest.fixture
def store() -> MemoryStore:
    """With one run, ``r1``, in which ``merge`` failed."""
    store = MemoryStore()
    assert run(store, make(), "r1", {"tags": {"owner": "ops"}}).status == "failed"
    return store


def statuses(summary: RunSummary) -> dict[str, str]:
    return {step.step: step.status for step in summary.steps}


def test_from_failure_runs_what_has_no_result(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The failed step and what follows; the rest is reused, config and tags are those of the run."""
    request = request_from_failure(store, loaded(make()), "r1")
    assert request == {
        "mode": "default",
        "tags": {"team": "data", "owner": "ops"},
        "steps": "merge, report",
        "from_run": "r1",
    }
    monkeypatch.setattr(f"{__name__}.BROKEN", set())
    summary = run(store, make(), "r2", request)
    assert summary.status == "success"
    assert statuses(summary) == {
        "read": "not selected",
        "extra": "not selected",
        "clean": "not selected",
        "merge": "success",
        "report": "success",
    }
    start = next(event for event in events_of(store, summary_of(store, "parts", "r2")) if isinstance(event, RunStart))
    assert (start.from_run, sorted(start.reused), start.steps) == ("r1", ["clean", "extra"], 2)


def test_a_chain_of_reuse_computes_again_what_the_last_run_had_not(store: MemoryStore) -> None:
    """One run is reused: what it had taken from another is run again where it is needed."""
    assert run(store, make(), "r2", {"steps": "merge*", "from_run": "r1"}).status == "failed"
    request = request_from_failure(store, loaded(make()), "r2")
    assert request["steps"].split(", ") == [step.name for step in build_plan(make()).steps]


FAILING: set[str] = set()


@solid(outs={"items": DynamicOut(int)})
def parts_of() -> Any:
    for number in range(HOW_MANY[0]):
        yield DynamicOutput(number, key=f"k{number}", name="items")


@solid
def first(x: int) -> int:
    if "first" in FAILING:
        raise ValueError("first")
    return x + 10


@solid
def second(x: int) -> int:
    if "second" in FAILING:
        raise ValueError("second")
    return x


@solid
def total(xs: list[int]) -> list[int]:
    SEEN.append((xs,))
    return xs


@solid
def beside(xs: list[int], raw: list[int]) -> int:
    SEEN.append((xs, raw))
    return 0


@pipeline
def mapped() -> None:
    items = parts_of()
    firsts = items.map(first)
    total(firsts.map(second).collect())
    beside(firsts.collect(), items.collect())


HOW_MANY = [2]
SEEN: list[tuple[list[int], ...]] = []


@pytest.fixture(autouse=True)
def _as_declared() -> None:
    HOW_MANY[0] = 2
    SEEN.clear()
    FAILING.clear()


def test_items_are_computed_again_with_the_step_that_yields_them() -> None:
    """A mapped step that succeeded is of no use in a run that had its items from another."""
    store = MemoryStore()
    FAILING.update(("first", "second"))
    assert run(store, mapped, "m1").status == "failed"
    FAILING.discard("first")
    assert run(store, mapped, "m2", request_from_failure(store, loaded(mapped), "m1")).status == "failed"
    FAILING.clear()
    request = request_from_failure(store, loaded(mapped), "m2")
    assert request["steps"].split(", ") == ["parts_of", "first", "second", "total"]
    assert run(store, mapped, "m3", request).status == "success"


def test_items_of_two_runs_stay_apart() -> None:
    """A step reads what this run's producer yielded beside what an earlier run made of its own items."""
    store = MemoryStore()
    assert run(store, mapped, "m1").status == "success"
    SEEN.clear()
    HOW_MANY[0] = 3
    assert run(store, mapped, "m2", {"steps": "parts_of, beside", "from_run": "m1"}).status == "success"
    assert SEEN == [([10, 11], [0, 1, 2])]


def test_a_failed_producer_does_not_keep_reused_items_from_being_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who reads only what the earlier run made of its items does not depend on it."""
    store = MemoryStore()
    assert run(store, mapped, "m1").status == "success"
    SEEN.clear()
    monkeypatch.setattr(f"{__name__}.HOW_MANY", ["none"])
    summary = run(store, mapped, "m2", {"steps": "parts_of, total, beside", "from_run": "m1"})
    ended = statuses(summary)
    assert (ended["parts_of"], ended["total"], ended["beside"]) == ("failed", "success", "skipped")
    assert SEEN == [([0 + 10, 1 + 10],)]


def test_a_run_without_failure_has_nothing_to_start_from(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said with the way to run a part again all the same."""
    monkeypatch.setattr(f"{__name__}.BROKEN", set())
    run(store, make(), "good")
    with pytest.raises(SolidstateError) as caught:
        request_from_failure(store, loaded(make()), "good")
    assert str(caught.value) == (
        "Run `good` succeeded; there is no failure to start from.\n  fix: use `--from-run good --steps NAME*`"
    )


def test_intentions_are_data() -> None:
    """What is computed, reused and left alone, in plan order."""
    one = loaded(make())
    assert reuse_of(one, None, None) == Reuse([step.name for step in one.plan.steps])
    assert reuse_of(one, ["merge"], "r1") == Reuse(
        ["merge"],
        [s for s in one.steps if s in ("clean", "extra")],
        [s for s in one.steps if s in ("read", "report")],
        "r1",
    )
    assert reuse_of(one, ["read"], None).reuse == []


MISFITS: dict[str, tuple[dict[str, Any], str, str]] = {
    "another type": (
        {"read": str},
        "clean*",
        "What run `r1` has of `read` does not fit the pipeline any more: its output `result` was `int`, now it is "
        "`str`.\n"
        "  at: from_run\n"
        "  fix: select it too: `read*` runs it and all that follows",
    ),
    "another wiring": (
        {"rewired": True},
        "merge*",
        "What run `r1` has of `clean` does not fit the pipeline any more: its input `y` was from config, now it is "
        "`extra.result`.\n"
        "  at: from_run\n"
        "  fix: select it too: `clean*` runs it and all that follows",
    ),
}


@pytest.mark.parametrize(
    ("name", "with_plan"), [("another type", True), ("another type", False), ("another wiring", True)]
)
def test_what_does_not_fit_any_more_is_refused_before_the_run(store: MemoryStore, name: str, with_plan: bool) -> None:
    """By type and by wiring; without the earlier plan only by what the commits say of types."""
    changes, steps, text = MISFITS[name]
    if not with_plan:
        store.delete(keys.plan("parts", loaded(make()).hash))
        text = text.replace("was `int`", "is stored as `int`")
    with pytest.raises(RequestErrors) as caught:
        run(store, make(**changes), "r2", {"steps": steps, "from_run": "r1"})
    assert str(caught.value) == f"Run request for pipeline `parts`: {text}"
    assert not store.exists(keys.run_record("parts", "r2"))


def test_other_changes_do_not_matter(store: MemoryStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step that is not reused may have become another."""
    monkeypatch.setattr(f"{__name__}.BROKEN", set())
    assert run(store, make(read=str), "r2", {"steps": "merge*", "from_run": "r1"}).status == "success"


@solid(outs={"items": DynamicOut(int)})
def numbers() -> Any:
    yield DynamicOutput(1, "k1", "items")
    yield DynamicOutput(2, "k2", "items")


@solid
def work(number: int) -> int:
    if number == 2:
        raise ValueError("two")
    return number


@solid
def gather(results: list[int]) -> int:
    return sum(results)


@pipeline
def gathering() -> None:
    gather(numbers().map(work).collect())


def test_what_lacks_are_items_what_is_selected_are_steps(store: MemoryStore) -> None:
    """A selection has no word for an item."""
    run(store, gathering, "m1")
    with pytest.raises(RequestErrors) as caught:
        run(store, gathering, "m2", {"steps": "gather", "from_run": "m1"})
    assert str(caught.value) == (
        "Run request for pipeline `gathering`: Run `m1` has no result of `work[k2]`, which the selected steps read.\n"
        "  at: from_run\n"
        "  fix: select `work` too, or reuse a run in which it ran"
    )
