"""What `sam deploy --guided` leaves in samconfig.toml, and what is said of a file that does not help."""

from __future__ import annotations

from pathlib import Path

import pytest

from solidstate.errors import SolidstateError
from solidstate.infra.samconfig import SamSettings, read_samconfig

GUIDED = """\
version = 0.1

[default.global.parameters]
stack_name = "flights"

[default.build.parameters]
cached = true

[default.deploy.parameters]
capabilities = "CAPABILITY_IAM"
confirm_changeset = true
region = "eu-west-1"
image_repositories = []

[prod.deploy.parameters]
stack_name = "flights-prod"
region = "us-east-1"
profile = "production"
"""


def test_the_settings_of_an_environment(tmp_path: Path) -> None:
    """Those of `deploy` over the global ones; other commands' are not looked at."""
    (tmp_path / "samconfig.toml").write_text(GUIDED)
    assert read_samconfig(tmp_path) == SamSettings("flights", "eu-west-1")
    assert read_samconfig(tmp_path, "prod") == SamSettings("flights-prod", "us-east-1", "production")


def refusal(folder: Path, environment: str = "default") -> str:
    with pytest.raises(SolidstateError) as caught:
        read_samconfig(folder, environment)
    return str(caught.value).replace(str(folder), "FOLDER")


def test_without_a_file(tmp_path: Path) -> None:
    """Where it was looked for, and how to do without."""
    assert refusal(tmp_path) == (
        "There is no `samconfig.toml` in the current folder, so it is not known which stack is meant.\n"
        "  at: FOLDER\n"
        "  fix: name it with `--stack NAME` or `--machine ARN`, or go to the folder that `sam deploy` is run in"
    )


def test_an_environment_that_is_not_there(tmp_path: Path) -> None:
    """The nearest one, or all."""
    (tmp_path / "samconfig.toml").write_text(GUIDED)
    assert refusal(tmp_path, "prd") == (
        "`samconfig.toml` has no environment `prd`.\n  at: FOLDER/samconfig.toml\n  fix: did you mean `prod`?"
    )
    assert refusal(tmp_path, "x").endswith("fix: environments: `default`, `prod`")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (
            "[default.deploy.parameters]\nregion = 'x'\n",
            "The environment `default` of `samconfig.toml` names no stack.",
        ),
        ("[default]\ndeploy = 3\n", "The environment `default` of `samconfig.toml` names no stack."),
        (
            "[default.deploy.parameters]\nstack_name = 3\n",
            "The environment `default` of `samconfig.toml` cannot be understood: Expected `str`, got `int` - at "
            "`$.stack_name`.",
        ),
    ],
)
def test_an_environment_that_names_no_stack(tmp_path: Path, text: str, problem: str) -> None:
    """Of whatever kind it is."""
    (tmp_path / "samconfig.toml").write_text(text)
    assert refusal(tmp_path) == (
        f"{problem}\n  at: FOLDER/samconfig.toml\n"
        "  fix: deploy with `sam deploy --guided`, which writes it, or name the stack with `--stack NAME`"
    )


@pytest.mark.parametrize("content", [b"[default", b"\xff\xfe", b"default = 3\n"])
def test_a_file_that_is_none(tmp_path: Path, content: bytes) -> None:
    """No TOML, no text, no environments: a sentence, never a traceback."""
    (tmp_path / "samconfig.toml").write_bytes(content)
    assert refusal(tmp_path).startswith("`samconfig.toml` ")
