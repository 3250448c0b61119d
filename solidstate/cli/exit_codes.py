"""What a command returns to the shell."""

from __future__ import annotations

from typing import Final

SUCCESS: Final = 0
FAILED: Final = 1
"""The run or the check failed, or its surroundings did."""
WRONG_INPUT: Final = 2
INTERRUPTED: Final = 130
"""128 + SIGINT, as shells report Ctrl-C."""
BROKEN_PIPE: Final = 141
"""128 + SIGPIPE: the reader of stdout has gone."""
