"""``Selector``: config of which exactly one field is given, as 2019 had it.

A base class, so that a Selector is an ordinary Struct for type checkers, editors and msgspec::

    class Source(Selector):
        csv: CsvConfig | None = None
        parquet: ParquetConfig | None = None
"""

from __future__ import annotations

from typing import Any

import msgspec

from solidstate.errors import SolidstateError, name_list


class SelectorError(SolidstateError):
    """Not exactly one field of a Selector was given."""


class Selector(msgspec.Struct, omit_defaults=True):
    """Base of config types of which exactly one field is given. Each field is ``X | None = None``."""

    def __post_init__(self) -> None:
        given = [name for name in self.__struct_fields__ if getattr(self, name) is not None]
        if len(given) != 1:
            raise SelectorError(selector_problem(list(self.__struct_fields__), given))

    @property
    def selected(self) -> tuple[str, Any]:
        """Name and value of the one field that was given."""
        return next((name, value) for name in self.__struct_fields__ if (value := getattr(self, name)) is not None)


def selector_problem(known: list[str], given: list[str]) -> str:
    """What to say when not exactly one of ``known`` was given."""
    found = " and ".join(f"`{name}`" for name in given) if 0 < len(given) < 4 else f"{len(given)} of them"
    return f"Expected exactly one of {name_list(known)}, got {found if given else 'none'}."
