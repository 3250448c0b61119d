"""``solidstate run --enforce-iam``: what is denied is told with the line to add, and that line is enough."""

from __future__ import annotations

import pytest

from tests.cli.project import Project

PUBLISHING = """
    from solidstate import Permission, pipeline, solid


    @solid(<<declared>>)
    def publish(context) -> str:
        context.fs.pipe_file("solidstate-local/reports/1", b"all is well")
        return "published"


    @pipeline
    def reports():
        publish()
"""
DENIED = """
denied  publish: s3:PutObject on arn:aws:s3:::solidstate-local/reports/1 is not declared
  add: permissions=[Permission("s3:PutObject", "arn:aws:s3:::${DataBucket}/reports/1")]
"""

OPTIONS = ("--engine", "moto", "--enforce-iam")
DECLARED = 'permissions=[Permission("s3:PutObject", "arn:aws:s3:::${DataBucket}/reports/1")]'


@pytest.mark.slow
def test_what_is_denied_is_told_with_the_line_to_add(project: Project) -> None:
    """The step fails as on AWS; below the summary stands what would allow it, and with that the run succeeds."""
    project.write("hopeful.py", PUBLISHING.replace("<<declared>>", ""))
    project.write("declared.py", PUBLISHING.replace("<<declared>>", DECLARED))
    ran = project.run("run", "hopeful.py", *OPTIONS)
    assert ran.code == 1
    assert ran.err.endswith(DENIED)
    assert "PermissionError" in ran.out
    again = project.run("run", "declared.py", *OPTIONS)
    assert (again.code, "denied" in again.err) == (0, False)


def test_without_an_aws_there_is_nothing_to_enforce(project: Project) -> None:
    """The engine `inline` asks nobody; that is said before anything runs."""
    project.write("reports.py", PUBLISHING.replace("<<declared>>", ""))
    ran = project.run("run", "reports.py", "--engine", "inline", "--enforce-iam")
    assert ran.code == 2
    assert ran.err == (
        "error: `--enforce-iam` needs an AWS whose requests it can judge, and the engine `inline` has none.\n"
        "  fix: leave `--engine` out\n"
    )
