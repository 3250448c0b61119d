"""A template has two authors: what is marked is rendered, everything else is kept to the letter."""

from __future__ import annotations

import pytest

from solidstate.errors import SolidstateError
from solidstate.infra.cloudformation_yaml import load_template
from solidstate.infra.template_file import SECTIONS, Options, difference, new_template, renewed_template, targets_in
from tests.infra.templates import rendered, stack

BY_HAND = """
  # Mine: a table, and an alarm on it.
  Orders:
    Type: AWS::DynamoDB::Table   # oddly   spaced
"""


def test_the_same_definitions_give_the_same_text() -> None:
    """Rendering twice changes nothing, at once or later."""
    assert new_template(stack("shop"), Options()) == rendered("shop")
    assert renewed_template(rendered("shop"), stack("shop"), "t") == rendered("shop")


def test_options_are_for_the_first_time() -> None:
    """Runtime and architecture stand in the part that is the user's."""
    text = new_template(stack("plain"), Options("python3.14", "arm64"))
    assert load_template(text, "t")["Globals"] == {"Function": {"Runtime": "python3.14", "Architectures": ["arm64"]}}
    assert renewed_template(text, stack("plain"), "t") == text


def test_what_is_written_by_hand_stays() -> None:
    """Between, before and after the marked parts, comments and spaces included, whatever is rendered meanwhile."""
    text = (
        rendered("plain")
        .replace("\nOutputs:\n", f"{BY_HAND}\nOutputs:\n")
        .replace("    Architectures: [x86_64]\n", "    Architectures: [x86_64]\n    Layers: [!Ref Layer]  # mine\n")
    )
    renewed = renewed_template(text, stack("shop"), "t")
    assert BY_HAND in renewed
    assert "    Layers: [!Ref Layer]  # mine\n" in renewed
    assert "ShopOrdersFunction" in renewed
    assert renewed_template(renewed, stack("plain"), "t") == text


def test_a_parameter_written_by_hand_is_not_generated() -> None:
    """Whoever wants another default or description writes the parameter, and has it once."""
    own = "Parameters:\n  OrdersTableArn: {Type: String, Default: mine}\n  Stage: {Type: String, Default: prod}\n"
    text = renewed_template(rendered("shop").replace("Parameters:\n", own), stack("shop"), "t")
    parameters = load_template(text, "t")["Parameters"]
    assert parameters["OrdersTableArn"]["Default"] == "mine"
    assert parameters["Stage"]["Default"] == "prod"


def test_targets_are_read_back() -> None:
    """A template says itself what it was rendered for."""
    assert targets_in(rendered("both"), "t") == ["shops.pipeline:shop", "shops.pipeline:plain"]
    assert targets_in("Resources: {A: {Type: AWS::S3::Bucket}}", "t") == []


def test_the_difference_is_a_diff() -> None:
    """Of what is written to what would be rendered."""
    changed = rendered("plain").replace("Timeout: 900", "Timeout: 901")
    lines = difference(changed, rendered("plain"), "template.yaml")
    assert lines[:2] == ["--- template.yaml", "+++ template.yaml as rendered"]
    assert [line for line in lines[2:] if line[0] in "+-"] == ["-      Timeout: 901", "+      Timeout: 900"]
    assert difference(changed, changed, "t") == []


END = "  # --- solidstate: end of what is generated ---\n"
BEGIN = "  # --- solidstate: Outputs are generated, changes here are lost ---\n"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        (BEGIN, "", "The mark in line "),
        (f"\n{END}", "\n", "The mark in line "),
        (BEGIN, BEGIN.replace("Outputs", "Outputz"), "The mark in line "),
        (END, END + BEGIN + END, "Its marked parts are not complete: `Parameters`, "),
    ],
    ids=["begin", "end", "unknown", "twice"],
)
def test_marks_that_are_broken(old: str, new: str, problem: str) -> None:
    """Nothing is guessed, and nothing is lost: the file stays as it is."""
    assert old in rendered("plain")
    with pytest.raises(SolidstateError) as caught:
        renewed_template(rendered("plain").replace(old, new), stack("plain"), "t.yaml")
    assert caught.value.problem.startswith(problem)
    assert caught.value.problem.endswith("; what is generated in `t.yaml` cannot be told from what you wrote.")


def test_a_template_of_somebody_else() -> None:
    """It is not taken over."""
    with pytest.raises(SolidstateError) as caught:
        renewed_template("Resources:\n  A: {Type: AWS::S3::Bucket}\n", stack("plain"), "t.yaml")
    names = ", ".join(f"`{section}`" for section in SECTIONS)
    assert str(caught.value) == (
        f"Its marked parts are not complete: {names} are missing; what is generated in `t.yaml` cannot be told from "
        "what you wrote.\n"
        "  at: t.yaml\n"
        "  fix: restore the marks `# --- solidstate: ... ---`, or render a new file with `-o other.yaml` and move your "
        "additions there"
    )


def test_an_unclosed_part() -> None:
    """The rest of the file would be lost."""
    text = rendered("plain")
    cut = text[: text.rindex("  # --- solidstate: end")]
    with pytest.raises(SolidstateError, match="the part `Outputs` has no end"):
        renewed_template(cut, stack("plain"), "t")
