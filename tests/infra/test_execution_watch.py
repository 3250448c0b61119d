"""An execution with all that belongs to it: nested ones, the items of distributed Maps."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from solidstate.errors import RunNotFound
from solidstate.infra import execution_watch
from solidstate.infra.aws_account import AwsAccount
from solidstate.infra.execution_watch import Watch
from solidstate.infra.executions import Execution, Executions
from tests.infra import histories


class Recorded(Executions):
    """Answers from histories that were kept, and notes what it was asked."""

    def __init__(self, name: str, upto: int | None = None) -> None:
        super().__init__(AwsAccount())
        self.kept = histories.stored(name)
        self.upto = upto
        self.asked: list[tuple[str, int]] = []
        self.slow: dict[str, float] = {}

    def history(self, arn: str, after: int = 0) -> list[dict[str, Any]]:
        self.asked.append((arn, after))
        if arn not in self.kept:
            raise RunNotFound("not there", subject=arn)
        first = next(iter(self.kept))
        events = self.kept[arn][: self.upto if arn == first else None]
        return [event for event in events if event["id"] > after]

    def children(self, map_run: str) -> Iterator[Execution]:
        for arn in list(self.kept)[1:]:
            yield Execution(arn, arn, "SUCCEEDED", 0.0, self.slow.get(arn, 1.0))


def steps(watch: Watch) -> list[tuple[str, str, str]]:
    return sorted((one.step, one.item, one.outcome) for one in watch.invocations if one.kind == "step")


def test_nested_executions_are_read_too() -> None:
    """As soon as their ARN is known, in the same look."""
    service = Recorded("nested")
    watch = Watch(service, next(iter(service.kept)))
    changed = watch.poll()
    assert [(one.step, one.outcome) for one in changed] == [("inner", "failed")]
    assert [arn for arn, _ in service.asked] == list(service.kept)
    assert (steps(watch), watch.nested) == ([("inner", "", "failed")], [])


def test_only_what_is_new_is_read() -> None:
    """From the last event on; nothing more of an execution that has ended."""
    service = Recorded("killed", upto=20)
    arn = next(iter(service.kept))
    watch = Watch(service, arn)
    watch.poll()
    before = steps(watch)
    service.upto = None
    watch.poll()
    assert len(steps(watch)) > len(before)
    assert watch.poll() == []
    assert service.asked == [(arn, 0), (arn, 20)]


def test_items_are_looked_for_only_when_they_are_wanted() -> None:
    """Each history is a request."""
    service = Recorded("listed")
    watch = Watch(service, next(iter(service.kept)))
    watch.poll()
    assert (watch.maps, len(service.asked)) == ((1, 0), 1)
    assert watch.look_into_maps([]) == 0
    assert watch.look_into_maps([("thousands", "")]) == 0
    assert len(service.asked) == 1
    assert watch.look_into_maps([("each", "k1")]) == 0
    assert ("each", "k1", "failed") in steps(watch)


def test_the_longest_are_looked_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """And no more than the limit; how many were not is told."""
    monkeypatch.setattr(execution_watch, "MAX_CHILDREN", 1)
    service = Recorded("listed")
    (killed,) = [arn for arn, events in service.kept.items() if '"Runtime.ExitError"' in str(events).replace("'", '"')]
    service.slow[killed] = 9.0
    watch = Watch(service, next(iter(service.kept)))
    watch.poll()
    assert watch.look_into_maps([("each", "k1")]) == 0
    assert [arn for arn, _ in service.asked[1:]] == [killed]
    assert watch.look_into_maps([("each", "k0"), ("each", "k2")]) == 2


def test_what_was_forgotten_is_no_error() -> None:
    """A child whose history is gone leaves its item unexplained."""
    service = Recorded("listed")
    watch = Watch(service, next(iter(service.kept)))
    watch.poll()
    for arn in list(service.kept)[1:]:
        service.kept[arn] = []
    assert watch.look_into_maps([("each", "k1")]) == 0
    with pytest.raises(RunNotFound):
        Watch(service, "arn:gone").poll()


def test_an_execution_that_is_over_is_settled() -> None:
    """When the service says so before its history does."""
    service = Recorded("running")
    watch = Watch(service, next(iter(service.kept)))
    watch.poll()
    assert any(one.open for one in watch.invocations)
    watch.settle()
    assert not any(one.open for one in watch.invocations)
