"""The commits a step reads: which they are, what they say about whether the step runs, and what is read from them.

A step that is mapped reads, where its upstream step is mapped over the same items, that item's commit; a step that
collects reads every item's, in the order in which the items were yielded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

import msgspec

from solidstate.handler.attempt import Attempt
from solidstate.handler.committed import base, item_of, label
from solidstate.planner.plan import OutputRef, Step, StepInput
from solidstate.storage.commits import Commit, CommittedOutput

PARALLEL_FROM = 4
"""From this many objects on they are fetched by threads."""
MAX_NAMED = 8
"""Items of a step that a reason names; the others are counted."""
T = TypeVar("T")
R = TypeVar("R")


class Skip(msgspec.Struct, frozen=True):
    """Why a step does not run. ``decided``: for good (an optional output stayed out), not because something failed.
    ``for_all_items``: a mapped step is skipped for a reason that lies outside of its item."""

    reason: str
    because: list[str]
    decided: bool
    for_all_items: bool = False


def withheld_reason(kept: Mapping[str, str]) -> str:
    """Why nobody reads outputs that were withheld; ``kept`` has the expectation of each."""
    return f"output {_few(kept)} was withheld: expectation {_few(kept.values())} was not met"


class Upstream:
    """What one attempt reads. ``commits`` are by label; None where there is none. ``entry`` is the item that the step
    is run for, where that was read by itself. ``listed_by`` says of a mapped step under which label the commit stands
    that tells its items, where that is not its producer's name."""

    __slots__ = ("commits", "entry", "item", "listed_by", "step", "steps")

    def __init__(self, step: Step, steps: Mapping[str, Step], item: str = "") -> None:
        self.step = step
        self.steps = steps
        self.item = item
        self.entry: CommittedOutput | None = None
        self.commits: dict[str, Commit | None] = {}
        self.listed_by: dict[str, str] = {}

    def labels(self, inp: StepInput, ref: OutputRef) -> list[str]:
        """Of the commits that one source of one input is read from."""
        over = self.steps[ref.step].map_over
        if over is None:
            return [] if self.entry is not None and inp.kind == "item" else [ref.step]
        if inp.kind != "collect":
            return [label(ref.step, self.item)]
        producer = self.commits.get(self.listed_by.get(ref.step, over.step))
        if producer is None or over.output in producer.withheld:
            return []
        return [label(ref.step, key) for key in producer.items(over.output)]

    def outputs(self, inp: StepInput, ref: OutputRef) -> list[tuple[str, CommittedOutput | None]]:
        """What one source of one input consists of, with the name of each part: one output, or one for each item."""
        if self.entry is not None and inp.kind == "item" and self.steps[ref.step].map_over is None:
            return [(label(ref.step, self.item), self.entry)]
        found: list[tuple[str, CommittedOutput | None]] = []
        dynamic = self.steps[ref.step].output(ref.output).dynamic
        for name in self.labels(inp, ref):
            commit = self.commits[name]
            if commit is None:
                found.append((name, None))
            elif dynamic and inp.kind == "collect":
                found += [(f"{name}.{ref.output}[{key}]", out) for key, out in commit.items(ref.output).items()]
            elif dynamic:
                found.append((name, commit.items(ref.output).get(self.item)))
            elif inp.kind != "collect" or not self._left_out(commit, ref):
                found.append((name, commit.output(ref.output)))
        return found

    def plain_output(self, ref: OutputRef) -> CommittedOutput | None:
        """One output of a step that is run once: what :meth:`outputs` comes to for most inputs. None when it is more
        than that, or not there."""
        commit = self.commits.get(ref.step)
        return commit.output(ref.output) if commit is not None and not self.item else None

    def hashes(self) -> list[str]:
        """SHA-256 of all that is read, sorted."""
        found = [out.sha256 for commit in self.commits.values() if commit is not None for out in commit.outputs]
        if self.entry is not None:
            found.append(self.entry.sha256)
        return sorted(found)

    def _left_out(self, commit: Commit, ref: OutputRef) -> bool:
        """Whether a collected list goes without this item: it was skipped, or what is optional stayed out."""
        absent = commit.output(ref.output) is None and self.steps[ref.step].output(ref.output).optional
        return commit.status == "skipped" or absent or ref.output in commit.withheld

    def skip(self) -> Skip | None:
        """Whether something the step needs will never come."""
        for commit in self.commits.values():
            if commit is None or not self._complete(commit):
                break
        else:
            return None
        failed = [name for name, commit in self.commits.items() if commit is None]
        if failed:
            return Skip(f"upstream {_few(failed)} did not succeed", failed[: MAX_NAMED * 8], decided=False)
        single = [(inp, ref) for inp in self.step.inputs if inp.kind != "collect" for ref in inp.sources]
        skipped = [
            name for name, commit in self.commits.items() if commit is not None and self._stops(name, commit, single)
        ]
        kept: dict[str, str] = {}
        absent: list[str] = []
        blamed = list(skipped)
        read = [(ref, self.labels(inp, ref)) for inp, ref in single]
        for ref, names in [*read, *self._dynamic()]:
            for name in names:
                commit = self.commits[name]
                if commit is None or commit.status == "skipped":
                    continue
                if ref.output in commit.withheld:
                    kept[f"{name}.{ref.output}"] = commit.withheld[ref.output]
                    blamed.append(name)
                elif self.steps[ref.step].output(ref.output).optional and commit.output(ref.output) is None:
                    absent.append(f"{name}.{ref.output}")
                    blamed.append(name)
        if skipped:
            reason, because = f"upstream {_few(skipped)} was skipped", skipped
        elif kept:
            reason, because = withheld_reason(kept), list(kept)
        elif absent:
            reason, because = f"optional output {_few(absent)} was not produced", list(dict.fromkeys(absent))
        else:
            return None
        outside = self.step.map_over is not None and any(self._outside(name) for name in blamed)
        return Skip(reason, because[: MAX_NAMED * 8], decided=True, for_all_items=outside)

    def _complete(self, commit: Commit) -> bool:
        """Whether a commit holds every output its step declares, for anybody to read: what nearly every one does."""
        if commit.status != "success" or commit.withheld:
            return False
        declared = self.steps[commit.step].outputs
        if len(declared) != len(commit.outputs):
            return False
        for out in declared:  # noqa: SIM110 - a generator for each commit read costs more than the rest of this
            if out.dynamic:
                return False
        return True

    def _outside(self, name: str) -> bool:
        """Whether what a commit lacks is lacking for all items: it is of no item, or its own reason lies outside."""
        commit = self.commits.get(name)
        return commit is not None and (not commit.item or commit.for_all_items)

    def _dynamic(self) -> list[tuple[OutputRef, list[str]]]:
        """The dynamic outputs that collects are of, with the label of the commit: itself, or its items' results."""
        found: list[tuple[OutputRef, list[str]]] = []
        for inp in self.step.inputs:
            for ref in inp.sources if inp.kind == "collect" else []:
                over = self.steps[ref.step].map_over or ref
                found.append((over, [self.listed_by.get(ref.step, over.step)]))
        return found

    def _stops(self, name: str, commit: Commit, single: list[tuple[StepInput, OutputRef]]) -> bool:
        """Whether a skipped commit skips this step: one item of many that are collected does not, unless all are."""
        if commit.status != "skipped":
            return False
        return not commit.item or commit.for_all_items or any(name in self.labels(inp, ref) for inp, ref in single)


def fetch_upstream(attempt: Attempt) -> Upstream:
    """Read the commits of all upstream steps: one GET for each distinct one, for collected ones one for each item."""
    step, steps, item, workers = attempt.step, attempt.loaded.steps, attempt.item, attempt.runtime.fetch_workers
    found = Upstream(step, steps, item)
    if not item and len(step.inputs) == 1 and step.inputs[0].kind == "output":  # the most frequent case
        only = step.inputs[0].sources[0].step
        found.commits[only] = attempt.commit_of(only)
        return found
    if not item and all(inp.kind not in ("item", "collect") for inp in step.inputs):
        plain = step.upstream()
        found.commits = dict(zip(plain, each(attempt.commit_of, list(plain), workers), strict=True))
        return found

    first = _fetch_directly(attempt, found)
    _fetch_collected(attempt, found, first)
    return found


def _fetch_directly(attempt: Attempt, found: Upstream) -> dict[str, None]:
    """What is read for the step or its own item, and the commits that tell which items there are. Returns labels."""
    step, steps, entry = attempt.step, found.steps, attempt.payload.entry
    over = step.map_over
    if over is not None and entry is not None and _reads_one(step, steps, over):
        found.entry = attempt.item_of(over, entry)

    def fetch(name: str) -> Commit | None:
        if found.entry is not None and over is not None and entry is not None and name == over.step:
            return attempt.header_of(name, entry.head)
        return attempt.commit_of(base(name), item_of(name))

    first: dict[str, None] = {}
    for inp in step.inputs:
        for ref in inp.sources:
            items = steps[ref.step].map_over
            if inp.kind == "collect" and items is not None:
                first[items.step] = None
            else:
                first.update(dict.fromkeys(found.labels(inp, ref)))
    found.commits = dict(zip(first, each(fetch, list(first), attempt.runtime.fetch_workers), strict=True))
    return first


def _fetch_collected(attempt: Attempt, found: Upstream, first: dict[str, None]) -> None:
    """The results of the items that are collected; what is listed in ``first`` was read before."""
    step, steps, run_of = attempt.step, found.steps, attempt.run_of
    collected: dict[str, None] = {}
    for inp in step.inputs:
        for ref in inp.sources:
            over = steps[ref.step].map_over
            if inp.kind != "collect" or over is None:
                continue
            if run_of(ref.step) != run_of(over.step):  # the items are those of the run that is reused
                name = f"{over.step} of run {run_of(ref.step)}"
                earlier = found.commits.get(name) or attempt.commit_of(over.step, run=run_of(ref.step))
                if earlier is not None:
                    found.commits[name], found.listed_by[ref.step] = earlier, name
            collected.update(dict.fromkeys(found.labels(inp, ref)))
    asked = {*step.upstream(), *(over.step for over in _listing(step, steps, found))}
    for name in [name for name in first if base(name) not in asked]:
        del found.commits[name]  # what this run's producer did is of no account where all is read from another
    names = [name for name in collected if name not in found.commits]

    def fetch(name: str) -> Commit | None:
        return attempt.commit_of(base(name), item_of(name))

    found.commits.update(zip(names, each(fetch, names, attempt.runtime.fetch_workers), strict=True))


def _reads_one(step: Step, steps: Mapping[str, Step], over: OutputRef) -> bool:
    """Whether a mapped step reads the item that it is run for, and no others of its producer's."""
    collected = (ref for inp in step.inputs if inp.kind == "collect" for ref in inp.sources)
    if any(over.step == (steps[ref.step].map_over or ref).step for ref in collected):
        return False
    return any(over in inp.sources for inp in step.inputs)


def _listing(step: Step, steps: Mapping[str, Step], found: Upstream) -> list[OutputRef]:
    """The dynamic outputs whose items are told by the commit under the producer's own name."""
    collected = [ref.step for inp in step.inputs if inp.kind == "collect" for ref in inp.sources]
    return [over for name in collected if name not in found.listed_by and (over := steps[name].map_over) is not None]


def each(fn: Callable[[T], R], things: list[T], workers: int) -> list[R]:
    """``fn`` of each, by threads where that pays."""
    if workers == 1 or len(things) < PARALLEL_FROM:
        return [fn(one) for one in things]
    from concurrent.futures import ThreadPoolExecutor  # costs a cold start 15 ms; most steps have few inputs

    with ThreadPoolExecutor(min(workers, len(things))) as pool:
        return list(pool.map(fn, things))


def _few(names: Iterable[str]) -> str:
    every = list(dict.fromkeys(names))
    more = f" and {len(every) - MAX_NAMED} more" if len(every) > MAX_NAMED else ""
    return ", ".join(f"`{name}`" for name in every[:MAX_NAMED]) + more
