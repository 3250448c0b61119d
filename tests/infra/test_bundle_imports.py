"""Imports as a file states them: which, where, and whether the file can do without."""

from __future__ import annotations

import textwrap

import pytest

from solidstate.infra.bundle_imports import Import, imports_of


def found(source: str, module: str = "shop.orders", *, package: bool = False) -> list[tuple[str, str, bool]]:
    """(module, name, needed) of each import."""
    read = imports_of(textwrap.dedent(source), module, package=package)
    return [(one.module, one.name, one.needed) for one in read]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import os, a.b as c", [("os", "", True), ("a.b", "", True)]),
        ("from a.b import c, d as e", [("a.b", "c", True), ("a.b", "d", True)]),
        ("from a import *", [("a", "*", True)]),
        ("from . import x", [("shop", "x", True)]),
        ("from .tools import x", [("shop.tools", "x", True)]),
        ("from .. import x", []),
        ("def f():\n    import a", [("a", "", False)]),
        ("class C:\n    import a", [("a", "", True)]),
        ("class C:\n    def f(self):\n        import a", [("a", "", False)]),
        ("async def f():\n    async with x:\n        import a", [("a", "", False)]),
        ("if sys.platform:\n    import a\nelse:\n    import b", [("a", "", True), ("b", "", True)]),
        ("for x in y:\n    with z:\n        import a", [("a", "", True)]),
        ("match x:\n    case 1:\n        import a", [("a", "", True)]),
        ("try:\n    import a\nfinally:\n    pass", [("a", "", True)]),
        ("try:\n    import a\nexcept KeyError:\n    import b", [("a", "", True), ("b", "", True)]),
        ("try:\n    import a\nexcept ImportError:\n    import b", [("a", "", False), ("b", "", False)]),
        ("try:\n    import a\nexcept (KeyError, ModuleNotFoundError):\n    b = 0", [("a", "", False)]),
        ("try:\n    import a\nexcept:\n    pass\nelse:\n    import c", [("a", "", False), ("c", "", True)]),
        ("if TYPE_CHECKING:\n    import a\nelse:\n    import b", [("b", "", True)]),
        ("if typing.TYPE_CHECKING:\n    import a", []),
        ('if __name__ == "__main__":\n    import a', [("a", "", False)]),
        ('x = import_module("a.b")', [("a.b", "", True)]),
        ('def f():\n    return importlib.import_module("a")', [("a", "", False)]),
        ('import_module(name)\n__import__("a")\nimport_module(".b", "a")', [("a", "", True)]),
    ],
)
def test_imports_are_found_where_they_stand(source: str, expected: list[tuple[str, str, bool]]) -> None:
    """Each form, and whether a file that lacks the module can still be imported."""
    assert found(source) == expected


def test_a_package_is_the_parent_of_its_own_relative_imports() -> None:
    """In an ``__init__.py`` one dot means the package itself."""
    assert found("from . import x\nfrom .. import y", "shop.parts", package=True) == [
        ("shop.parts", "x", True),
        ("shop", "y", True),
    ]


def test_an_import_knows_its_line_and_top() -> None:
    """For messages."""
    assert imports_of("\n\nimport a.b", "m", package=False) == [Import("a.b", "", 3, needed=True)]
    assert imports_of("import a.b", "m", package=False)[0].top == "a"


@pytest.mark.parametrize("source", ["def", "x = \0"])
def test_what_is_no_python_is_said_to_be(source: str) -> None:
    """The caller knows the file, and puts it into words."""
    with pytest.raises((SyntaxError, ValueError)):
        imports_of(source, "m", package=False)
