"""What runs are held against agrees with the inline engine, which has nothing to do with it."""

from __future__ import annotations

import pytest

from solidstate.handler.committed import read_commit
from solidstate.handler.inputs import decoded_output
from solidstate.handler.runtime import Runtime
from solidstate.infra.inline import run_inline
from solidstate.planner.plan import OutputRef
from solidstate.storage.memory import MemoryStore
from tests.sim.acceptance import thirty_case
from tests.sim.pipelines import TRAITS, Case, small_ones, traits_of
from tests.sim.solids import parsed


@pytest.mark.parametrize(
    "case", [*{case.name: case for case in small_ones()}.values(), thirty_case()], ids=lambda c: c.name
)
def test_an_ordinary_run_comes_to_what_is_expected(case: Case) -> None:
    """Each step and item has a result, or is skipped; and each output is what it must be."""
    store = MemoryStore()
    runtime = Runtime([case.loaded], store, engine="inline", open_fs=lambda: None, fetch_workers=1)
    assert run_inline(runtime, case.loaded, {}, "r").status == "success"
    values: dict[str, str] = {}
    for (step, item), skipped in case.expected.units.items():
        commit = read_commit(store, case.name, step, "r", item)
        assert commit is not None
        assert commit.status == ("skipped" if skipped else "success")
        for out in commit.outputs:
            if out.name not in commit.withheld:
                value = decoded_output(case.loaded, OutputRef(step, out.name), out, store, "the test")
                values[parsed(value)[0]] = parsed(value)[1]
    assert values == case.expected.values
    assert len(list(store.list("v1/commits/"))) == len(case.expected.units)


def test_small_ones_have_all_traits() -> None:
    """Each trait several times; and the large one has all of them but being plain."""
    every = [trait for case in small_ones() for trait in traits_of(case)]
    assert {trait: every.count(trait) >= 4 for trait in TRAITS} == dict.fromkeys(TRAITS, True)
    assert traits_of(thirty_case()) == [trait for trait in TRAITS if trait != "plain"]
    assert len(thirty_case().loaded.plan.steps) == 30
