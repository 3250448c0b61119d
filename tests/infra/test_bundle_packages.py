"""What is installed into a bundle, and what is left to a layer or to the runtime."""

from __future__ import annotations

from importlib import metadata
from typing import Any

import pytest

from solidstate.errors import SolidstateError
from solidstate.infra.bundle_packages import (
    BOTO,
    Packages,
    installed_closure,
    packages_for,
    target_environment,
)
from solidstate.infra.bundle_requirements import Requirements, Wanted
from solidstate.infra.bundle_settings import Settings


def chosen(*lines: str, uses_fs: bool = False, **settings: Any) -> Packages:
    wanted = tuple(Wanted(line.split("=")[0].split(">")[0].split("[")[0].split(" ")[0], line) for line in lines)
    return packages_for(
        Settings("python3.12", "x86_64", **settings), Requirements("requirements.txt", wanted), uses_fs=uses_fs
    )


def names(packages: Packages) -> list[str]:
    return sorted(one.name for one in packages.wanted)


def test_solidstate_brings_what_a_function_needs_of_it() -> None:
    """Not boto3, which the runtime has, and s3fs only for those who use ``context.fs``."""
    assert {"aws-lambda-powertools", "msgspec"} <= set(names(chosen()))
    assert {"boto3", "s3fs", "moto", "rich", "pyyaml", "awslambdaric"}.isdisjoint(names(chosen()))
    assert "s3fs" in names(chosen(uses_fs=True))
    assert "s3fs" in names(chosen("s3fs"))


def test_what_comes_from_elsewhere_stands_in() -> None:
    """In the versions of this environment, so that what depends on it resolves."""
    packages = chosen("pandas>=3", "boto3", "six", layer_provided=("pandas", "left_pad==1.2"))
    assert {"pandas", "boto3", "left-pad"}.isdisjoint(names(packages))
    assert "six" in names(packages)
    assert packages.standing_in == {
        **{name: metadata.version(name) for name in (*BOTO, "pandas")},
        "left-pad": "1.2",
    }
    assert packages.layer == ("left-pad", "pandas")
    assert {"pandas", "boto3", "botocore"}.isdisjoint(packages.pins)


def test_boto3_is_shipped_when_asked_for() -> None:
    """Pinned like everything."""
    packages = chosen(boto3=True)
    assert "boto3" in names(packages)
    assert packages.pins["botocore"] == metadata.version("botocore")
    assert (packages.standing_in, packages.runtime) == ({}, ())


def test_open_versions_are_those_of_this_environment() -> None:
    """What the project asks for otherwise is not held against it."""
    assert chosen("six").pins["six"] == metadata.version("six")
    assert "six" not in chosen("six==1.0").pins
    assert "six" not in chosen("six @ https://example.org/six-1.0-py3-none-any.whl").pins
    assert chosen("six", newest=True).pins == {}
    assert {"solidstate", "pip", "setuptools"}.isdisjoint(chosen().pins)


def test_extras_of_solidstate_are_followed_but_not_those_for_a_laptop() -> None:
    """A project's dependencies may well say `solidstate[local]`."""
    assert "polars" in names(chosen("solidstate[frames]"))
    assert {"moto", "rich", "solidstate"}.isdisjoint(names(chosen("solidstate[local,dev]")))


def test_the_project_s_own_line_goes_before_ours() -> None:
    """And the same package is not asked for twice."""
    (mine,) = [one.line for one in chosen("msgspec==0.20").wanted if one.name == "msgspec"]
    assert mine == "msgspec==0.20"


@pytest.mark.parametrize(
    ("layer", "said"),
    [
        (
            "panda",
            "A layer brings `panda`, but which version is not known: it is not installed here.\n"
            "  fix: did you mean `pandas`?",
        ),
        (
            "zzz-private",
            "A layer brings `zzz-private`, but which version is not known: it is not installed here.\n"
            "  fix: write it: `--layer-provided zzz-private==VERSION`",
        ),
        (
            "a b",
            "`a b` is no package that a layer can bring: expected a name, as in `pandas`, or `pandas==3.0.1`.\n"
            "  fix: write several with a comma between them",
        ),
    ],
)
def test_a_layer_s_package_must_be_known(layer: str, said: str) -> None:
    """A misspelt name would ship the package after all."""
    with pytest.raises(SolidstateError) as caught:
        chosen(layer_provided=(layer,))
    assert str(caught.value) == said


def test_a_closure_is_what_is_required_here() -> None:
    """With what requirements require, without extras."""
    found = installed_closure(["boto3", "no-such-package"])
    assert {"boto3", "botocore", "s3transfer", "jmespath", "urllib3"} <= found.keys()
    assert "no-such-package" not in found
    assert "awscrt" not in found


def test_markers_are_judged_for_the_function() -> None:
    """Not for the machine that builds."""
    from packaging.markers import Marker

    environment = target_environment(Settings("python3.13", "arm64"))
    for text in ("python_version == '3.13'", "sys_platform == 'linux'", "platform_machine == 'aarch64'"):
        assert Marker(text).evaluate(environment)
