"""Keys: fixed depth, no part that leads elsewhere, nothing two things share."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solidstate.errors import StorageError
from solidstate.storage import keys
from solidstate.storage.store import check_key

NAMES = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,79}", fullmatch=True)
STEPS = st.lists(NAMES, min_size=1, max_size=3).map(".".join)
RUNS = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,79}", fullmatch=True)


def test_every_key_is_spelled_like_this() -> None:
    """The layout that IAM policies, Athena tables and people rely on."""
    assert keys.run_record("p", "r") == "v1/runs/p/r/run.json"
    assert keys.run_summary("p", "r") == "v1/runs/p/r/summary.json"
    assert keys.run_events("p", "r") == "v1/runs/p/r/events.ndjson"
    assert (keys.runs_prefix(), keys.runs_prefix("p")) == ("v1/runs/", "v1/runs/p/")
    assert keys.plan("p", "abc") == "v1/plans/p/abc.json"
    assert keys.commit("p", "outer.s", "r") == "v1/commits/p/outer.s/r.ndjson"
    assert keys.attempt("p", "s", "r", "001-q") == "v1/attempts/p/s/r/001-q.ndjson"
    assert keys.attempts_prefix("p", "s", "r") == "v1/attempts/p/s/r/"
    assert keys.attempt_part("p", "s", "r", "001-q", 7) == "v1/attempts/p/s/r/001-q@000007.ndjson"
    assert keys.attempt_part("p", "s", "r", "001-q", 7, "k") == "v1/attempts/p/s/r@k/001-q@000007.ndjson"
    assert keys.data("p", "s", "r", "001-q", "o") == "v1/data/p/s/r/001-q/o"
    assert keys.data_prefix("p", "s", "r") == "v1/data/p/s/r/"
    assert keys.ended("p", "s", "r") == "v1/ended/p/s/r.json"
    assert keys.ended("p", "s", "r", "k") == "v1/ended/p/s/r@k.json"
    assert keys.parked("p", "s", "r", 0) == "v1/parked/p/s/r/000.json"
    assert keys.parked("p", "s", "r", 12, "k") == "v1/parked/p/s/r@k/012.json"


@given(first=st.tuples(NAMES, STEPS, RUNS), second=st.tuples(NAMES, STEPS, RUNS))
def test_different_steps_and_runs_never_share_a_key(first: tuple[str, str, str], second: tuple[str, str, str]) -> None:
    """Dots in step names and run ids included; every key suits every store."""
    for make in (keys.commit, keys.attempts_prefix, keys.data_prefix, keys.ended):
        assert (make(*first) == make(*second)) == (first == second)
    one, two = keys.attempts_prefix(*first), keys.attempt(*second, "001-q")
    assert not two.startswith(one) or first == second
    assert check_key(keys.commit(*first)).count("/") == 4
    assert check_key(keys.data(*first, "001-q", first[0])).count("/") == 6


@given(name=st.text(max_size=100))
def test_any_execution_name_gives_a_run_id(name: str) -> None:
    """Ordinary ones are kept, the others hashed; the same name gives the same id."""
    run = keys.run_id_from(name)
    assert keys.parse_run_record(keys.run_record("p", run)) == ("p", run)
    assert keys.run_id_from(name) == run
    assert run == name or run.startswith("x-")


def test_ordinary_execution_names_are_kept() -> None:
    """People look for what they typed."""
    assert keys.run_id_from("2026-11-23-143002-9f3a1c") == "2026-11-23-143002-9f3a1c"
    assert keys.run_id_from("..").startswith("x-")
    assert keys.run_id_from("a" * 81).startswith("x-")
    assert keys.run_id_from("caf\u00e9") != keys.run_id_from("cafe\u0301")


@pytest.mark.parametrize("part", ["..", ".", "", "a/b", "a\\b", "a\0", "a\n", "-a", "caf\u00e9", "a" * 256, "%2e%2e"])
def test_parts_that_lead_elsewhere_are_refused(part: str) -> None:
    """With what was given and what a name looks like."""
    with pytest.raises(StorageError) as caught:
        keys.commit("p", part, "r")
    assert str(caught.value) == (
        f"{part!r:.80} cannot be part of a key.\n"
        "  fix: names start with a letter, digit or underscore, then letters, digits, `_`, `.` or `-`"
    )


def test_attempts_sort_by_number() -> None:
    """The policy's limit is 100."""
    ids = [keys.attempt_id(number, request) for number, request in [(1, "z"), (2, "a"), (10, "a"), (100, "a")]]
    assert ids == sorted(ids)


@pytest.mark.parametrize(
    "key",
    [
        "v1/runs/p/r/summary.json",
        "v1/runs/p/run.json",
        "v2/runs/p/r/run.json",
        "",
        "v1/plans/p/r/run.json",
        "v1/runs/../r/run.json",
        "v1/runs/p/../run.json",
        "v1/runs/p/r@k/run.json",
        "v1/runs/p/\u202er/run.json",
        "v1/runs//r/run.json",
    ],
)
def test_other_keys_are_no_run_records(key: str) -> None:
    """Whatever else lies there."""
    assert keys.parse_run_record(key) is None


def test_an_attempt_and_its_parts_are_told_apart_by_their_keys() -> None:
    """All of them by the prefix of the step's attempts; the number is 0 for the whole."""
    whole, part = keys.attempt("p", "s", "r", "001-q", "k"), keys.attempt_part("p", "s", "r", "001-q", 12, "k")
    assert (keys.attempt_in(whole), keys.attempt_in(part)) == (("001-q", 0), ("001-q", 12))
    assert part.startswith(keys.attempts_prefix("p", "s", "r", "k"))
    assert keys.item_in(part) == "k"


def test_what_a_run_has_is_found_by_its_prefixes() -> None:
    """Of every kind, of steps and of items; and nothing of a run whose name begins alike."""
    made: dict[str, list[Callable[..., str]]] = {
        "commits": [lambda run, **item: keys.commit("p", "s", run, **item)],
        "attempts": [
            lambda run, **item: keys.attempt("p", "s", run, "001-q", **item),
            lambda run, **item: keys.attempt_part("p", "s", run, "001-q", 1, **item),
        ],
        "data": [lambda run, **item: keys.data("p", "s", run, "001-q", "o", **item)],
        "ended": [lambda run, **item: keys.ended("p", "s", run, **item)],
        "parked": [lambda run, **item: keys.parked("p", "s", run, 1, **item)],
    }
    assert set(made) == set(keys.OF_STEPS)
    for kind, makers in made.items():
        prefixes = keys.of_run(kind, "p", "s", "r")
        for make in makers:
            assert make("r").startswith(prefixes)
            assert make("r", item="k").startswith(prefixes)
            assert not make("r2").startswith(prefixes)
            assert [keys.run_of(make(run)) for run in ("r", "r.ndjson", "r.json")] == ["r", "r.ndjson", "r.json"]
            assert keys.run_of(make("r", item="k")) == "r"
    assert keys.run_record("p", "r").startswith(keys.run_prefix("p", "r"))
    assert not keys.run_record("p", "r2").startswith(keys.run_prefix("p", "r"))


def test_data_says_whose_it_is() -> None:
    """A list of items is no attempt's."""
    assert (keys.item_of_data(keys.data("p", "s", "r", "001-q", "o")), keys.item_of_data("a/b/c/d/r@k/f/g")) == (
        "",
        "k",
    )
    assert keys.attempt_of_data(keys.data("p", "s", "r", "001-q", "o", item="k")) == "001-q"
    assert keys.attempt_of_data(keys.item_list("p", "s", "r", "o")) is None
