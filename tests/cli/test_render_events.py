"""Events as lines: kinds that no run of the other tests has."""

from __future__ import annotations

from solidstate.cli.render_events import event_lines
from solidstate.cli.text import plain
from solidstate.events import StorageRetry


def retry() -> StorageRetry:
    return StorageRetry(
        run="r",
        pipeline="p",
        seq=1,
        time=0.0,
        elapsed_s=0.0,
        step="s",
        attempt=1,
        key="v1/commits/p/s/r.ndjson",
        verb="write",
        came="503 SlowDown",
        tries=2,
        wait_s=0.15,
    )


def test_a_repeated_request_tells_what_came_of_which_object() -> None:
    """And when it is asked for again."""
    assert plain(event_lines([retry()])) == (
        "00:00:00.000  s  storage_retry  503 SlowDown to try 2 to write v1/commits/p/s/r.ndjson, next in 150 ms\n"
    )
