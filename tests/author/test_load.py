"""Targets: whatever a person points at, the pipeline is found or one readable error says why not."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from solidstate.errors import DefinitionError, TargetError
from solidstate.load import load_module, load_pipeline

BODY = """
from solidstate import pipeline, solid

@solid
def one() -> int:
    return {number}

@pipeline
def {name}():
    one()
"""


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A current directory of its own; modules and paths are as before afterwards."""
    before = set(sys.modules)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    for name in set(sys.modules) - before:
        del sys.modules[name]


def write(path: str, text: str = "", name: str = "p", number: int = 1) -> str:
    """A file with a pipeline, or with this text."""
    file = Path(path)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text or BODY.format(name=name, number=number))
    return path


def value_of(target: str) -> int:
    return load_pipeline(target).node("one").solid()  # type: ignore[no-any-return]  # a solid returns Any


def error_of(target: str, root: Path) -> str:
    with pytest.raises(TargetError) as caught:
        load_pipeline(target)
    return str(caught.value).replace(str(root), "ROOT")


def test_files_and_modules(folder: Path) -> None:
    """A path, relative or absolute, with and without a name, and a dotted module mean the same pipeline."""
    write("flows/__init__.py", "\n")
    write("flows/daily.py", name="daily")
    found = load_pipeline("flows/daily.py")
    for target in (
        "flows/daily.py:daily",
        f"{folder}/flows/daily.py",
        "flows.daily:daily",
        "./flows/../flows/daily.py",
    ):
        assert load_pipeline(target) is found
    assert load_module("flows/__init__.py").__name__ == "flows"


def test_a_file_in_a_package_may_import_its_neighbours() -> None:
    """A file is imported as the module it is, so that relative and absolute imports work."""
    write("deep/__init__.py", "\n")
    write("deep/inner/__init__.py", "\n")
    write("deep/inner/parts.py", number=7)
    write("deep/inner/flow.py", "from deep.inner.parts import p as first\nfrom .parts import p\nassert p is first\n")
    assert value_of("deep/inner/flow.py:p") == 7


@pytest.mark.parametrize("name", ["json", "test", "random", "daily-report", "my.flow", "__main__"])
def test_names_that_belong_to_others(name: str) -> None:
    """A file named like a standard module or with no identifier at all is loaded, and nobody else's is replaced."""
    taken = sys.modules.get(name)
    assert value_of(write(f"jobs/{name}.py", number=3)) == 3
    assert sys.modules.get(name) is taken


def test_two_files_of_one_name() -> None:
    """Each is itself, also when asked for again."""
    first, second = write("a/flow.py", number=1), write("b/flow.py", number=2)
    assert [value_of(target) for target in (first, second, first)] == [1, 2, 1]
    assert load_pipeline(second) is load_pipeline(second)


def test_one_pipeline_under_two_names_is_one() -> None:
    """An imported or renamed pipeline is no second choice."""
    write("flow.py", BODY.format(name="p", number=1) + "\nmain = p\n")
    assert load_pipeline("flow.py") is load_pipeline("flow.py:main")


def test_ctrl_c_stays_what_it_is() -> None:
    """An import may be long; stopping it is no error of the module's."""
    write("slow.py", "raise KeyboardInterrupt")
    with pytest.raises(KeyboardInterrupt):
        load_pipeline("slow.py")


def test_definition_errors_pass() -> None:
    """What solidstate says about a definition needs no words around it."""
    write("wrong.py", "from solidstate import pipeline\n@pipeline\ndef p(): pass\n")
    with pytest.raises(DefinitionError) as caught:
        load_pipeline("wrong.py")
    assert caught.value.problem == "Pipeline `p` has no solids."


FILES = {
    "one.py": BODY.format(name="daily", number=1),
    "two.py": BODY.format(name="daily", number=1) + BODY.format(name="weekly", number=1),
    "none.py": "x = 1\n",
    "syntax.py": "def p(:\n    pass\n",
    "raises.py": "def half(x):\n    return 1 / x\n\nhalf(0)\n",
    "deep.py": "import json\n\njson.loads('{')\n",
    "exits.py": "import sys\nsys.exit(3)\n",
    "needs.py": "import no_such_library\n",
    "body.py": "from solidstate import pipeline\n@pipeline\ndef p():\n    [][1]\n",
    "escape.py": "raise ValueError('\\x1b[31m\\u202e')\n",
    "json/__init__.py": "\n",
    "json/flow.py": BODY.format(name="p", number=1),
    "notes.txt": "hello\n",
}
ERRORS = {
    "one.py:dayly": "`one.py` has no pipeline `dayly`.\n  fix: did you mean `one.py:daily`?",
    "one.py:zzz": "`one.py` has no pipeline `zzz`.\n  fix: choose one: `one.py:daily`",
    "two.py": "`two.py` has 2 pipelines.\n  fix: choose one: `two.py:daily`, `two.py:weekly`",
    "none.py": "`none.py` has no pipeline.\n  fix: decorate a function with `@pipeline`",
    "onee.py": "There is no file `onee.py`.\n  fix: did you mean `one.py`?",
    "away/x.py": "There is no file `away/x.py`.\n  fix: check the path; it is relative to the current directory",
    "C:\\jobs\\flow.py": "There is no file `C:\\jobs\\flow.py`.\n"
    "  fix: check the path; it is relative to the current directory",
    "C:\\jobs\\flow.py:p": "There is no file `C:\\jobs\\flow.py`.\n"
    "  fix: check the path; it is relative to the current directory",
    "./json": "`./json` is a folder.\n  fix: name the file in it that defines the pipeline",
    "./notes.txt": "`./notes.txt` is not a Python file.\n  fix: pass a `.py` file",
    "json/flow.py": "`json/flow.py` is part of a package `json`, but that name already belongs to Python itself.\n"
    "  at: ROOT/json\n  fix: rename the folder `json`, or run where the other one is not installed",
    "missing.flow:p": "There is no module `missing`.\n  fix: run from the project's root, or pass the path of the file",
    "syntax.py": "`syntax.py` cannot be imported: SyntaxError: invalid syntax.\n  at: ROOT/syntax.py:1\n"
    "  fix: correct this line: `def p(:`",
    "raises.py:p": "`raises.py:p` cannot be imported: ZeroDivisionError: division by zero.\n  at: ROOT/raises.py:2\n"
    "  fix: correct this line: `return 1 / x`",
    "deep.py": "`deep.py` cannot be imported: JSONDecodeError: Expecting property name enclosed in double quotes: line "
    "1 column 2 (char 1).\n  at: ROOT/deep.py:3\n  fix: correct this line: `json.loads('{')`",
    "exits.py": "`exits.py` cannot be imported: it ends the program (`sys.exit(3)`).\n  at: ROOT/exits.py:2\n"
    '  fix: move what a script does below `if __name__ == "__main__":`',
    "needs.py": "`needs.py` cannot be imported: ModuleNotFoundError: No module named 'no_such_library'.\n"
    "  at: ROOT/needs.py:1\n  fix: install `no_such_library`, or correct the import",
    "escape.py": "`escape.py` cannot be imported: ValueError: \\x1b[31m\\u202e.\n  at: ROOT/escape.py:1\n"
    "  fix: correct this line: `raise ValueError('\\x1b[31m\\u202e')`",
    "x" * 5_000 + ".py": f"There is no file `{'x' * 197}...`: File name too long.\n"
    "  fix: check the path; it is relative to the current directory",
}
NOT_TARGETS = [
    "",
    ":",
    ":p",
    "one.py:",
    "one.py:a.b",
    "a..b",
    ".one",
    "a b",
    "a\0.py",
    "one\n.py",
    "\u202eyp.eno",
    "one:p q",
    "-",
]


@pytest.mark.parametrize("target", ERRORS, ids=lambda target: target[:20])
def test_error_texts(target: str, folder: Path) -> None:
    """Each wrong target has one text, which names what was expected and a way on."""
    for name, text in FILES.items():
        write(name, text)
    assert error_of(target, folder) == ERRORS[target]


@pytest.mark.parametrize("target", NOT_TARGETS)
def test_what_is_no_target(target: str, folder: Path) -> None:
    """Text that can be neither a module nor a path is quoted, made printable."""
    text = error_of(target, folder)
    assert text.endswith("` is not a target.\n  fix: write `package.module:pipeline` or `path/to/file.py:pipeline`")
    assert text.splitlines()[0].isprintable()


def test_an_exception_in_a_body_is_a_definition_error(folder: Path) -> None:
    """The line is the body's own."""
    write("body.py", FILES["body.py"])
    with pytest.raises(DefinitionError) as caught:
        load_pipeline("body.py")
    assert str(caught.value).replace(str(folder), "ROOT") == (
        "The body of pipeline `p` raised IndexError: list index out of range.\n  at: ROOT/body.py:4\n"
        "  fix: a pipeline's body only connects solids; compute inside of a solid"
    )


def test_a_loop_of_links(folder: Path) -> None:
    """A path that leads nowhere is no file."""
    Path("loop.py").symlink_to("loop.py")
    assert error_of("loop.py", folder).startswith("There is no file `loop.py`")
