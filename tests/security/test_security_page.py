"""SECURITY.md names every test of this folder, and tells the limits that hold."""

from __future__ import annotations

from tests.test_repository import ROOT

PAGE = (ROOT / "SECURITY.md").read_text()


def test_every_test_of_this_folder_is_named() -> None:
    """But this one."""
    files = {path.name for path in (ROOT / "tests" / "security").glob("test_*.py")}
    assert {name for name in files if name not in PAGE} == {"test_security_page.py"}


def test_figures_are_those_of_the_source() -> None:
    """The limits it tells are the limits that hold."""
    from solidstate.documents import MAX_DEPTH, MAX_REQUEST_BYTES
    from solidstate.infra.bundle_install import MAX_INSTALLED_BYTES
    from solidstate.redaction import MIN_LENGTH
    from solidstate.selection import MAX_EXPRESSION
    from tests.fuzz.targets import NAMES

    assert (MAX_REQUEST_BYTES, MAX_DEPTH, MAX_EXPRESSION) == (256 * 1024, 64, 10_000)
    assert (MAX_INSTALLED_BYTES, MIN_LENGTH, len(NAMES)) == (2 * 1024**3, 4, 9)
