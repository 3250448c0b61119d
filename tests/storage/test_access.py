"""What functions may do with the data bucket."""

from __future__ import annotations

from solidstate.storage import keys
from solidstate.storage.access import MAX_STEPS_NAMED, access_of_steps


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
