"""Attempts of one step, driven operation by operation against any store: each crash and each order in its turn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from solidstate import pipeline
from solidstate.errors import SolidstateError
from solidstate.handler.committed import read_commit
from solidstate.handler.entry import make_handler
from solidstate.handler.inputs import decoded_output
from solidstate.handler.runtime import Runtime
from solidstate.planner.contract import RunHandle
from solidstate.planner.plan import OutputRef
from solidstate.storage import keys
from solidstate.storage.store import ObjectStore
from tests.sim.invocations import Ending, Invocation
from tests.sim.objects import SimulatedStore
from tests.sim.pipelines import Case, case_of
from tests.sim.solids import MAX_INLINE, large, parsed, source
from tests.sim.surroundings import in_place_of


@pipeline
def pair() -> None:
    """The step that is tried reads one commit, and writes an object of its own and a commit."""
    large.alias("tried")(source.alias("before")())


class Attempts:
    """One run of the pair. Invocations are numbered through all runs, as request ids are."""

    number = 0

    def __init__(self, case: Case, objects: ObjectStore, run: str) -> None:
        self.case = case
        self.run = run
        self.store = SimulatedStore(objects)
        runtime = Runtime([case.loaded], self.store, engine="by hand", open_fs=lambda: None, fetch_workers=1)
        self._handler = make_handler(runtime)
        self._handle = msgspec.to_builtins(
            RunHandle(run, "default", pipeline=case.name, plan=case.loaded.hash, request={})
        )
        self.through(self.invocation("before"))

    def invocation(self, step: str = "tried", retry: int = 0) -> Invocation:
        Attempts.number += 1
        return Invocation(Attempts.number, {"kind": "step", "step": step, "run": self._handle, "retry": retry}, None)

    def on(self, invocation: Invocation, happens: str = "") -> Ending | None:
        """One operation further."""
        with in_place_of(lambda unit, read: invocation.number, _still):
            return invocation.go_on(self._handler, happens)

    def through(self, invocation: Invocation, at: int = 0, happens: str = "") -> tuple[Ending, int]:
        """To its end, with a fault at operation number ``at``, from 1 on; and how many operations it had."""
        count = 0
        while True:
            ending = self.on(invocation, happens if count == at and count else "")
            if ending is not None:
                return ending, count
            count += 1

    def problems(self, endings: Sequence[Ending]) -> list[str]:
        """What is wrong with the one result, and with what was answered."""
        try:
            return list(self._problems(endings))
        except SolidstateError as error:
            return [error.problem]

    def _problems(self, endings: Sequence[Ending]) -> Iterator[str]:
        for key in self.store.changes:
            yield f"`{key}` was overwritten"
        name = self.case.name
        commit = read_commit(self.store.objects, name, "tried", self.run)
        if commit is None:
            yield "there is no result"
            return
        (out,) = commit.outputs
        ref = OutputRef("tried", "result")
        value: str = decoded_output(self.case.loaded, ref, out, self.store.objects, "the check")
        origin, digest, attempt = parsed(value)
        if digest != self.case.expected.values[origin] or not commit.attempt_id.endswith(f"-q{attempt}"):
            yield f"the result is `{value[:60]}` of attempt `{commit.attempt_id}`"
        if out.key is None or out.key != keys.data(name, "tried", self.run, commit.attempt_id, "result"):
            yield f"the output stands at `{out.key}`"
        for ending in endings:
            if ending.how == "raised":
                yield f"an attempt raised {ending.value!r}"
            elif ending.how == "returned" and ending.value.get("attempt", 1) != commit.attempt:
                yield f"an attempt answered {ending.value}"


def pair_case() -> Case:
    return case_of(pair)


def _still() -> float:
    return 1_000_000.0


def interleavings(
    case: Case, objects: ObjectStore, run: str, retries: tuple[int, int] = (0, 0)
) -> Iterator[tuple[str, list[str]]]:
    """Two attempts in every order of their operations: the order, and what was wrong. With equal numbers they are
    duplicates, with different ones the first was believed to be dead."""
    todo: list[str] = [""]
    number = 0
    while todo:
        path = todo.pop()
        number += 1
        attempts = Attempts(case, objects, f"{run}-{number}")
        two = {name: attempts.invocation(retry=retry) for name, retry in zip("ab", retries, strict=True)}
        ended: dict[str, Ending] = {}
        for one in two.values():  # to the first operation: before that nobody sees anything
            attempts.on(one)
        taken = ""
        while len(ended) < 2:
            open_ones = [one for one in two if one not in ended]
            if len(taken) < len(path):
                chosen = path[len(taken)]
            else:
                chosen = open_ones[0]
                todo += [taken + other for other in open_ones[1:]]
            taken += chosen
            ending = attempts.on(two[chosen])
            if ending is not None:
                ended[chosen] = ending
        yield taken, attempts.problems(list(ended.values()))


def crashes(
    case: Case, objects: ObjectStore, run: str, kinds: Sequence[str], *, double: bool
) -> Iterator[tuple[Any, list[str]]]:
    """A crash at each operation of an attempt, or of two in a row, and then an attempt that nothing befalls."""
    number = 0
    first, count = 1, 0
    while True:
        later = 1
        survived = False
        while True:
            for kind in kinds:
                number += 1
                attempts = Attempts(case, objects, f"{run}-{number}")
                one, count = attempts.through(attempts.invocation(), first, kind)
                survived = first > count
                endings = [one]
                if double and not survived:
                    second, count = attempts.through(attempts.invocation(retry=1), later, kinds[number % len(kinds)])
                    endings.append(second)
                endings.append(attempts.through(attempts.invocation(retry=len(endings)))[0])
                if not survived:
                    yield (first, later, kind), attempts.problems(endings)
            if not double or survived or later > count:
                break
            later += 1
        if survived:
            return
        first += 1


assert MAX_INLINE < 200, "what the step gives would fit into its commit"
