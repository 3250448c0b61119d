"""pandas and pyarrow, imported when first asked for.

Neither ships types, so type checkers see ``Any``: said once here instead of in every function that uses them.
"""

from __future__ import annotations

from typing import Any


def pandas() -> Any:
    import pandas as library  # pyright: ignore[reportMissingTypeStubs]  # ships no types

    return library


def pyarrow() -> Any:
    import pyarrow as library  # pyright: ignore[reportMissingTypeStubs]  # ships no types

    return library


def parquet() -> Any:
    """The Parquet half of pyarrow, which ``import pyarrow`` leaves out."""
    import pyarrow.parquet as library  # pyright: ignore[reportMissingTypeStubs]  # ships no types

    return library
