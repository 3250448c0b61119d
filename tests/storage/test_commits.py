"""The commit: header, small outputs and events in one object."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from solidstate.errors import IntermediateError, TruncatedIntermediate, UnreadableCommit
from solidstate.events import AnyEvent, LogMessage, StepStart
from solidstate.storage.commits import (
    Commit,
    CommittedOutput,
    decode_commit,
    decode_commit_events,
    decode_item,
    encode_commit,
    events_begin,
    fingerprint_of,
    header_end,
    item_lines,
)

WHO = {"run": "r", "pipeline": "p", "seq": 1, "time": 0.5, "elapsed_s": 0.25, "step": "s", "attempt": 1}
OUTPUTS = st.builds(
    CommittedOutput,
    name=st.text("abc", min_size=1),
    type=st.text(),
    codec=st.sampled_from(["plain", "msgpack"]),
    size=st.integers(0, 2**50),
    sha256=st.text("0123456789abcdef", min_size=64, max_size=64),
    inline=st.none() | st.binary(),
    key=st.none() | st.text("abc/"),
)


@given(outputs=st.lists(OUTPUTS, max_size=4), message=st.text())
def test_header_and_events_come_back(outputs: list[CommittedOutput], message: str) -> None:
    """Bytes and line ends included; the header is one line."""
    commit = Commit("r", "p", "s", 1, "001-q", "f" * 16, "success", outputs)
    events: list[AnyEvent] = [
        StepStart(**WHO, solid="s"),  # type: ignore[arg-type]  # WHO mixes types
        LogMessage(**WHO, level="info", message=message),  # type: ignore[arg-type]  # WHO mixes types
    ]
    body = encode_commit(commit, events)
    assert body.count(b"\n") == 3
    assert decode_commit(body, "k") == commit
    assert decode_commit_events(body, "k") == events
    assert decode_commit_events(encode_commit(commit, []), "k") == []


def test_what_is_usual_is_not_written() -> None:
    """The bytes that buckets hold: what an earlier version has left must mean the same for ever."""
    header = b'{"kind":"commit","run":"r","pipeline":"p","step":"s","attempt":1,"attempt_id":"001-q","fingerprint":"f",'
    assert encode_commit(Commit("r", "p", "s", 1, "001-q", "f", "success"), []) == header + b'"status":"success"}\n'
    skipped = Commit("r", "p", "s", 1, "001-q", "f", "skipped", item="a", for_all_items=True)
    rest = b'"status":"skipped","item":"a","for_all_items":true}\n'
    assert encode_commit(skipped, []) == header + rest
    output = CommittedOutput("n", "int", "plain", 1, "0" * 64, b"1")
    assert msgspec.json.encode(output) == (
        b'{"name":"n","type":"int","codec":"plain","size":1,"sha256":"' + b"0" * 64 + b'","inline":"MQ=="}'
    )


def test_an_output_is_found_by_name() -> None:
    """None when it stayed out."""
    out = CommittedOutput("a", "int", "plain", 1, "0" * 64, b"\x01")
    commit = Commit("r", "p", "s", 1, "001-q", "f", "success", [out])
    assert (commit.output("a"), commit.output("b")) == (out, None)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "Input data was truncated"),
        (b"{}", "Object missing required field `run`"),
        (b"\n" + encode_commit(Commit("r", "p", "s", 1, "001-q", "f", "success"), []), "Input data was truncated"),
        (b"\xff\xfe", "JSON is malformed: invalid character (byte 0)"),
        (b'{"kind":"step_start"}', "Invalid value 'step_start' - at `$.kind`"),
        (b'{"kind":"commit","run":"\xff"}', "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
    ],
    ids=["empty", "other", "late", "binary", "event", "text"],
)
def test_what_is_no_commit_is_refused(body: bytes, reason: str) -> None:
    """Key and reason, and what may be done."""
    with pytest.raises(IntermediateError) as caught:
        decode_commit(body, "v1/commits/p/s/r.ndjson")
    assert str(caught.value) == (
        f"The object `v1/commits/p/s/r.ndjson` is not a commit: {reason}.\n"
        "  fix: something else wrote to the bucket; restore the object's earlier version, or run the step again in a "
        "new run"
    )


def dynamic(*items: str) -> Commit:
    """A commit with a plain output and one of these items."""
    outputs = [CommittedOutput("n", "int", "plain", 1, "0" * 64, b"1")]
    outputs += [CommittedOutput("rows", "str", "plain", 1, "0" * 64, b"x", item=item) for item in items]
    return Commit("r", "p", "s", 1, "001-q", "f", "success", outputs)


def test_items_are_those_of_one_output() -> None:
    """In the order they were yielded, whatever other outputs there are; a plain output has none."""
    commit = dynamic(*"ba")
    columns = [msgspec.structs.replace(out, name="columns") for out in dynamic(*"ac").outputs if out.item]
    both = msgspec.structs.replace(commit, outputs=[*columns, *commit.outputs])
    assert both.items("rows") == {"b": commit.outputs[1], "a": commit.outputs[2]}
    assert list(both.items("rows")) == ["b", "a"]
    assert both.items("columns") == {"a": columns[0], "c": columns[1]}
    assert both.items("n") == {}
    assert decode_commit(encode_commit(both, []), "k").items("rows") == both.items("rows")


@pytest.mark.parametrize("events", [0, 2])
@pytest.mark.parametrize("items", ["", "a", "abc"])
def test_where_header_items_and_events_stand(items: str, events: int) -> None:
    """Each line of an item can be read alone, what is before is the header, and what is behind are the events."""
    commit = dynamic(*items)
    body = encode_commit(commit, [StepStart(**WHO, solid="s")] * events)  # type: ignore[arg-type]  # WHO mixes types
    lines = body.splitlines(keepends=True)
    begin, found = item_lines(body)
    assert body[: header_end(body)] == lines[0].rstrip()
    assert begin == len(lines[0])
    assert [body[at : at + size] + b"\n" for at, size in found] == lines[1 : 1 + len(items)]
    assert body[events_begin(body) :] == b"".join(lines[1 + len(items) :])
    assert decode_commit(body, "k") == decode_commit(body.removesuffix(b"\n"), "k") == commit
    header = decode_commit(body[: header_end(body)], "k", header=True)
    assert [out.name for out in header.outputs] == ["n"]
    for item, (at, size) in zip(items, found, strict=True):
        assert decode_item(body[at : at + size], "k", "rows", item).item == item


@pytest.mark.parametrize("items", ["", "a", "ab"])
def test_a_line_that_is_no_item_is_refused(items: str) -> None:
    """Whether items are expected or none is."""
    header, *lines = encode_commit(dynamic(*items), []).splitlines(keepends=True)
    plain = msgspec.json.encode(CommittedOutput("n", "int", "plain", 1, "0" * 64, b"1")) + b"\n"
    for stray, reason in (
        (plain, "a line between header and events is no item"),
        (b"<html>\n", "JSON is malformed"),
        (b"\n", "Input data was truncated"),
    ):
        with pytest.raises(UnreadableCommit, match=f"^The object `k` is not a commit: {reason}"):
            decode_commit(b"".join([header, *lines[:-1], stray]), "k")


@pytest.mark.parametrize("kept", [0, 1, 2])
def test_a_commit_that_lost_items_is_refused(kept: int) -> None:
    """All of them, or the last."""
    lines = encode_commit(dynamic(*"abc"), [StepStart(**WHO, solid="s")]).splitlines(keepends=True)  # type: ignore[arg-type]  # WHO mixes types
    for rest in ([], lines[4:]):
        with pytest.raises(TruncatedIntermediate) as caught:
            decode_commit(b"".join([*lines[: 1 + kept], *rest]), "k")
        assert caught.value.problem == f"The commit `k` is cut short: it has {kept} of 3 items."


def test_a_commit_with_more_items_than_it_counts_is_refused() -> None:
    """Two objects were joined into one; where nothing was counted, nothing can be missed."""
    header, *items = encode_commit(dynamic(*"ab"), []).splitlines(keepends=True)
    with pytest.raises(TruncatedIntermediate, match="it has 2 of 1 items"):
        decode_commit(b"".join([header.replace(b'"listed":2', b'"listed":1'), *items]), "k")
    uncounted = decode_commit(b"".join([header.replace(b',"listed":2', b""), *items]), "k")
    assert uncounted == dynamic(*"ab")


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"", "Input data was truncated"),
        (b'{"name":"\xff"}', "'utf-8' codec can't decode byte 0xff in position 0: invalid start byte"),
        (b'{"x":' * 100_000, "maximum recursion depth exceeded while deserializing an object"),
        (msgspec.json.encode(dynamic("b").outputs[1]), "there is item `b` of output `rows`"),
        (msgspec.json.encode(dynamic("").outputs[0]), "there is item `` of output `n`"),
    ],
    ids=["empty", "text", "deep", "another item", "another output"],
)
def test_an_item_that_is_not_where_it_should_be(line: bytes, reason: str) -> None:
    """Whatever stands there instead."""
    with pytest.raises(UnreadableCommit) as caught:
        decode_item(line, "k", "rows", "a")
    assert caught.value.problem == f"Item `a` of output `rows` is not where it should be in `k`: {reason}."


def test_a_commit_cut_short_loses_its_events_only() -> None:
    """The header is whole or nothing; what follows it may be damaged without harm to those who read values."""
    commit = Commit("r", "p", "s", 1, "001-q", "f", "success", [])
    body = encode_commit(commit, [StepStart(**WHO, solid="s")])[:-5]  # type: ignore[arg-type]  # WHO mixes types
    assert decode_commit(body, "k") == commit
    with pytest.raises(IntermediateError, match=r"^The events in `k` cannot be read: "):
        decode_commit_events(body, "k")


def test_a_fingerprint_tells_what_differs() -> None:
    """Plan, request and what was read, each in its own place; nothing said and nothing read are dashes."""
    one, two = "1" * 64, "2" * 64
    assert fingerprint_of("p" * 16, {}, []) == "pppppppppppppppp/-/-"
    assert fingerprint_of("p" * 16, {}, [one]) == "pppppppppppppppp/-/1111111111111111"
    plan, asked, read = fingerprint_of("p" * 16, {"config": {"a": 1, "b": 2}}, [one, two]).split("/")
    assert (plan, len(asked), len(read)) == ("p" * 16, 16, 16)
    again = fingerprint_of("p" * 16, {"config": {"b": 2, "a": 1}}, [one, two])
    assert again == f"{plan}/{asked}/{read}"
    assert fingerprint_of("p" * 16, {"config": {"a": 1}}, [one, two]).split("/")[::2] == [plan, read]
    assert fingerprint_of("p" * 16, {"config": {"a": 1, "b": 2}}, [two, two]).split("/")[:2] == [plan, asked]
    assert fingerprint_of("p" * 16, {}, [one, two]) != fingerprint_of("p" * 16, {}, [one, one])
