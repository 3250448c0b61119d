"""A mirrored bucket is a folder: the same objects, whole, at every moment, whoever wrote them."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError
from hypothesis import given, settings
from hypothesis import strategies as st

from solidstate.errors import EngineError, StorageError
from solidstate.infra.local_aws import LocalAws, local_aws
from solidstate.infra.local_mirror import INCOMING, mirror, mirrored_path, preload

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    """A local AWS without functions."""
    with local_aws(lambda name, event, context: None) as opened:
        yield opened


@pytest.fixture
def bucket(aws: LocalAws, request: pytest.FixtureRequest) -> str:
    """A bucket of the test's own."""
    name = f"b{abs(hash(request.node.nodeid))}"
    aws.create_bucket(name)
    return name


@pytest.fixture
def s3(aws: LocalAws) -> Any:
    """The boto3 client."""
    return aws.client("s3")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the mirror is made; it does not exist yet."""
    return tmp_path / "history"


def kept(folder: Path) -> dict[str, bytes]:
    """Key to content of everything in the folder, half written files included."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def refusal(caught: pytest.ExceptionInfo[ClientError]) -> tuple[str, str]:
    """(code, message) of what the client was told."""
    error: Any = caught.value
    return error.response["Error"]["Code"], error.response["Error"]["Message"]


def no_space(*_: object, **__: object) -> Any:
    """A full disk."""
    raise OSError(28, "No space left")


def test_put_overwrite_and_delete(s3: Any, bucket: str, folder: Path) -> None:
    """The folder follows one object through its life, and forgets the emptied folders."""
    with mirror(bucket, folder):
        s3.put_object(Bucket=bucket, Key="runs/2026/a.json", Body=b"1")
        assert kept(folder) == {"runs/2026/a.json": b"1"}
        s3.put_object(Bucket=bucket, Key="runs/2026/a.json", Body=b"22")
        assert kept(folder) == {"runs/2026/a.json": b"22"}
        s3.delete_object(Bucket=bucket, Key="runs/2026/a.json")
        assert (kept(folder), (folder / "runs").exists()) == ({}, False)


def test_copy_and_delete_many(s3: Any, bucket: str, folder: Path) -> None:
    """CopyObject and DeleteObjects are kept too."""
    with mirror(bucket, folder):
        s3.put_object(Bucket=bucket, Key="a", Body=b"1")
        s3.copy_object(Bucket=bucket, Key="copies/b", CopySource={"Bucket": bucket, "Key": "a"})
        s3.copy_object(Bucket=bucket, Key="copies/c", CopySource={"Bucket": bucket, "Key": "a"})
        assert kept(folder) == {"a": b"1", "copies/b": b"1", "copies/c": b"1"}
        s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": "a"}, {"Key": "copies/b"}, {"Key": "none"}]})
        assert kept(folder) == {"copies/c": b"1"}


def test_multipart_appears_when_completed(s3: Any, bucket: str, folder: Path) -> None:
    """Parts are not objects; the whole is."""
    first, second = os.urandom(5 * MIB), os.urandom(1000)
    with mirror(bucket, folder):
        at = {"Bucket": bucket, "Key": "large"}
        upload = s3.create_multipart_upload(**at)["UploadId"]
        tags = [
            s3.upload_part(**at, UploadId=upload, PartNumber=number, Body=body)["ETag"]
            for number, body in enumerate((first, second), 1)
        ]
        assert kept(folder) == {}
        parts = [{"PartNumber": number, "ETag": tag} for number, tag in enumerate(tags, 1)]
        s3.complete_multipart_upload(**at, UploadId=upload, MultipartUpload={"Parts": parts})
        assert kept(folder) == {"large": first + second}


def test_refused_conditional_write_leaves_the_file(s3: Any, bucket: str, folder: Path) -> None:
    """Who loses the race changes neither bucket nor folder."""
    with mirror(bucket, folder):
        s3.put_object(Bucket=bucket, Key="commit", Body=b"first", IfNoneMatch="*")
        with pytest.raises(ClientError, match="PreconditionFailed"):
            s3.put_object(Bucket=bucket, Key="commit", Body=b"second", IfNoneMatch="*")
        assert kept(folder) == {"commit": b"first"}


def test_write_that_moto_refuses_leaves_nothing(s3: Any, bucket: str, folder: Path) -> None:
    """A request refused after its body was taken leaves no file, half written or whole."""
    with mirror(bucket, folder), pytest.raises(ClientError, match="InvalidStorageClass"):
        s3.put_object(Bucket=bucket, Key="a", Body=b"1", StorageClass="NONE")
    assert kept(folder) == {}


def test_racing_writers_agree_with_the_folder(s3: Any, bucket: str, folder: Path) -> None:
    """Of eight writers of one new key exactly one wins, and the folder has its bytes."""
    won: list[bytes] = []

    def write(body: bytes) -> None:
        try:
            s3.put_object(Bucket=bucket, Key="raced", Body=body, IfNoneMatch="*")
        except ClientError:
            return
        won.append(body)

    with mirror(bucket, folder):
        threads = [threading.Thread(target=write, args=(b"%d" % number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [kept(folder)] == [{"raced": body} for body in won]


def test_s3fs_through_the_server(bucket: str, folder: Path) -> None:
    """What s3fs writes, copies, uploads in parts and removes is kept."""
    s3fs = pytest.importorskip("s3fs")
    files = s3fs.S3FileSystem(skip_instance_cache=True)
    large = os.urandom(11 * MIB)
    with mirror(bucket, folder):
        files.pipe(f"{bucket}/a/b", b"1")
        with files.open(f"{bucket}/large", "wb", block_size=5 * MIB) as file:
            file.write(large)
        files.copy(f"{bucket}/a/b", f"{bucket}/a/c")
        assert kept(folder) == {"a/b": b"1", "a/c": b"1", "large": large}
        files.rm(f"{bucket}/a", recursive=True)
        assert kept(folder) == {"large": large}


def test_other_buckets_are_not_kept(aws: LocalAws, s3: Any, bucket: str, folder: Path) -> None:
    """A mirror is of one bucket, and ends."""
    aws.create_bucket("unkept")
    with mirror(bucket, folder):
        s3.put_object(Bucket="unkept", Key="a", Body=b"1")
    s3.put_object(Bucket=bucket, Key="after", Body=b"1")
    assert kept(folder) == {}


def test_versioned_bucket_shows_the_current_version(s3: Any, bucket: str, folder: Path) -> None:
    """A delete marker hides the file; removing the newest version uncovers the one before."""
    s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    with mirror(bucket, folder):
        s3.put_object(Bucket=bucket, Key="v", Body=b"1")
        second = s3.put_object(Bucket=bucket, Key="v", Body=b"2")["VersionId"]
        s3.delete_object(Bucket=bucket, Key="v", VersionId=second)
        assert kept(folder) == {"v": b"1"}
        s3.delete_object(Bucket=bucket, Key="v")
        assert kept(folder) == {}


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("../out", "an empty, `.` or `..` part between slashes"),
        ("a/../../out", "an empty, `.` or `..` part between slashes"),
        ("/etc/passwd", "an empty, `.` or `..` part between slashes"),
        ("folder/", "an empty, `.` or `..` part between slashes"),
        ("a\\b", "a NUL or a backslash"),
        ("x" * 256, "a part of more than 255 bytes between slashes"),
        (f"{INCOMING}/a", "the reserved first part `.incoming`"),
    ],
)
def test_key_that_is_no_path_is_refused(s3: Any, bucket: str, folder: Path, key: str, why: str) -> None:
    """The client hears why, and nothing is written anywhere."""
    with mirror(bucket, folder), pytest.raises(ClientError) as caught:
        s3.put_object(Bucket=bucket, Key=key, Body=b"1")
    text = f"The key `{key}` cannot be kept as a file, because it has {why}."
    assert refusal(caught) == ("InvalidArgument", text)
    assert "Contents" not in s3.list_objects_v2(Bucket=bucket)
    assert kept(folder.parent) == {}


@pytest.mark.parametrize(
    ("first", "second", "text"),
    [
        ("a", "a/b", "The key `a/b` lies below another object's key."),
        ("a/b", "a", "The key `a` is the beginning of other objects' keys."),
    ],
)
def test_key_that_is_file_and_folder_is_refused(
    s3: Any, bucket: str, folder: Path, first: str, second: str, text: str
) -> None:
    """What S3 allows and a file system does not is refused as a whole."""
    with mirror(bucket, folder):
        s3.put_object(Bucket=bucket, Key=first, Body=b"1")
        with pytest.raises(ClientError) as caught:
            s3.put_object(Bucket=bucket, Key=second, Body=b"2")
    assert refusal(caught)[1] == text
    assert kept(folder) == {first: b"1"}
    assert [found["Key"] for found in s3.list_objects_v2(Bucket=bucket)["Contents"]] == [first]


def test_symbolic_link_out_is_refused(s3: Any, bucket: str, folder: Path, tmp_path: Path) -> None:
    """A link inside the folder does not lead a write out of it."""
    outside = tmp_path / "outside"
    outside.mkdir()
    folder.mkdir()
    (folder / "link").symlink_to(outside)
    with mirror(bucket, folder), pytest.raises(ClientError, match="leads out of the folder through a symbolic link"):
        s3.put_object(Bucket=bucket, Key="link/a", Body=b"1")
    assert list(outside.iterdir()) == []


def test_failed_disk_leaves_bucket_and_folder_as_they_were(
    s3: Any, bucket: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A write the disk refuses is refused as a whole, so that a conditional retry can succeed."""
    with mirror(bucket, folder):
        with monkeypatch.context() as patched:
            patched.setattr(Path, "open", no_space)
            with pytest.raises(ClientError) as caught:
                s3.put_object(Bucket=bucket, Key="a", Body=b"1", IfNoneMatch="*")
        place = folder.resolve()
        text = f"The object `a` could not be kept in the folder `{place}`: [Errno 28] No space left."
        assert refusal(caught)[1] == text
        s3.put_object(Bucket=bucket, Key="a", Body=b"1", IfNoneMatch="*")
        assert kept(folder) == {"a": b"1"}


def test_mirroring_twice_is_refused(bucket: str, folder: Path) -> None:
    """A bucket has one folder."""
    with mirror(bucket, folder), pytest.raises(EngineError) as caught, mirror(bucket, folder):
        pass
    assert str(caught.value) == f"The bucket `{bucket}` is mirrored already, into `{folder.resolve()}`."


def test_preload_brings_back_what_begins_with_a_prefix(s3: Any, bucket: str, folder: Path) -> None:
    """The files under a prefix become objects with their content and time; the others do not."""
    with mirror(bucket, folder):
        for key in ("runs/1/a", "runs/10/b", "runs/2/c", "other"):
            s3.put_object(Bucket=bucket, Key=key, Body=key.encode())
    for key in ("runs/1/a", "runs/10/b", "runs/2/c", "other"):
        s3.delete_object(Bucket=bucket, Key=key)
    os.utime(folder / "runs/1/a", (1_700_000_000, 1_700_000_000))
    assert preload(bucket, folder, ["runs/1"]) == 2
    found = s3.list_objects_v2(Bucket=bucket)["Contents"]
    assert [entry["Key"] for entry in found] == ["runs/1/a", "runs/10/b"]
    assert found[0]["LastModified"].timestamp() == 1_700_000_000
    assert s3.get_object(Bucket=bucket, Key="runs/10/b")["Body"].read() == b"runs/10/b"
    assert preload(bucket, folder) == 4


def test_preload_leaves_out_links_and_half_written_files(s3: Any, bucket: str, folder: Path, tmp_path: Path) -> None:
    """Only whole files of the folder itself come in."""
    (tmp_path / "secret").write_text("secret")
    (folder / INCOMING).mkdir(parents=True)
    (folder / INCOMING / "half").write_text("ha")
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "whole").write_text("whole")
    assert preload(bucket, folder) == 1
    assert [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket)["Contents"]] == ["whole"]


def test_preload_refuses_a_prefix_that_leads_out(bucket: str, folder: Path) -> None:
    """Prefixes stay inside the folder."""
    with pytest.raises(StorageError, match=r"^The key `\.\.` cannot be kept as a file"):
        preload(bucket, folder, ["../"])


def test_abandoned_writes_are_swept(bucket: str, folder: Path) -> None:
    """What a crashed process left goes after an hour; a recent file may be another process's."""
    incoming = folder / INCOMING
    incoming.mkdir(parents=True)
    (incoming / "old").write_text("")
    (incoming / "new").write_text("")
    past = time.time() - 4000
    os.utime(incoming / "old", (past, past))
    with mirror(bucket, folder):
        assert [path.name for path in incoming.iterdir()] == ["new"]


CRASH = """
import os, sys
from pathlib import Path
from solidstate.infra.local_aws import local_aws
from solidstate.infra.local_mirror import mirror
with local_aws(lambda name, event, context: None) as aws:
    aws.create_bucket("data")
    with mirror("data", Path(sys.argv[1])):
        aws.client("s3").put_object(Bucket="data", Key="runs/1", Body=b"committed")
        os._exit(9)
"""


def test_history_outlives_a_crash(folder: Path) -> None:
    """What the client was told is written is there after the process has died without a word."""
    root = str(Path(__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", CRASH, str(folder)], env={**os.environ, "PYTHONPATH": root}, timeout=60, check=False
    )
    assert (done.returncode, kept(folder)) == (9, {"runs/1": b"committed"})


segments = st.text(st.characters(exclude_characters="/\\\0", exclude_categories=["Cs"]), min_size=1, max_size=60)


@settings(deadline=None)
@given(parts=st.lists(segments | st.sampled_from([".", "..", "", INCOMING]), min_size=1, max_size=5))
def test_path_is_inside_and_names_the_key(parts: list[str]) -> None:
    """A key is refused, or its path lies inside the folder and spells exactly the key."""
    folder, key = Path("/somewhere/history"), "/".join(parts)
    try:
        path = mirrored_path(folder, key)
    except StorageError:
        assert {"", ".", ".."} & set(parts) or parts[0] == INCOMING
    else:
        assert Path(os.path.normpath(path)).relative_to(folder).as_posix() == key
