"""A build says which imports would find nothing in the bundle."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from solidstate.errors import Errors
from solidstate.infra.bundle_check import check_imports, layer_modules
from solidstate.infra.bundle_code import user_code


def bundle(tmp_path: Path, source: str, *more: str) -> tuple[Path, Path]:
    """(project, bundle) with a module ``flow`` and, in the bundle, the files ``more``."""
    project, folder = tmp_path / "project", tmp_path / "bundle"
    for root in (project, folder):
        root.mkdir()
        (root / "flow.py").write_text(textwrap.dedent(source))
    for name in more:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return project, folder


def checked(project: Path, folder: Path, *layer: str) -> list[str]:
    return check_imports(folder, user_code(project, ["flow"]), layer)


def test_everything_found_leaves_nothing_to_say(tmp_path: Path) -> None:
    """In the bundle as module, package or extension; in Python, the runtime, a layer; in solidstate."""
    source = """
        import json, a, b.c, d, e, boto3, dateutil.parser, pandas, numpy
        from b import c, name
        from solidstate import solid, frame_type
        from solidstate.errors import SolidstateError
        import solidstate.handler.context
    """
    places = bundle(
        tmp_path, source, "a.py", "b/__init__.py", "b/c.py", "d.cpython-312-x86_64-linux-gnu.so", "e/f/g.py"
    )
    assert checked(*places, "pandas") == []


def test_all_imports_that_find_nothing_are_told(tmp_path: Path) -> None:
    """With file and line, and what to do for each kind."""
    source = """\
        import requests
        from solidstate import execute_pipeline
        import solidstate.infra.home
        import b.gone
        """
    project, folder = bundle(tmp_path, source, "b/__init__.py")
    with pytest.raises(Errors) as caught:
        checked(project, folder)
    assert str(caught.value).replace(str(project), "ROOT") == textwrap.dedent(
        """\
        the code does not find in the bundle what it imports: 4 errors
          1. `flow.py` imports `requests`, which is not in the bundle.
            at: ROOT/flow.py:1
            fix: add the package to the requirements, or take it from a layer: `--layer-provided requests`
          2. `flow.py` imports `solidstate.execute_pipeline`, which runs on your own machine and is not in a bundle.
            at: ROOT/flow.py:2
            fix: import it in the function that uses it, or below `if __name__ == "__main__":`
          3. `flow.py` imports `solidstate.infra.home`, which runs on your own machine and is not in a bundle.
            at: ROOT/flow.py:3
            fix: import it in the function that uses it, or below `if __name__ == "__main__":`
          4. `flow.py` imports `b.gone`, which is not in the bundle.
            at: ROOT/flow.py:4
            fix: tests and what `exclude` names are left out; import what is left"""
    )


def test_imports_that_may_never_be_reached_are_remarked_upon(tmp_path: Path) -> None:
    """A module can be imported without them."""
    source = """\
        def draw():
            import matplotlib
        try:
            import orjson
        except ImportError:
            orjson = None
        if __name__ == "__main__":
            from solidstate import execute_pipeline
        """
    assert checked(*bundle(tmp_path, source)) == [
        "`flow.py`, line 2, imports `matplotlib`, which the bundle does not hold",
        "`flow.py`, line 4, imports `orjson`, which the bundle does not hold",
        "`flow.py`, line 8, imports `solidstate.execute_pipeline`, which the bundle does not hold",
    ]


def test_a_layer_brings_what_its_packages_require() -> None:
    """Under the names they are imported by; of one that is not installed here, its own name."""
    found = layer_modules(["pandas", "left-pad"])
    assert {"pandas", "numpy", "dateutil", "left_pad"} <= found
    assert "matplotlib" not in found
