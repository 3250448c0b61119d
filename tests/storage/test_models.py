"""pydantic models through storage: field by field, or as their own JSON, or refused."""

from __future__ import annotations

import datetime as dt
import functools
import io
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any, Generic, TypeVar

import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solidstate import execute_pipeline, pipeline, solid
from solidstate.errors import IntermediateError, NotStorable
from solidstate.storage.codecs import codec_for, codec_named
from solidstate.storage.plain_values import MODEL, decode_plain
from solidstate.storage.sameness import same

ROOT = Path(__file__).resolve().parents[2]
T = TypeVar("T")


class Cat(pydantic.BaseModel):
    name: str
    age: int = 1


class Dog(pydantic.BaseModel):
    name: str
    age: int = 1


class Owner(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")

    pet: Cat | Dog
    since: dt.datetime | None = None
    others: list[Cat] = []
    fee: Decimal = Decimal("1.10")
    path: tuple[int, ...] = ()
    renamed: int = pydantic.Field(1, alias="aliased")
    _visits: int = pydantic.PrivateAttr(0)

    @functools.cached_property
    def remembered(self) -> int:
        """Computed once."""
        return 4


class Page(pydantic.BaseModel):
    url: pydantic.HttpUrl


class Login(pydantic.BaseModel):
    word: pydantic.SecretStr


class Numbers(pydantic.RootModel[list[int]]):
    pass


class Box(pydantic.BaseModel, Generic[T]):
    content: T


class House(msgspec.Struct):
    cat: Cat


def through(value: Any, annotation: Any) -> Any:
    """Written and read again."""
    codec = codec_for(value, annotation)
    sink = io.BytesIO()
    codec.encode(value, sink)
    return codec_named(codec.name, annotation).decode(sink.getvalue())


@pytest.mark.parametrize(
    ("value", "annotation"),
    [
        (Cat(name="a"), Cat),
        ([Cat(name="a"), Cat(name="b", age=3)], list[Cat]),
        (Numbers([1, 2]), Numbers),
        ({"a": Box[int](content=1)}, dict[str, Box[int]]),
        (House(Cat(name="a")), House),
        (Page(url="https://example.org/a"), Page),  # type: ignore[arg-type]  # pydantic makes the URL of it
        ([Page(url="https://example.org/a")], list[Page]),  # type: ignore[arg-type]
        (None, Cat | None),
    ],
)
def test_models_come_back_as_they_were(value: Any, annotation: Any) -> None:
    """Alone, in containers and in Structs, generic ones and root models; a URL by way of the model's own JSON."""
    back = through(value, annotation)
    assert back == value
    assert same(back, value)


@given(
    st.builds(Cat, name=st.text(), age=st.integers(-(2**80), 2**80)) | st.builds(Dog, name=st.text()),
    st.none() | st.datetimes(),
    st.lists(st.builds(Cat, name=st.text()), max_size=2),
    st.integers(0, 9),
)
def test_all_that_a_model_holds_comes_back(pet: Any, since: Any, others: list[Cat], visits: int) -> None:
    """The member of a union, which fields were given, extra fields and private ones; nothing is guessed."""
    owner = Owner(pet=pet, since=since, others=others, aliased=2, nickname="x")  # type: ignore[call-arg]  # extra fields
    owner._visits = visits
    assert owner.remembered == 4
    back = through(owner, Owner)
    assert type(back.pet) is type(pet)
    assert (back, back._visits, back.model_fields_set) == (owner, visits, owner.model_fields_set)
    assert (back.nickname, back.renamed) == ("x", 2)


def test_a_secret_is_refused() -> None:
    """Its JSON is made of stars, so it would not come back; the message does not show it."""
    with pytest.raises(NotStorable) as caught:
        through(Login(word=pydantic.SecretStr("canary")), Login)
    assert str(caught.value) == (
        "`SecretStr` has no self-describing storage format (at `$.word`).\n"
        "  at: $.word\n"
        "  fix: return built-in types, Structs or dataclasses, or declare the output as a `SolidType` with a codec of "
        "your own"
    )


def test_an_undeclared_model_is_refused_with_the_way_out() -> None:
    """Nothing is ever imported by the name that stands in stored bytes."""
    with pytest.raises(NotStorable) as caught:
        through(Cat(name="a"), Any)
    assert caught.value.hint == "annotate the output, for example `-> Cat`, so that it can be read back"


def test_models_that_differ_are_not_the_same() -> None:
    """In a value, its type, a private attribute, or in what was given."""
    one = Owner(pet=Cat(name="a"))  # type: ignore[call-arg]  # mypy knows the alias alone
    two = Owner(pet=Cat(name="a"))  # type: ignore[call-arg]
    assert same(one, two)
    two._visits = 3
    assert not same(one, two)
    assert not same(Cat(name="a"), Dog(name="a"))
    assert not same(Cat(name="a"), Cat(name="a", age=1))
    assert not same(Cat.model_construct(name="a", age=1), Cat.model_construct(name="a", age=True))


@solid
def adopt() -> list[Cat]:
    """Makes cats."""
    return [Cat(name="a")]


@solid
def feed(cats: list[Cat]) -> int:
    """Feeds them."""
    return len(cats)


@pipeline
def shelter() -> None:
    feed(adopt())


def test_models_between_solids() -> None:
    """Checked by class and stored like any other value."""
    result = execute_pipeline(shelter)
    assert (result.output("adopt"), result.output("feed")) == ([Cat(name="a")], 1)


def test_storage_imports_no_pydantic() -> None:
    """A model brings its library along; nothing else needs it."""
    script = "import sys, solidstate.storage.codecs, solidstate.storage.models; print('pydantic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_model_has_its_fields_and_nothing_else() -> None:
    """What somebody else stores cannot stand in the place of a method."""
    parts = ["Cat", {"name": "a", "age": 1, "model_dump": 1}, ["name"], None, None]
    stored = msgspec.msgpack.encode(msgspec.msgpack.Ext(MODEL, msgspec.msgpack.encode(parts)))
    with pytest.raises(IntermediateError) as caught:
        decode_plain(stored, {"Cat": Cat})
    assert str(caught.value) == "The stored `Cat` has 'model_dump', which is not one of its fields."
