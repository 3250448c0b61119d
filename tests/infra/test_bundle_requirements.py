"""Where the packages of a project are written down, and what of it can be put into a bundle."""

from __future__ import annotations

from pathlib import Path

import pytest

from solidstate.errors import Errors, SolidstateError
from solidstate.infra.bundle_requirements import Requirements, find_requirements


def in_file(tmp_path: Path, text: str, name: str = "requirements.txt") -> Requirements:
    (tmp_path / name).write_text(text)
    return find_requirements(tmp_path, tmp_path, tmp_path / name)


def lines(found: Requirements) -> list[str]:
    return [one.line for one in found.wanted]


def test_a_file_of_requirements_is_read_as_pip_reads_it(tmp_path: Path) -> None:
    """Comments, continued lines, hashes, markers, files inside files, options."""
    (tmp_path / "more.txt").write_text("six\n-r requirements.txt\n")
    (tmp_path / "limits.txt").touch()
    (tmp_path / "wheels").mkdir()
    found = in_file(
        tmp_path,
        "# what we need\n"
        "Py_YAML>=6   # for config\n"
        "msgspec==0.20 \\\n"
        "    --hash=sha256:aa \\\n"
        "    --hash=sha256:bb\n"
        "tomli ; python_version < '3.11'\n"
        "\n"
        "-r more.txt\n"
        "-c limits.txt\n"
        "--find" + "-links wheels\n"
        "--pre\n"
        "--only-binary :all:\n"
        "-e .\n"
        ".[extra]\n"
        "wheels/own-1.0-py3-none-any.whl\n",
    )
    assert [(one.name, one.line) for one in found.wanted] == [
        ("py-yaml", "Py_YAML>=6"),
        ("msgspec", "msgspec==0.20 --hash=sha256:aa --hash=sha256:bb"),
        ("tomli", "tomli ; python_version < '3.11'"),
        ("six", "six"),
        ("own", f"own @ {(tmp_path / 'wheels/own-1.0-py3-none-any.whl').as_uri()}"),
    ]
    assert found.options == (f"-c {tmp_path / 'limits.txt'}", "--find" + f"-links {tmp_path / 'wheels'}", "--pre")
    assert found.source == "requirements.txt"
    assert str(found.wanted[1].parsed()) == "msgspec==0.20"


def test_all_lines_that_cannot_be_shipped_are_told(tmp_path: Path) -> None:
    """With their numbers, those of other files too."""
    with pytest.raises(Errors) as caught:
        in_file(tmp_path, "good\n-e ../other\n-r missing.txt\n./folder\nnot a requirement\nx.whl\n")
    assert str(caught.value).replace(str(tmp_path), "ROOT") == (
        "the requirements cannot be put into a bundle: 5 errors\n"
        "  1. `../other` is no requirement that can be put into a bundle.\n"
        "    at: ROOT/requirements.txt:2\n"
        "    fix: expected `NAME==VERSION`, `NAME @ URL` or the path of a wheel\n"
        "  2. `missing.txt` cannot be read: [Errno 2] No such file or directory: 'ROOT/missing.txt'.\n"
        "    at: ROOT/missing.txt\n"
        "  3. `./folder` is no requirement that can be put into a bundle.\n"
        "    at: ROOT/requirements.txt:4\n"
        "    fix: expected `NAME==VERSION`, `NAME @ URL` or the path of a wheel\n"
        "  4. `not a requirement` is no requirement that can be put into a bundle.\n"
        "    at: ROOT/requirements.txt:5\n"
        "    fix: expected `NAME==VERSION`, `NAME @ URL` or the path of a wheel\n"
        "  5. `x.whl` is no requirement that can be put into a bundle.\n"
        "    at: ROOT/requirements.txt:6\n"
        "    fix: expected `NAME==VERSION`, `NAME @ URL` or the path of a wheel"
    )


def test_the_nearest_place_counts(tmp_path: Path) -> None:
    """The file chosen, then one beside the code or above it, then the project's dependencies, then none."""
    code = tmp_path / "src" / "shop"
    code.mkdir(parents=True)
    assert find_requirements(code, tmp_path, None) == Requirements()
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\ndependencies = ['six>=1', 'attrs']\n")
    found = find_requirements(code, tmp_path, None)
    assert (found.source, lines(found)) == ("pyproject.toml", ["six>=1", "attrs"])
    (tmp_path / "requirements.txt").write_text("idna\n")
    assert lines(find_requirements(code, tmp_path, None)) == ["idna"]
    (code / "requirements.txt").write_text("yarl\n")
    assert lines(find_requirements(code, tmp_path, None)) == ["yarl"]
    (tmp_path / "lock.txt").write_text("wrapt\n")
    assert lines(find_requirements(code, tmp_path, tmp_path / "lock.txt")) == ["wrapt"]


def test_solidstate_itself_is_no_project_of_a_user(tmp_path: Path) -> None:
    """In a checkout of it the examples lie below its own pyproject.toml."""
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'solidstate'\ndependencies = ['boto3']\n")
    assert find_requirements(tmp_path, tmp_path, None) == Requirements()


def test_dependencies_that_are_made_cannot_be_read(tmp_path: Path) -> None:
    """They are known to the build system alone."""
    path = tmp_path / "pyproject.toml"
    path.write_text("[project]\nname = 'x'\ndynamic = ['dependencies']\n")
    with pytest.raises(SolidstateError) as caught:
        find_requirements(tmp_path, tmp_path, None)
    assert str(caught.value) == (
        "The dependencies in `pyproject.toml` are made by its build system, which is not asked here.\n"
        f"  at: {path}\n  fix: write them to `requirements.txt` beside it"
    )


def test_a_chosen_file_must_exist(tmp_path: Path) -> None:
    """Nothing else is taken instead."""
    with pytest.raises(SolidstateError) as caught:
        find_requirements(tmp_path, tmp_path, Path("none.txt"))
    assert str(caught.value) == (
        "There is no file of requirements `none.txt`.\n  fix: name another one with `--requirements FILE`"
    )
