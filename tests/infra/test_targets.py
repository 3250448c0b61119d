"""Targets of a deployment are found as a function will find them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from solidstate.errors import SolidstateError
from solidstate.infra.targets import deployable

CODE = """
from solidstate import pipeline, solid

@solid
def one() -> int:
    return 1

@pipeline
def {first}():
    one()

@pipeline
def {second}():
    one()

again = {first}
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "deployed_shop").mkdir()
    (tmp_path / "deployed_shop" / "__init__.py").write_text("")
    (tmp_path / "deployed_shop" / "flows.py").write_text(CODE.format(first="sales", second="stock"))
    (tmp_path / "deployed_other.py").write_text(CODE.format(first="sales", second="other"))
    yield tmp_path
    for name in [name for name in sys.modules if name.startswith("deployed_")]:
        del sys.modules[name]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("targets", "found"),
    [
        (["deployed_shop.flows"], ["deployed_shop.flows:sales", "deployed_shop.flows:stock"]),
        (["deployed_shop/flows.py:stock"], ["deployed_shop.flows:stock"]),
        (["deployed_shop.flows:again"], ["deployed_shop.flows:sales"]),
        (
            ["deployed_shop.flows:stock", "deployed_shop.flows"],
            ["deployed_shop.flows:stock", "deployed_shop.flows:sales"],
        ),
    ],
    ids=str,
)
def test_every_pipeline_once(targets: list[str], found: list[str]) -> None:
    """By module or file; all of a module, when none is named; under its first name."""
    assert [one.target for one in deployable(targets)] == found


@pytest.mark.usefixtures("folder")
def test_two_of_one_name() -> None:
    """Their machines and keys would be the same."""
    with pytest.raises(SolidstateError) as caught:
        deployable(["deployed_shop.flows", "deployed_other"])
    assert str(caught.value) == (
        "`deployed_shop.flows:sales` and `deployed_other:sales` are both called `sales`.\n"
        "  fix: give one of them another name, or name the one to deploy: `module:pipeline`"
    )


def test_a_file_that_cannot_be_imported(folder: Path) -> None:
    """The function imports by name."""
    (folder / "my-flow.py").write_text(CODE.format(first="sales", second="stock"))
    with pytest.raises(SolidstateError) as caught:
        deployable(["my-flow.py"])
    assert caught.value.problem == "`my-flow.py` cannot be imported by name, which is how the Lambda function finds it."


def test_no_pipeline(folder: Path) -> None:
    """As everywhere else."""
    (folder / "deployed_nothing.py").write_text("")
    with pytest.raises(SolidstateError, match=r"`deployed_nothing.py` has no pipeline."):
        deployable(["deployed_nothing.py"])
