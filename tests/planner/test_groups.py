"""Steps that want the same share a function; names of groups tell what is special and stay as they are."""

from __future__ import annotations

from solidstate.permissions import Permission
from solidstate.planner.groups import STEP_FUNCTION, Wish, groups_of
from solidstate.planner.plan import StepCompute

READ = Permission("s3:GetObject", "arn:aws:s3:::b/in/*")
WRITE = Permission("s3:PutObject", "arn:aws:s3:::b/out/*")
LARGE = StepCompute(memory_mb=4096)


def wish(step: str, *permissions: Permission, compute: StepCompute | None = None, by: tuple[str, ...] = ()) -> Wish:
    return Wish(step, compute or StepCompute(), frozenset(permissions), by)


def test_plain_steps_share_the_step_function() -> None:
    """The group without a name."""
    assert groups_of([wish("a"), wish("b")]) == {"a": STEP_FUNCTION, "b": STEP_FUNCTION}


def test_one_kind_needs_one_function() -> None:
    """Whatever all steps want, the step function has it."""
    assert groups_of([wish("a", READ, compute=LARGE), wish("b", READ, compute=LARGE)]) == {"a": "", "b": ""}


def test_another_size_is_another_function() -> None:
    """Memory and ephemeral storage, which a function has once; the time a step may take is no reason."""
    found = groups_of(
        [
            wish("plain"),
            wish("slow", compute=StepCompute(timeout_s=10)),
            wish("large", compute=LARGE),
            wish("wide", compute=StepCompute(ephemeral_mb=2048)),
            wish("both", compute=StepCompute(memory_mb=4096, ephemeral_mb=2048)),
            wish("large_too", compute=StepCompute(memory_mb=4096, timeout_s=1)),
        ]
    )
    assert found == {
        "plain": "",
        "slow": "",
        "large": "Memory4096",
        "wide": "Disk2048",
        "both": "Memory4096Disk2048",
        "large_too": "Memory4096",
    }


def test_other_permissions_are_another_function() -> None:
    """Named after the resources or solids that bring them."""
    found = groups_of(
        [
            wish("plain"),
            wish("read", READ, by=("data_lake",)),
            wish("also", READ, by=("data_lake",)),
            wish("copy", READ, WRITE, by=("data_lake", "copy")),
            wish("outer.write", WRITE, compute=LARGE, by=("write",)),
        ]
    )
    assert found == {
        "plain": "",
        "read": "DataLake",
        "also": "DataLake",
        "copy": "DataLakeCopy",
        "outer.write": "WriteMemory4096",
    }


def test_different_kinds_of_one_name() -> None:
    """A number keeps them apart."""
    found = groups_of([wish("plain"), wish("a", READ, by=("lake",)), wish("b", WRITE, by=("lake",))])
    assert found == {"plain": "", "a": "Lake", "b": "LakeN2"}


def test_a_step_that_wants_something_else_renames_nobody() -> None:
    """What is deployed under a name stays under it."""
    before = groups_of([wish("plain"), wish("read", READ, by=("lake",))])
    after = groups_of([wish("new", WRITE, by=("mail",)), wish("plain"), wish("read", READ, by=("lake",))])
    assert before.items() <= after.items()
