"""What storage needs is what its keys are made of, and for a step no more than its own."""

from __future__ import annotations

from fnmatch import fnmatchcase

from solidstate.storage import keys
from solidstate.storage.access import MAX_STEPS_NAMED, Access, access_of_runs, access_of_steps


def allowed(accesses: list[Access], action: str, key: str) -> bool:
    return any(action in one.actions and any(fnmatchcase(key, pattern) for pattern in one.patterns) for one in accesses)


WRITTEN = [
    keys.run_record("p", "r"),
    keys.run_summary("p", "r"),
    keys.run_events("p", "r"),
    keys.plan("p", "abc"),
    keys.commit("p", "s", "r"),
    keys.commit("p", "s", "r", "item"),
    keys.attempt("p", "s", "r", "000-x", "item"),
    keys.data("p", "s", "r", "000-x", "result", item="item", output_item="one"),
    keys.item_list("p", "s", "r", "found"),
    keys.ended("p", "s", "r"),
    keys.parked("p", "s", "r", 0),
]


def test_the_step_function_writes_everything_of_its_pipeline() -> None:
    """Every key there is, and none of another pipeline, whatever it is called."""
    access = access_of_runs("p")
    assert [key for key in WRITTEN if not allowed(access, "s3:PutObject", key)] == []
    for other in ("pp", "other"):
        assert not allowed(access, "s3:PutObject", keys.commit(other, "p", "p"))
        assert not allowed(access, "s3:GetObject", keys.run_record(other, "p"))


def test_a_step_reads_what_there_is_and_writes_its_own() -> None:
    """Commits, data and attempts of the steps that the function runs."""
    access = access_of_steps("p", ["s"], (), meeting=False)
    assert allowed(access, "s3:GetObject", keys.commit("p", "t", "r"))
    assert allowed(access, "s3:GetObject", keys.run_record("p", "r"))
    own = [
        keys.commit("p", "s", "r"),
        keys.attempt("p", "s", "r", "0"),
        keys.attempt_part("p", "s", "r", "0", 1),
        keys.data("p", "s", "r", "0", "o"),
    ]
    assert all(allowed(access, "s3:PutObject", key) for key in own)
    others = [key for key in WRITTEN if key.split("/")[1] not in ("commits", "attempts", "data")]
    others += [keys.commit("p", "t", "r"), keys.commit("p", "ss", "r")]
    assert [key for key in others if allowed(access, "s3:PutObject", key)] == []


def test_a_step_that_waits_parks() -> None:
    """Only who may have to wait writes tokens, only who meets others reads them."""
    access = access_of_steps("p", ["s", "t"], {"s"}, meeting=True)
    assert allowed(access, "s3:PutObject", keys.parked("p", "s", "r", 0))
    assert not allowed(access, "s3:PutObject", keys.parked("p", "t", "r", 0))
    assert allowed(access, "s3:GetObject", keys.parked("p", "u", "r", 0))
    assert allowed(access, "s3:GetObject", keys.ended("p", "u", "r"))
    assert not allowed(access_of_steps("p", ["s"], (), meeting=False), "s3:GetObject", keys.parked("p", "u", "r", 0))


def test_many_steps_share_a_pattern() -> None:
    """A role's policies have a quota."""
    steps = [f"s{number}" for number in range(MAX_STEPS_NAMED + 1)]
    written = {one.name: one.patterns for one in access_of_steps("p", steps, {"s1"}, meeting=True)}["WriteOwnSteps"]
    assert written == ("v1/commits/p/*", "v1/data/p/*", "v1/attempts/p/*", "v1/ended/p/*", "v1/parked/p/*")
    few = {one.name: one.patterns for one in access_of_steps("p", steps[:-1], (), meeting=True)}["WriteOwnSteps"]
    assert len(few) == 4 * MAX_STEPS_NAMED


def test_a_missing_object_is_missing() -> None:
    """Who reads may find out that there is nothing to read."""
    for access in (access_of_runs("p"), access_of_steps("p", ["s"], (), meeting=False)):
        read = next(one for one in access if "s3:GetObject" in one.actions)
        (listing,) = (one for one in access if one.listing)
        assert (listing.actions, listing.patterns) == (("s3:ListBucket",), read.patterns)


def written(steps: list[str], *, meeting: bool) -> set[str]:
    """What a function that runs these steps may put, as keys of a step `a`."""
    (patterns,) = (one.patterns for one in access_of_steps("p", steps, [], meeting=meeting) if one.name[:5] == "Write")
    made = {
        "commit": keys.commit("p", "a", "r"),
        "end": keys.ended("p", "a", "r"),
        "token": keys.parked("p", "a", "r", 0),
    }
    return {kind for kind, key in made.items() if any(key.startswith(pattern[:-1]) for pattern in patterns)}


def test_a_step_that_others_wait_for_may_tell_its_end() -> None:
    """One that is skipped for a failure before it, or not selected, has no commit that would tell it."""
    many = ["a", *(f"s{number}" for number in range(MAX_STEPS_NAMED))]
    for steps in (["a"], many):
        assert written(steps, meeting=True) == {"commit", "end"}
        assert written(steps, meeting=False) == {"commit"}
