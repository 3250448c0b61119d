"""Which files of a user's are shipped, and what is refused."""

from __future__ import annotations

import textwrap
from pathlib import Path
from types import ModuleType

import pytest

from solidstate.errors import Errors, SolidstateError
from solidstate.infra.bundle_code import UserCode, matches, root_of, user_code


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(textwrap.dedent(text))
    return root


def shipped(root: Path, *modules: str, include: tuple[str, ...] = (), exclude: tuple[str, ...] = ()) -> list[str]:
    return list(user_code(root, list(modules), include, exclude).files)


PROJECT = {
    "shop/__init__.py": "",
    "shop/pipeline.py": "from shop import orders\nimport tools.text\n",
    "shop/orders.py": "def f():\n    import rates\n",
    "shop/query.sql": "select 1",
    "shop/parts/__init__.py": "",
    "shop/tests/test_orders.py": "import pytest",
    "shop/conftest.py": "",
    "shop/test_quick.py": "",
    "shop/.env": "secret",
    "shop/__pycache__/orders.cpython-311.pyc": "",
    "shop/build/left_over.py": "",
    "shop/dist/__init__.py": "",
    "shop/venv/pyvenv.cfg": "",
    "shop/venv/lib.py": "",
    "tools/text.py": "",
    "rates.py": "",
    "unused.py": "",
    "notebooks/look.py": "",
    "tests/test_all.py": "",
}


def test_the_package_of_the_pipeline_and_what_it_imports(tmp_path: Path) -> None:
    """Whole, data files included; what stands beside it only when it is imported, wherever the import stands."""
    assert shipped(tree(tmp_path, PROJECT), "shop.pipeline") == [
        "rates.py",
        "shop/__init__.py",
        "shop/dist/__init__.py",
        "shop/orders.py",
        "shop/parts/__init__.py",
        "shop/pipeline.py",
        "shop/query.sql",
        "tools/text.py",
    ]


def test_a_lone_module_ships_alone(tmp_path: Path) -> None:
    """What lies beside a file is nobody's business."""
    root = tree(tmp_path, {"flow.py": "import os, json, msgspec, helper", "helper.py": "", "other.py": "", "d.csv": ""})
    assert shipped(root, "flow") == ["flow.py", "helper.py"]


def test_files_can_be_added_and_taken_away(tmp_path: Path) -> None:
    """What an added file imports comes along."""
    root = tree(tmp_path, PROJECT | {"plugins/one.py": "import unused", "data/a.csv": "", "data/b.txt": ""})
    assert shipped(root, "rates", include=("plugins/", "data/*.csv")) == [
        "data/a.csv",
        "plugins/one.py",
        "rates.py",
        "unused.py",
    ]
    assert shipped(root, "shop.pipeline", exclude=("shop/parts/", "*.sql", "dist/", "tools/")) == [
        "rates.py",
        "shop/__init__.py",
        "shop/orders.py",
        "shop/pipeline.py",
    ]


@pytest.mark.parametrize(
    ("name", "pattern", "folder", "meant"),
    [
        ("a/b.py", "b.py", False, True),
        ("a/b.py", "*.py", False, True),
        ("a/b.py", "a", False, False),
        ("a/b.py", "a/*.py", False, True),
        ("a/b.py", "/b.py", False, False),
        ("b.py", "/b.py", False, True),
        ("x/a/b.py", "a/*.py", False, False),
        ("a", "a/", True, True),
        ("a", "a/", False, False),
        ("x/a", "a", True, True),
    ],
)
def test_patterns(name: str, pattern: str, folder: bool, meant: bool) -> None:
    """A slash inside means a path from the root, one at the end a folder; else a name at any depth."""
    assert matches(name, pattern, folder=folder) is meant


def test_links_inside_the_project_are_followed(tmp_path: Path) -> None:
    """As far as they lead somewhere new; a loop ends."""
    root = tree(tmp_path, {"shop/__init__.py": "", "shop/a.py": "", ".git/config": "", "common/c.py": ""})
    (root / "shop" / "common").symlink_to(root / "common")
    (root / "shop" / "again").symlink_to(root / "shop")
    assert shipped(root, "shop") == ["shop/__init__.py", "shop/a.py", "shop/common/c.py"]


def test_all_that_cannot_be_shipped_is_told_at_once(tmp_path: Path) -> None:
    """A link out of the project, a file that is gone, a file that is no Python, a pattern that matches nothing."""
    (tmp_path / "private").write_text("key")
    root = tree(tmp_path / "project", {"shop/__init__.py": "", "shop/bad.py": "def\n"})
    (root / "shop" / "out.txt").symlink_to(tmp_path / "private")
    (root / "shop" / "gone.txt").symlink_to(root / "nowhere")
    with pytest.raises(Errors) as caught:
        user_code(root, ["shop"], include=("sql/",))
    assert str(caught.value).replace(str(root), "ROOT") == textwrap.dedent(
        """\
        the code cannot be put into a bundle: 4 errors
          1. Nothing matches `sql/`, which is to be included.
            at: ROOT
            fix: write it relative to the folder that holds the code, as in `sql/` or `data/*.csv`
          2. `shop/bad.py` is no Python, line 1: invalid syntax.
            at: ROOT/shop/bad.py
            fix: correct it, or exclude it: `--exclude shop/bad.py`
          3. `shop/gone.txt` cannot be read: No such file or directory.
            at: ROOT/shop/gone.txt
            fix: make it readable, or exclude it: `--exclude shop/gone.txt`
          4. `shop/out.txt` leads out of the project through a link.
            at: ROOT/shop/out.txt
            fix: copy what is there, or exclude it"""
    )


def test_a_name_that_a_bundle_needs_is_refused(tmp_path: Path) -> None:
    """Plans have a folder of their own in it."""
    with pytest.raises(Errors, match="The name `plans` is taken: a bundle has something of its own there"):
        user_code(tree(tmp_path, {"plans/__init__.py": ""}), ["plans"])


def module(name: str, file: Path) -> ModuleType:
    made = ModuleType(name)
    made.__file__ = str(file)
    return made


def test_the_root_is_where_imports_begin(tmp_path: Path) -> None:
    """For modules, modules in packages, and packages."""
    assert root_of(module("flow", tmp_path / "flow.py")) == tmp_path
    assert root_of(module("a.b.flow", tmp_path / "a" / "b" / "flow.py")) == tmp_path
    assert root_of(module("a.b", tmp_path / "a" / "b" / "__init__.py")) == tmp_path


def test_a_file_that_no_import_finds_is_refused(tmp_path: Path) -> None:
    """The function imports by name."""
    with pytest.raises(SolidstateError) as caught:
        root_of(module("_solidstate_my-flow_123", tmp_path / "my-flow.py"))
    assert str(caught.value).replace(str(tmp_path), "ROOT") == (
        "`my-flow.py` cannot be imported by name, which is how the Lambda function finds it.\n  at: ROOT/my-flow.py\n"
        "  fix: give the file a name that can be imported and no installed package has, such as `my_pipeline.py`"
    )


def test_imports_are_kept_by_file(tmp_path: Path) -> None:
    """For the check that comes when the bundle is full."""
    code: UserCode = user_code(tree(tmp_path, {"flow.py": "import a\n"}), ["flow"])
    assert {file: [one.module for one in found] for file, found in code.imports.items()} == {"flow.py": ["a"]}
