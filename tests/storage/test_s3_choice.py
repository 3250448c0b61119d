"""Which client a deployed function reaches S3 with."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from solidstate.errors import SolidstateError
from solidstate.storage.s3_choice import bucket_store


@pytest.fixture(autouse=True)
def lambda_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """What Lambda sets."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.setenv(name, "from-lambda")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")


def refusal() -> str:
    with pytest.raises(SolidstateError) as caught:
        bucket_store("data")
    return str(caught.value)


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        (None, "ObstoreS3Store('s3://data/')"),
        ("", "ObstoreS3Store('s3://data/')"),
        ("obstore", "ObstoreS3Store('s3://data/')"),
        ("boto3", "S3Store('s3://data/')"),
    ],
)
def test_obstore_unless_boto3_is_asked_for(monkeypatch: pytest.MonkeyPatch, wanted: str | None, chosen: str) -> None:
    """The variable decides; without it, or with an empty one, it is obstore where that is installed."""
    if wanted is not None:
        monkeypatch.setenv("SOLIDSTATE_S3", wanted)
    assert repr(bucket_store("data")) == chosen


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [("boto", "did you mean `boto3`?"), ("fast", "leave it out to have the faster one used that is installed")],
)
def test_another_client_is_refused(monkeypatch: pytest.MonkeyPatch, wanted: str, hint: str) -> None:
    """What was found, what may be there, and the nearest."""
    monkeypatch.setenv("SOLIDSTATE_S3", wanted)
    assert refusal() == (
        f"The environment variable `SOLIDSTATE_S3` is '{wanted}'; expected `obstore` or `boto3`.\n  fix: {hint}"
    )


LACKING = [
    (
        "AWS_ACCESS_KEY_ID",
        "",
        "`AWS_ACCESS_KEY_ID` is not set and it takes credentials from the environment alone",
    ),
    ("AWS_USE_FIPS_ENDPOINT", "true", "`AWS_USE_FIPS_ENDPOINT` is set, which only boto3 follows"),
    ("AWS_CA_BUNDLE", "/ca.pem", "`AWS_CA_BUNDLE` is set, which only boto3 follows"),
    ("AWS_REGION", "cn-north-1", "it does not know the endpoints of the region `cn-north-1`"),
]


@pytest.mark.parametrize(("name", "value", "reason"), LACKING, ids=[name for name, _, _ in LACKING])
def test_boto3_where_obstore_would_not_do_what_is_asked(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, reason: str
) -> None:
    """Chosen silently when nothing was asked for; said when obstore was."""
    monkeypatch.setenv(name, value)
    assert repr(bucket_store("data")) == "S3Store('s3://data/')"
    monkeypatch.setenv("SOLIDSTATE_S3", "obstore")
    text = refusal()
    assert text == (
        f"The environment variable `SOLIDSTATE_S3` asks for obstore, but {reason}.\n"
        "  fix: set it to `boto3`, or leave it out to have one chosen"
    )


def test_false_is_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    """The AWS SDKs take `false` for the absence of a switch."""
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "False")
    assert repr(bucket_store("data")) == "ObstoreS3Store('s3://data/')"


def test_an_endpoint_of_ones_own_is_known_in_any_region(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing has to be derived from the region then."""
    monkeypatch.setenv("AWS_REGION", "cn-north-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://s3.cn-north-1.amazonaws.com.cn")
    assert repr(bucket_store("data")) == "ObstoreS3Store('s3://data/')"


def test_access_points_are_for_boto3() -> None:
    """Their ARN takes the place of the bucket's name."""
    arn = "arn:aws:s3:eu-west-1:123456789012:accesspoint/data"
    assert repr(bucket_store(arn)) == f"S3Store('s3://{arn}/')"


def test_boto3_where_obstore_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fallback needs no word."""
    monkeypatch.setitem(sys.modules, "obstore", None)
    assert repr(bucket_store("data")) == "S3Store('s3://data/')"
    monkeypatch.setenv("SOLIDSTATE_S3", "obstore")
    assert refusal() == (
        "The environment variable `SOLIDSTATE_S3` asks for obstore, but it is not installed.\n"
        "  fix: set it to `boto3`, or leave it out to have one chosen"
    )


def test_an_obstore_for_another_machine_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Falling back without a word would hide a wrong bundle."""
    (tmp_path / "obstore.py").write_text("raise ImportError('wrong ELF class')")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "obstore")
    assert refusal() == (
        "obstore is installed and cannot be imported: wrong ELF class.\n"
        "  fix: build for the function's architecture and Python version, or set `SOLIDSTATE_S3` to `boto3`"
    )
