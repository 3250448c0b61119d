"""``solidstate template`` renders, keeps what is written by hand, and tells when the file is out of step or unsafe."""

from __future__ import annotations

from pathlib import Path

from tests.cli.project import Project

MORE = """
from solidstate import Permission, solid

@solid(permissions=[Permission("sns:Publish", "arn:aws:sns:${AWS::Region}:${AWS::AccountId}:alarms")])
def alarm() -> int:
    return 1
"""
SHOP = """
from solidstate import pipeline, solid

@solid
def count() -> int:
    return 1

@pipeline
def shop():
    count()
"""


def test_a_new_template(project: Project) -> None:
    """Written to template.yaml, for the runtime that is asked for."""
    project.write("shop.py", SHOP)
    ran = project.run("template", "shop.py", "--runtime", "python3.13", "--arch", "arm64")
    assert (ran.code, ran.out, ran.err) == (0, "", "wrote template.yaml\n")
    text = (project.root / "template.yaml").read_text()
    assert "    Runtime: python3.13\n    Architectures: [arm64]\n" in text
    assert "SOLIDSTATE_PIPELINES: shop:shop\n" in text


def test_the_template_knows_its_targets(project: Project) -> None:
    """Once it is there, no TARGET is needed; nothing changes when nothing has changed."""
    project.write("shop.py", SHOP)
    project.run("template", "shop.py")
    before = (project.root / "template.yaml").read_text()
    assert project.run("template").err == "unchanged: template.yaml\n"
    assert (project.root / "template.yaml").read_text() == before
    assert project.run("template", "--check").out == "ok  template.yaml\n"


def test_an_unrendered_change_fails_the_check(project: Project) -> None:
    """Of the definitions, with a diff to read; the file is left as it was."""
    project.write("shop.py", SHOP)
    project.run("template", "shop.py")
    before = (project.root / "template.yaml").read_text()
    project.write(
        "shop.py", SHOP.replace("@solid\n", "from solidstate import Compute\n@solid(compute=Compute(memory_mb=512))\n")
    )
    ran = project.start("template", "--check")
    out, err = ran.communicate(timeout=60)
    assert ran.returncode == 1
    assert out == (
        "--- template.yaml\n"
        "+++ template.yaml as rendered\n"
        "@@ -52,5 +52,5 @@\n"
        "   MemorySize:\n"
        "     Type: Number\n"
        "-    Default: 1024\n"
        "+    Default: 512\n"
        "     MinValue: 128\n"
        "     MaxValue: 10240\n"
    )
    assert err == (
        "\ntemplate.yaml is not what the definitions say: 2 lines differ\n"
        "  fix: run `solidstate template` and commit what it changes\n"
    )
    assert (project.root / "template.yaml").read_text() == before


def test_a_change_by_hand_of_what_is_generated_fails_the_check(project: Project) -> None:
    """And is undone by rendering, while what stands outside is kept."""
    project.write("shop.py", SHOP)
    project.run("template", "shop.py")
    path = project.root / "template.yaml"
    right = path.read_text().replace("Resources:\n", "Resources:\n  Mine:\n    Type: AWS::SNS::Topic # mine\n\n")
    path.write_text(right.replace("Level: ERROR", "Level: OFF"))
    assert project.run("template", "--check").code == 1
    assert project.run("template").err == "changed template.yaml\n"
    assert path.read_text() == right
    assert project.run("template", "--check").code == 0


def test_a_hole_that_is_written_by_hand_fails_the_check(project: Project) -> None:
    """What is generated is right; what was added is not safe."""
    project.write("shop.py", SHOP)
    project.run("template", "shop.py")
    path = project.root / "template.yaml"
    path.write_text(path.read_text().replace("Resources:\n", "Resources:\n  Mine: {Type: AWS::Logs::LogGroup}\n\n"))
    ran = project.run("template", "--check")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "unsafe: `Mine` keeps logs for ever.\n  fix: set `RetentionInDays`\n"
    assert project.run("template", "--check", "--json").json() == {
        "template": "template.yaml",
        "ok": False,
        "difference": [],
        "findings": ["`Mine` keeps logs for ever.\n  fix: set `RetentionInDays`"],
    }
    rendered = project.run("template")
    assert (rendered.code, rendered.err) == (0, f"unchanged: template.yaml\n{ran.err}")


def test_to_standard_output(project: Project) -> None:
    """With `-o -`, and no file is touched."""
    project.write("shop.py", SHOP)
    ran = project.run("template", "shop.py", "-o", "-")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.startswith("# solidstate pipeline shop\n")
    assert not (project.root / "template.yaml").exists()


def test_as_json(project: Project) -> None:
    """What was done, for programs."""
    project.write("shop.py", SHOP)
    assert project.run("template", "shop.py", "--json").json() == {
        "template": "template.yaml",
        "changed": True,
        "findings": [],
    }
    assert project.run("template", "--json").json()["changed"] is False


def test_nothing_to_render(project: Project) -> None:
    """Without a target and without a template that has one."""
    ran = project.run("template")
    assert (ran.code, ran.err) == (
        2,
        "error: There is nothing to render: no TARGET was given, and `template.yaml` is not there.\n"
        "  fix: name what is to be deployed: `solidstate template package.module:pipeline`\n",
    )
    project.write("template.yaml", "Resources: {}\n")
    assert "`template.yaml` has no function of a pipeline." in project.run("template", "--check").err


def test_a_template_of_somebody_else_is_left_alone(project: Project) -> None:
    """Nothing is overwritten that was not generated."""
    project.write("shop.py", SHOP)
    project.write("template.yaml", "Resources: {}\n")
    ran = project.run("template", "shop.py")
    assert ran.code == 2
    assert "Its marked parts are not complete" in ran.err
    assert (project.root / "template.yaml").read_text() == "Resources: {}\n"


def test_a_place_that_cannot_be_written(project: Project) -> None:
    """In words, and nothing half-written."""
    project.write("shop.py", SHOP)
    ran = project.run("template", "shop.py", "-o", "no/such/template.yaml")
    assert (ran.code, ran.err) == (
        2,
        "error: `no/such/template.yaml` cannot be written: No such file or directory.\n"
        "  fix: name a file in a folder that exists and is yours\n",
    )
    assert sorted(path.name for path in Path(project.root).iterdir() if path.name != "__pycache__") == ["shop.py"]


def test_a_definition_that_is_wrong(project: Project) -> None:
    """A permission on everything is told before anything is rendered."""
    project.write("shop.py", MORE.replace("sns:Publish", "sns:*") + SHOP)
    ran = project.run("template", "shop.py")
    assert ran.code == 2
    assert "The action 'sns:*' stands for many" in ran.err
