"""The projects of the tests of the command line, here too."""

from __future__ import annotations

from tests.cli.conftest import project, words

__all__ = ["project", "words"]
