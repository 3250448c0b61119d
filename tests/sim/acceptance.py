"""A pipeline of 30 steps with all that can make a run difficult, and how a run of it goes under a mix of all faults."""

from __future__ import annotations

import functools
import random

from solidstate import pipeline
from tests.sim.choices import Choices
from tests.sim.faults import EVERY, Profile
from tests.sim.pipelines import Case, case_of
from tests.sim.play import Played, simulate
from tests.sim.solids import deal, fork, gather, judged, large, one, patient, source, three, two


@pipeline
def thirty() -> None:
    """An optional output, a Map with a rendezvous beside it, an N, fans, retries, large values."""
    made = [source.alias(f"a{number}")() for number in range(4)]
    low = [patient.alias(f"b{number}")(made[number]) for number in range(4)]
    # Everybody needs two of four: no nesting orders that exactly, so some of them meet.
    pairs = [two.alias(f"c{number}")(low[number], low[(number + 1) % 4]) for number in range(4)]
    parted = fork.alias("d1")(pairs[0])
    one.alias("d2")(parted.maybe)
    kept = large.alias("d3")(parted.kept)
    dealt = deal.alias("e3")(pairs[1])
    mapped = dealt.items.map(one.alias("e4")).map(patient.alias("e5"))
    gathered = gather.alias("e6")(mapped.collect())
    meets = two.alias("e7")(gathered, pairs[2])
    beside = two.alias("e8")(dealt.whole, pairs[3])
    verdict = judged.alias("f1")(meets)
    one.alias("f2")(verdict)
    last = [three.alias(f"g{number}")(kept, [meets, beside, gathered][number], low[number]) for number in range(3)]
    ended = gather.alias("h1")([*last, beside])
    one.alias("h2")(ended)
    patient.alias("h3")(ended)
    large.alias("h4")(ended)


@functools.cache
def thirty_case() -> Case:
    return case_of(thirty)


def play_thirty(seed: int) -> Played:
    """One run of it; in each several faults of all kinds."""
    chance = random.Random(f"thirty {seed}")
    profile = Profile(EVERY, chance.choice((0.01, 0.03, 0.1)), chance.randint(3, 20), chance.choice((0.1, 0.3, 1.0)))
    return simulate(thirty_case(), Choices(seed), profile, seed)
