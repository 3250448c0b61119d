"""What is taken out of installed packages, and what is not."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.requirements import Requirement

from solidstate.infra.bundle_imports import Import
from solidstate.infra.bundle_packages import target_environment
from solidstate.infra.bundle_prune import (
    distributions_in,
    keep_reachable,
    keep_services,
    missing_and_surplus,
    prune,
    remove_stand_ins,
    uninstall,
)
from solidstate.infra.bundle_settings import Settings

ENVIRONMENT = target_environment(Settings("python3.12", "x86_64"))


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def names(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def distribution(root: Path, name: str, *requires: str, version: str = "1.0", files: tuple[str, ...] = ()) -> None:
    lines = [f"Name: {name}", f"Version: {version}", *(f"Requires-Dist: {one}" for one in requires)]
    information = f"{name}-{version}.dist-info"
    record = "".join(f"{file},,\n" for file in (*files, f"{information}/METADATA", f"{information}/RECORD"))
    tree(
        root, {f"{information}/METADATA": "\n".join(lines), f"{information}/RECORD": record, **dict.fromkeys(files, "")}
    )


def test_only_what_is_read_at_run_time_stays(tmp_path: Path) -> None:
    """Scripts, tests, type stubs, sources of extensions and the installer's notes go."""
    root = tree(
        tmp_path,
        dict.fromkeys(
            [
                "bin/tool",
                "a/__init__.py",
                "a/fast.so",
                "a/fast.pyx",
                "a/__init__.pyi",
                "a/data.json",
                "a/tests/__init__.py",
                "a/tests/test_a.py",
                "a/testing.py",
                "a/__pycache__/__init__.cpython-312.pyc",
                "tests/test_top.py",
                "a-1.0.dist-info/METADATA",
                "a-1.0.dist-info/entry_points.txt",
                "a-1.0.dist-info/RECORD",
                "a-1.0.dist-info/licenses/LICENSE",
            ],
            "",
        ),
    )
    prune(root)
    assert names(root) == [
        "a-1.0.dist-info/METADATA",
        "a-1.0.dist-info/entry_points.txt",
        "a/__init__.py",
        "a/data.json",
        "a/fast.so",
        "a/testing.py",
    ]


def test_tests_that_their_package_imports_stay(tmp_path: Path) -> None:
    """Some packages keep there what they need themselves."""
    root = tree(
        tmp_path,
        {
            "a/__init__.py": "from a.tests import tools\n",
            "a/tests/tools.py": "",
            "b/__init__.py": "from .tests import tools\n",
            "b/tests/tools.py": "",
            "c/__init__.py": "from . import tests\n",
            "c/tests/tools.py": "",
            "d/__init__.py": "# from . import tests\n",
            "d/tests/tools.py": "",
        },
    )
    prune(root)
    assert [name for name in names(root) if "tests" in name] == [
        "a/tests/tools.py",
        "b/tests/tools.py",
        "c/tests/tools.py",
    ]


def test_requirements_are_followed_as_they_hold_in_the_function(tmp_path: Path) -> None:
    """Through extras and markers; a stand-in has none."""
    distribution(tmp_path, "a", "b[fast]>=1", "old; python_version < '3.11'", "new; python_version >= '3.12'")
    distribution(tmp_path, "b", "c; extra == 'fast'", "d; extra == 'slow'")
    distribution(tmp_path, "c", "big")
    distribution(tmp_path, "big", version="1.0+elsewhere")
    distribution(tmp_path, "old")
    installed = distributions_in(tmp_path)
    missing, surplus = missing_and_surplus(installed, [Requirement("A")], ENVIRONMENT)
    assert ([one.name for one in missing], surplus) == (["new"], {"old"})


def test_a_distribution_is_removed_but_not_its_neighbours(tmp_path: Path) -> None:
    """Two may share a folder."""
    distribution(tmp_path, "a", files=("shared/a.py", "a/x/y.py", "../outside"))
    distribution(tmp_path, "b", files=("shared/b.py",))
    outside = tmp_path.parent / "outside"
    uninstall(tmp_path, distributions_in(tmp_path)["a"])
    assert names(tmp_path) == ["b-1.0.dist-info/METADATA", "b-1.0.dist-info/RECORD", "shared/b.py"]
    assert not (tmp_path / "a").exists()
    assert outside.exists()


def test_stand_ins_leave_nothing(tmp_path: Path) -> None:
    """They were there for the installer alone."""
    distribution(tmp_path, "a")
    distribution(tmp_path, "b", version="2.0+elsewhere")
    remove_stand_ins(tmp_path)
    assert list(distributions_in(tmp_path)) == ["a"]


def test_a_package_keeps_what_it_says_of_itself_and_not_its_readme(tmp_path: Path) -> None:
    """Versions and entry points are read at run time; the description below them never."""
    distribution(tmp_path, "a", "b>=1")
    metadata = tmp_path / "a-1.0.dist-info" / "METADATA"
    metadata.write_bytes(metadata.read_bytes() + b"\n\n# A\n\nA long story.\n")
    prune(tmp_path)
    assert metadata.read_bytes() == b"Name: a\nVersion: 1.0\nRequires-Dist: b>=1\n"
    assert distributions_in(tmp_path)["a"].requires == ["b>=1"]


def test_services_are_kept_that_somebody_uses(tmp_path: Path) -> None:
    """Named anywhere in the code, made a client of by a package, or asked for; S3 and credentials always."""
    services = ("s3", "sts", "sqs", "sns", "ssm", "events", "config", "ec2", "glue", "athena")
    root = tree(
        tmp_path,
        {
            **{f"botocore/data/{name}/service-2.json": "" for name in services},
            "botocore/data/endpoints.json": "",
            "botocore/session.py": "create_client('ec2')",
            "flow.py": 'QUEUE = "sqs"\n',
            "sending.py": "import boto3\n",
            "powertools/a.py": "session.client(service_name='ssm')\nKIND = 'events'",
            "other/b.py": 'boto3.resource( "sns")',
        },
    )
    assert keep_services(root, ["flow.py", "sending.py", "rows.csv"], ["glue"]) == [
        "glue",
        "s3",
        "sns",
        "sqs",
        "ssm",
        "sts",
    ]
    assert {path.name for path in (root / "botocore" / "data").iterdir()} == {
        "endpoints.json",
        *("glue", "s3", "sns", "sqs", "ssm", "sts"),
    }


def test_a_word_is_no_service_where_nobody_speaks_to_aws(tmp_path: Path) -> None:
    """A key `config` or `events` in code without a client says nothing; what steps themselves ask for is kept."""
    services = ("s3", "config", "events", "ssm", "stepfunctions", "secretsmanager", "sts")
    code = {"flow.py": '@resource()\ndef db(): return {"config": 1, "events": 2}\n'}
    root = tree(tmp_path, {**{f"botocore/data/{name}/service-2.json": "" for name in services}, **code})
    assert keep_services(root, code, []) == ["s3", "secretsmanager", "ssm", "stepfunctions", "sts"]


def test_a_bundle_without_botocore_has_no_services(tmp_path: Path) -> None:
    """The runtime's own are all there."""
    assert keep_services(tmp_path, [], []) == []


@pytest.mark.parametrize("late", [True, False])
def test_modules_of_a_package_that_nobody_imports_go(tmp_path: Path, late: bool) -> None:
    """What is imported stays, with what that imports in turn and the packages around it."""
    root = tree(
        tmp_path,
        {
            "p/rare.py": "",
            "p/__init__.py": "from p.log import Logger\n",
            "p/log/__init__.py": "",
            "p/log/format.py": "",
            "p/late.py": "def f():\n    import p.rare\n",
            "p/big/__init__.py": "",
            "p/big/table.json": "",
            "p/big/all.py": "",
            "p/tables/all.json": "",
        },
    )
    imports = [Import("p", "Logger", 1, needed=True), Import("p.late", "x", 1, needed=False)]
    keep_reachable(root, "p", [*imports, Import("q", "", 1, needed=True)], late=late)
    rare = ["p/rare.py"] if late else []
    assert names(root) == ["p/__init__.py", "p/late.py", "p/log/__init__.py", *rare, "p/tables/all.json"]
