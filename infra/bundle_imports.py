"""What a Python file imports, read from its syntax tree: nothing is run, and imports inside functions are seen too."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import msgspec

_EXPECTED_MISSING = {"ImportError", "ModuleNotFoundError", "Exception", "BaseException"}
_IMPORTERS = {"import_module", "__import__"}


class Import(msgspec.Struct, frozen=True):
    """One imported module by its absolute name. ``name`` is what ``from module import name`` asks for, else empty.

    ``needed`` says that the file cannot be imported without it. Imports in functions, under
    ``if __name__ == "__main__"`` and in a ``try`` that expects them to fail are not.
    """

    module: str
    name: str
    line: int
    needed: bool

    @property
    def top(self) -> str:
        return self.module.partition(".")[0]


def imports_of(source: bytes | str, module: str, *, package: bool) -> list[Import]:
    """The imports of a file that is the module ``module`` (a package's ``__init__.py`` when ``package``).

    What only type checkers read (``if TYPE_CHECKING``) is left out. Raises SyntaxError, ValueError for NUL bytes.
    """
    parent = module if package else module.rpartition(".")[0]
    return list(_found(ast.parse(source).body, parent, needed=True))


def _found(nodes: list[ast.stmt], parent: str, *, needed: bool) -> Iterator[Import]:
    for node in nodes:
        yield from _in_statement(node, parent, needed=needed)


def _in_statement(node: ast.stmt, parent: str, *, needed: bool) -> Iterator[Import]:
    match node:
        case ast.Import(names=names):
            for name in names:
                yield Import(name.name, "", node.lineno, needed)
        case ast.ImportFrom(names=names):
            base = _absolute(node, parent)
            for name in names if base else ():
                yield Import(base, name.name, node.lineno, needed)
        case ast.If(test=test) if _is_type_checking(test):
            yield from _found(node.orelse, parent, needed=needed)
        case ast.If(test=test) if _is_main(test):
            yield from _found(node.body, parent, needed=False)
            yield from _found(node.orelse, parent, needed=needed)
        case ast.Try() if any(_expects_missing(handler) for handler in node.handlers):
            yield from _found(node.body, parent, needed=False)
            for handler in node.handlers:
                yield from _found(handler.body, parent, needed=False)
            yield from _found([*node.orelse, *node.finalbody], parent, needed=needed)
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            yield from _dynamic([*node.decorator_list, node.args], needed=needed)
            yield from _found(node.body, parent, needed=False)
        case _:
            yield from _in_parts(node, parent, needed=needed)


def _in_parts(node: ast.AST, parent: str, *, needed: bool) -> Iterator[Import]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.stmt):
            yield from _in_statement(child, parent, needed=needed)
        elif isinstance(child, (ast.ExceptHandler, ast.match_case)):
            yield from _in_parts(child, parent, needed=needed)
        else:
            yield from _dynamic([child], needed=needed)


def _dynamic(nodes: list[ast.AST], *, needed: bool) -> Iterator[Import]:
    """``import_module("a.b")``: the name stands there, so it can be followed."""
    for node in (inner for outer in nodes for inner in ast.walk(outer)):
        if not (isinstance(node, ast.Call) and node.args):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        first = node.args[0]
        if called in _IMPORTERS and isinstance(first, ast.Constant) and isinstance(first.value, str):
            name = first.value
            if name and not name.startswith("."):
                yield Import(name, "", node.lineno, needed)


def _absolute(node: ast.ImportFrom, parent: str) -> str:
    if not node.level:
        return node.module or ""
    parts = parent.split(".") if parent else []
    if node.level > len(parts):
        return ""  # beyond the top: Python refuses it when it gets there
    base = parts[: len(parts) - node.level + 1]
    return ".".join([*base, node.module] if node.module else base)


def _is_type_checking(test: ast.expr) -> bool:
    return (isinstance(test, ast.Name) and test.id == "TYPE_CHECKING") or (
        isinstance(test, ast.Attribute) and test.attr == "TYPE_CHECKING"
    )


def _is_main(test: ast.expr) -> bool:
    return isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__"


def _expects_missing(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(getattr(kind, "id", getattr(kind, "attr", "")) in _EXPECTED_MISSING for kind in kinds)
