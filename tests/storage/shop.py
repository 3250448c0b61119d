"""A user's classes for the codec tests: Structs, dataclasses, enums, named tuples, with the traps they come with."""

from __future__ import annotations

import datetime as dt
import enum
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any, NamedTuple, TypedDict

import msgspec


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Size(enum.Enum):
    """Values msgspec has no format for."""

    SMALL = (1, 2)
    LARGE = complex(3, 4)


class Rights(enum.Flag):
    READ = 1
    WRITE = 2


class Point(NamedTuple):
    x: int
    y: float


class Item(msgspec.Struct, frozen=True):
    name: str
    price: float
    colour: Colour | None = None
    discount: float = 0  # an int where a float is declared, as people write it
    bought: dt.datetime | None = None
    extra: Any = None


class SpecialItem(Item, frozen=True):
    reason: str = ""


class Odd(msgspec.Struct):
    """Does not come back as it was made: its constructor counts."""

    count: int

    def __post_init__(self) -> None:
        self.count += 1


class Limited(msgspec.Struct):
    """May be made with a value that decoding refuses."""

    count: Annotated[int, msgspec.Meta(ge=0)]


@dataclass
class Order:
    number: int
    items: list[Item] = field(default_factory=list)
    where: Point | None = None

    @cached_property
    def total(self) -> float:
        return sum(item.price for item in self.items)


class Box(TypedDict):
    item: Item
    count: int
