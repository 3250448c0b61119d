"""Settings of a build: the command line over pyproject.toml over template.yaml over this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from solidstate.errors import SolidstateError
from solidstate.infra.bundle_settings import (
    RUNTIMES,
    Choices,
    Settings,
    local_runtime,
    project_folder,
    settings_for,
)

TEMPLATE = """
Resources:
  A: {Type: AWS::Serverless::Function}
  B:
    Properties:
      Runtime: python3.13   # as tested
      Architectures: [arm64]
"""


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The current directory is looked into as well."""
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")


def project(tmp_path: Path, pyproject: str = "", template: str = "") -> Path:
    folder = tmp_path / "project"
    folder.mkdir()
    if pyproject:
        (folder / "pyproject.toml").write_text(pyproject)
    if template:
        (folder / "template.yaml").write_text(template)
    return folder


def test_without_any_word_it_is_this_interpreter(tmp_path: Path) -> None:
    """What was tested is what ships."""
    local = local_runtime() if local_runtime() in RUNTIMES else RUNTIMES[0]
    assert settings_for(project(tmp_path), Choices()) == Settings(local, "x86_64")


@pytest.mark.parametrize("arch", ["[arm64]", "\n        - arm64", '["arm64"]'])
def test_the_template_says_what_the_function_will_be(tmp_path: Path, arch: str) -> None:
    """A bundle for another runtime than the deployed one would not start."""
    found = settings_for(project(tmp_path, template=TEMPLATE.replace("[arm64]", arch)), Choices())
    assert (found.runtime, found.arch, found.python) == ("python3.13", "arm64", (3, 13))


def test_a_template_of_several_minds_is_not_followed(tmp_path: Path) -> None:
    """Two functions of different runtimes need two bundles."""
    mixed = TEMPLATE + "  C: {}\n      Runtime: python3.12\n"
    assert settings_for(project(tmp_path, template=mixed), Choices()).runtime != "python3.13"


def test_pyproject_goes_before_the_template_and_options_before_both(tmp_path: Path) -> None:
    """Lists add up."""
    folder = project(
        tmp_path,
        "[tool.solidstate.build]\nruntime = 'python3.14'\nlayer-provided = ['pandas']\nexclude = ['a/']\n"
        "requirements = 'lock.txt'\naws-services = ['dynamodb']\nboto3 = true\n",
        TEMPLATE,
    )
    assert settings_for(folder, Choices(layer_provided=["numpy"], arch="x86_64", newest=True)) == Settings(
        runtime="python3.14",
        arch="x86_64",
        requirements=folder / "lock.txt",
        layer_provided=("pandas", "numpy"),
        exclude=("a/",),
        aws_services=("dynamodb",),
        boto3=True,
        newest=True,
    )
    assert settings_for(folder, Choices(runtime="python3.12", requirements="mine.txt")).requirements == Path("mine.txt")


@pytest.mark.parametrize(
    ("pyproject", "asked", "said"),
    [
        (
            "[tool.solidstate.build]\nlayer-provide = []",
            Choices(),
            "`[tool.solidstate.build]` in `pyproject.toml` is not valid: Object contains unknown field "
            "`layer-provide`.\n  at: FILE\n  fix: did you mean `layer-provided`?",
        ),
        (
            "[tool.solidstate.build]\nexclude = 'a'",
            Choices(),
            "`[tool.solidstate.build]` in `pyproject.toml` is not valid: Expected `array`, got `str` - at `$.exclude`."
            "\n  at: FILE\n  fix: it may have `runtime`, `arch`, `requirements`, `layer-provided`, `include`, "
            "`exclude`, `aws-services`, `boto3`, `newest`",
        ),
        (
            "",
            Choices(runtime="python3.9"),
            "There is no runtime `python3.9` to build for.\n  fix: choose one of `python3.11`, `python3.12`, "
            "`python3.13`, `python3.14`",
        ),
        (
            "",
            Choices(arch="arm"),
            "There is no architecture `arm` to build for.\n  fix: choose one of `x86_64`, `arm64`",
        ),
    ],
)
def test_what_is_not_known_is_refused(tmp_path: Path, pyproject: str, asked: Choices, said: str) -> None:
    """With what there is instead."""
    folder = project(tmp_path, pyproject)
    with pytest.raises(SolidstateError) as caught:
        settings_for(folder, asked)
    assert str(caught.value).replace(str(folder / "pyproject.toml"), "FILE") == said


def test_a_pyproject_that_is_no_toml_is_said_to_be(tmp_path: Path) -> None:
    """With the place where it stops."""
    with pytest.raises(SolidstateError, match=r"^`pyproject.toml` cannot be read: Invalid value .*line 1"):
        settings_for(project(tmp_path, "a = b\n"), Choices())


def test_the_project_is_the_nearest_folder_with_a_pyproject(tmp_path: Path) -> None:
    """It does not go beyond a repository: what lies above is somebody else's."""
    inner = tmp_path / "a" / "src" / "pkg"
    inner.mkdir(parents=True)
    assert project_folder(inner) == inner
    (tmp_path / "a" / "pyproject.toml").touch()
    assert project_folder(inner) == tmp_path / "a"
    (tmp_path / "a" / "src" / ".git").mkdir()
    assert project_folder(inner) == inner
