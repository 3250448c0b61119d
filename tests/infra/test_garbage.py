"""What is of no use is found and removed; what anybody may still need never is."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from solidstate import DynamicOut, DynamicOutput, pipeline, solid
from solidstate.events import LogMessage, encode_events
from solidstate.handler.runtime import LoadedPipeline, Runtime
from solidstate.infra.again import request_from_failure
from solidstate.infra.garbage import GRACE_S, Swept, sweep
from solidstate.infra.home import Home
from solidstate.infra.inline import run_inline
from solidstate.infra.local_run import run_local
from solidstate.infra.run_history import LocalHistory
from solidstate.planner.build import build_plan
from solidstate.storage import keys
from solidstate.storage.files import open_memory

DAY = 24 * 3600.0
LARGE = 200_000
broken: set[str] = set()


@solid
def load() -> bytes:
    return b"l" * LARGE


@solid
def clean(data: bytes) -> bytes:
    if "clean" in broken:
        raise ValueError("no")
    return data + b"c"


@solid(outs={"parts": DynamicOut(bytes, max_items=10)})
def split(data: bytes) -> Any:
    for number in range(2):
        yield DynamicOutput(data + bytes([number]), f"k{number}", "parts")


@solid
def each(part: bytes) -> bytes:
    if part[-1:] == b"\1" and "each" in broken:
        raise ValueError("not this one")
    return part


@solid
def join(parts: list[bytes]) -> int:
    return sum(map(len, parts))


@pipeline
def flow() -> None:
    join(split(clean(load())).map(each).collect())


LOADED = LoadedPipeline(flow, build_plan(flow))


def run(home: Home, name: str, *faults: str, request: dict[str, Any] | None = None) -> None:
    """A run with steps that fail, and with what killed attempts leave beside those that end."""
    broken.clear()
    broken.update(faults)
    run_local(flow, request or {}, engine="inline", home=home, run_id=name)
    broken.clear()


def killed(home: Home, run: str, step: str, item: str = "") -> list[str]:
    """What an attempt leaves that was killed while it stored its output."""
    event = LogMessage("r", "flow", 1, 0.0, 0.0, step, 1, request="dead", level="info", message="m")
    part = keys.attempt_part("flow", step, run, "001-dead", 1, item)
    data = keys.data("flow", step, run, "001-dead", "result", item=item)
    home.store.put(part, encode_events([event]))
    home.store.put(data, b"half" * 100)
    return [part, data]


def objects(home: Home) -> dict[str, int]:
    return {info.key: info.size for info in home.store.list("")}


def swept(home: Home, *, days: float = 2, older_than_s: float | None = None, delete: bool = True) -> Swept:
    return sweep(LocalHistory(home), time.time() + days * DAY, older_than_s=older_than_s, delete=delete)


def test_what_killed_attempts_left_is_removed(tmp_path: Path) -> None:
    """That and nothing else; counted first; once."""
    home = Home(tmp_path)
    run(home, "r")
    before = objects(home)
    left = [*killed(home, "r", "clean"), *killed(home, "r", "each", "k0")]
    found = swept(home, delete=False)
    (garbage,) = found.found
    sizes = objects(home)
    assert (garbage.kind, garbage.run, garbage.pipeline) == ("orphaned attempts", "r", "flow")
    assert (garbage.objects, garbage.size) == (4, sum(sizes[key] for key in left))
    assert swept(home).found == found.found
    assert objects(home) == before
    assert swept(home).found == []


def test_a_run_that_has_just_ended_or_goes_on_is_left_alone(tmp_path: Path) -> None:
    """A function may still be writing; whatever its age."""
    home = Home(tmp_path)
    run(home, "r")
    killed(home, "r", "clean")
    before = objects(home)
    assert swept(home, days=(GRACE_S - 60) / DAY).found == []
    home.store.delete(keys.run_summary("flow", "r"))
    with home.running("r"):
        assert swept(home, days=100, older_than_s=DAY).found == []
        assert swept(home, days=100, older_than_s=DAY, delete=False).found == []
    assert len(objects(home)) == len(before) - 1


def test_a_run_without_merged_events_keeps_its_parts(tmp_path: Path) -> None:
    """They are the only trace of the attempt that was killed."""
    home = Home(tmp_path)
    run(home, "r")
    part, data = killed(home, "r", "clean")
    home.store.delete(keys.run_events("flow", "r"))
    swept(home)
    assert (home.store.exists(part), home.store.exists(data)) == (True, False)


def test_whole_runs_are_removed_when_asked_for(tmp_path: Path) -> None:
    """Those that are old enough, with all that is theirs; plans stay, as new runs may follow them."""
    home = Home(tmp_path)
    run(home, "old")
    killed(home, "old", "clean")
    found = swept(home, days=20, older_than_s=30 * DAY, delete=False)
    assert [one.kind for one in found.found] == ["orphaned attempts"]
    found = swept(home, days=31, older_than_s=30 * DAY)
    assert [(one.kind, one.run) for one in found.found] == [("expired run", "old")]
    assert {key.split("/")[1] for key in objects(home)} == {"plans"}
    run(home, "old")


def test_a_run_whose_id_begins_alike_is_another(tmp_path: Path) -> None:
    """Even one that is called as the other's objects are."""
    home = Home(tmp_path)
    run(home, "r")
    run(home, "r.ndjson")
    store, key = home.store, keys.run_summary("flow", "r.ndjson")
    younger = msgspec.json.decode(store.get(key))
    store.put(key, msgspec.json.encode({**younger, "started_at": younger["started_at"] + 20 * DAY}))
    theirs = {key: size for key, size in objects(home).items() if "/r.ndjson" in key and key.count("r.ndjson") > 0}
    swept(home, days=31, older_than_s=30 * DAY)
    left = objects(home)
    assert keys.commit("flow", "load", "r.ndjson") in left
    assert not left.keys() & {keys.commit("flow", "load", "r"), keys.run_record("flow", "r")}
    assert theirs.keys() - left.keys() == {key for key in theirs if keys.run_of(key) == "r"}


def test_a_run_that_another_takes_results_from_stays(tmp_path: Path) -> None:
    """As long as the other one does, and it is said for whom."""
    home = Home(tmp_path)
    run(home, "first", "clean")
    request = request_from_failure(home.store, LOADED, "first")
    run(home, "second", request=request)
    summary = keys.run_summary("flow", "second")
    text = home.store.get(summary)
    younger = msgspec.json.decode(text)
    younger["started_at"] += 20 * DAY
    home.store.put(summary, msgspec.json.encode(younger))
    found = swept(home, days=40, older_than_s=30 * DAY)
    assert (found.found, found.kept_for) == ([], {"first": "second"})
    assert LocalHistory(home).find("first").status == "failed"
    found = swept(home, days=60, older_than_s=30 * DAY)
    assert [one.run for one in found.found] == ["first", "second"]


def test_what_cannot_be_read_is_left_alone(tmp_path: Path) -> None:
    """And named."""
    home = Home(tmp_path)
    run(home, "r")
    killed(home, "r", "clean")
    home.store.delete(keys.plan("flow", LOADED.hash))
    before = objects(home)
    found = swept(home, days=100, older_than_s=DAY)
    assert (found.found, found.unread) == ([], ["r"])
    assert objects(home) == before


def test_a_sweep_that_was_broken_off_is_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The record of a run is the last to go."""
    home = Home(tmp_path)
    run(home, "r")
    removed: list[str] = []
    store = type(home.store)
    delete = store.delete

    def failing(self: Any, key: str) -> None:
        removed.append(key)
        if len(removed) == 5:
            raise KeyboardInterrupt
        delete(self, key)

    with monkeypatch.context() as patch:
        patch.setattr(store, "delete", failing)
        with pytest.raises(KeyboardInterrupt):
            swept(home, days=31, older_than_s=30 * DAY)
    assert home.store.exists(keys.run_record("flow", "r"))
    swept(home, days=31, older_than_s=30 * DAY)
    assert {key.split("/")[1] for key in objects(home)} == {"plans"}


steps = st.sampled_from(["load", "clean", "split", "each", "join"])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    faults=st.lists(st.sampled_from([(), ("clean",), ("each",)]), min_size=1, max_size=3),
    deaths=st.lists(st.tuples(st.integers(0, 2), steps, st.sampled_from(["k0", "k1"])), max_size=6),
    from_first=st.booleans(),
)
def test_nothing_that_is_needed_is_ever_removed(
    tmp_path_factory: pytest.TempPathFactory,
    faults: list[tuple[str, ...]],
    deaths: list[tuple[int, str, str]],
    *,
    from_first: bool,
) -> None:
    """Whatever runs left behind: afterwards every run that stays is shown as before, and what failed can be run again
    from its failure, with the result of a run in which nothing failed."""
    home = Home(tmp_path_factory.mktemp("swept"))
    names: list[str] = []
    for number, broken_steps in enumerate(faults):
        request = None
        if names and from_first and LocalHistory(home).find(names[0]).status == "failed":
            request = request_from_failure(home.store, LOADED, names[0])
        names.append(f"r{number}")
        run(home, names[-1], *broken_steps, request=request)
    garbage = [
        key
        for number, step, item in deaths
        if number < len(names)
        for key in killed(home, names[number], step, item if step == "each" else "")
    ]
    history = LocalHistory(home)
    before = {name: (history.find(name), history.facts(history.find(name)).events) for name in names}
    swept(home)
    assert not set(garbage) & set(objects(home))
    assert {name: (history.find(name), history.facts(history.find(name)).events) for name in names} == before
    for name in names:
        if before[name][0].status == "failed":
            again = request_from_failure(home.store, LOADED, name)
            runtime = Runtime([LOADED], home.store, engine="inline", open_fs=open_memory, fetch_workers=1)
            summary = run_inline(runtime, LOADED, again, f"{name}-again")
            assert summary.status == "success", summary.message
