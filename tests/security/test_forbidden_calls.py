"""What runs text or bytes as code stands in few places of the product, each of them named here with its reason."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

from tests.test_repository import SOURCE, modules, shown

FORBIDDEN_MODULES = {"pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "jsonpickle"}
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__", "exec_module", "unpackb", "extractall", "system", "popen"}
ALLOWED = {
    ("storage/codecs.py", "pickle"): "asked for by a type, refused by codec_named otherwise",
    ("solidstate/load.py", "exec_module"): "the module that the TARGET of a command names",
    ("infra/new_project.py", "exec_module"): "the module that the command has just written",
}
SAFE_LOADERS = {"_PlainLoader", "_Loader"}


def found_in(tree: ast.Module) -> Iterator[str]:
    """Names of forbidden modules that are imported, and of forbidden functions that are called."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names if _bad(alias.name))
        elif isinstance(node, ast.ImportFrom) and _bad(node.module or ""):
            yield (node.module or "").partition(".")[0]
        elif isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            own = isinstance(node.func, ast.Name) or name in {"exec_module", "extractall", "system", "popen", "unpackb"}
            if own and name in FORBIDDEN_CALLS:
                yield name
            if any(keyword.arg == "shell" and not _false(keyword.value) for keyword in node.keywords):
                yield "shell"
            if any(keyword.arg == "allow_pickle" and name in {"load", "save"} for keyword in node.keywords):
                yield "allow_pickle"


def _bad(module: str) -> bool:
    return module.partition(".")[0] in FORBIDDEN_MODULES


def _false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


@functools.cache
def trees() -> list[tuple[Path, ast.Module]]:
    return [(path, ast.parse(path.read_text())) for path in modules(*SOURCE)]


def test_nothing_is_run_that_was_read() -> None:
    """No pickle, marshal, shelve, eval or exec, no shell, no archive unpacked, but where it is said why."""
    found = {(shown(path), name) for path, tree in trees() for name in found_in(tree)}
    assert found == set(ALLOWED)


def test_yaml_is_read_by_safe_loaders() -> None:
    """Every ``yaml.load`` names a loader, and every loader of ours is a SafeLoader."""
    named, bases = list[str](), dict[str, list[str]]()
    for _, tree in trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.ClassDef) and node.name in SAFE_LOADERS:
                bases[node.name] = [ast.unparse(base) for base in node.bases]
            if not (isinstance(node, ast.Call) and ast.unparse(node.func) in {"yaml.load", "yaml.compose"}):
                continue
            loaders = [*node.args[1:], *(keyword.value for keyword in node.keywords if keyword.arg == "Loader")]
            named += [ast.unparse(one) for one in loaders] or ["none"]
    assert set(named) == SAFE_LOADERS
    assert set(map(tuple, bases.values())) == {("yaml.SafeLoader",)}


def test_the_search_can_find() -> None:
    """Each way of writing it is found."""
    lines = [
        "import pickle",
        "from pickle import loads",
        "import marshal as m",
        "eval('1')",
        "spec.loader.exec_module(m)",
        "archive.extractall()",
        "run('ls', shell=True)",
        "np.load(f, allow_pickle=True)",
    ]
    assert [next(found_in(ast.parse(line)), "") for line in lines] == [
        *("pickle", "pickle", "marshal", "eval", "exec_module", "extractall", "shell", "allow_pickle"),
    ]


def test_keys_are_spelled_in_one_place() -> None:
    """No module but ``storage/keys.py`` holds the text of a key, or of the beginning of one."""
    found = [
        f"{shown(path)}:{node.lineno}"
        for path, tree in trees()
        if shown(path) != "storage/keys.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and _is_key(node.value)
    ]
    assert found == []


def _is_key(text: str) -> bool:
    return text.startswith("v1/") or text.strip("/") == "v1" or "/v1/" in text


def test_keys_of_the_store_come_from_there() -> None:
    """What is handed to a store is never put together on the spot."""
    verbs = {"get", "get_part", "put", "exists", "list", "delete", "writer", "put_joined"}
    found = [
        f"{shown(path)}:{node.lineno}"
        for path, tree in trees()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in verbs
        and ast.unparse(node.func.value).endswith("store")
        and node.args
        and isinstance(node.args[0], (ast.JoinedStr, ast.BinOp))
    ]
    assert found == []
