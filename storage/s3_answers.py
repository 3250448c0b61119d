"""What S3 answered, told as our errors, whichever client asked: which object, what happened, what to do."""

from __future__ import annotations

from solidstate.errors import StorageError, StorageUnavailable
from solidstate.storage.store import missing

_ABSENT = {"NoSuchKey", "404", "NotFound"}
_BUSY = {"SlowDown", "RequestTimeout", "RequestTimeTooSkewed", "InternalError", "ServiceUnavailable", "Throttling"}
_SIGNED_WRONG = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "ExpiredTokenException"}


class Refused(Exception):
    """A conditional write did not happen, since an object was there (412); never leaves the storage layer."""


class Again(Exception):
    """The request may be answered otherwise if it is repeated; never leaves the storage layer. ``came`` is what S3
    answered, in two words; ``error`` is what to raise when it is not repeated any more."""

    def __init__(self, came: str, error: StorageUnavailable) -> None:
        super().__init__(came)
        self.came = came
        self.error = error


class BeyondEnd(Exception):
    """The object ends before the part that was asked for; never leaves the storage layer."""


def answered(code: str, status: int, verb: str, bucket: str, key: str, text: str) -> Exception:
    """The error for S3's answer: its error code (empty where there is none, as for HEAD) and HTTP status. ``verb``
    reads as in "could not VERB the object"; ``text`` is the client's own, for answers nobody expects."""
    place = f"s3://{bucket}"
    what = failed(verb, bucket, key)
    if code == "NoSuchBucket":
        return StorageError(
            f"The bucket `{bucket}` does not exist.",
            subject=bucket,
            path=place,
            hint="deploy the stack first, or correct the bucket's name and the region",
        )
    if code in _ABSENT or (status == 404 and not code):
        return missing(key, place)
    if code == "InvalidRange" or status == 416:
        return BeyondEnd(text)
    if code == "PreconditionFailed" or (status == 412 and not code):
        return Refused()
    if code == "ConditionalRequestConflict":
        return Again(f"{status} {code}", _contested(bucket, key))
    if code in _SIGNED_WRONG:
        return StorageError(
            f"{what}: AWS does not accept the credentials ({code}).",
            subject=key,
            path=f"{place}/{key}",
            hint="renew them, for example with `aws sso login`, and check AWS_PROFILE",
        )
    if status == 403:
        return StorageError(
            f"{what}: access denied (403).",
            subject=key,
            path=f"{place}/{key}",
            hint="grant the role access to the object; for reads also `s3:ListBucket` on the bucket, "
            "because without it S3 answers 403 instead of 404 for an object that is not there",
        )
    if status in (301, 307, 308):
        return StorageError(
            f"{what}: S3 answered {status}, the bucket is in another region.",
            subject=key,
            path=f"{place}/{key}",
            hint="use a bucket in the region of the function, or set AWS_REGION to the bucket's",
        )
    if status >= 500 or status == 429 or code in _BUSY:
        came = f"{status} {code}".rstrip()
        unavailable = StorageUnavailable(
            f"{what}: S3 answered {came}.",
            subject=key,
            path=f"{place}/{key}",
            hint="try again; if it persists, spread keys or lower the concurrency",
        )
        return Again(came, unavailable)
    return StorageError(f"{what}: {text}.", subject=key, path=f"{place}/{key}")


def unanswered(reason: str, verb: str, bucket: str, key: str, came: str = "no answer") -> Again:
    """The error for no answer at all, half of one, or one that was damaged on its way."""
    unavailable = StorageUnavailable(
        f"{failed(verb, bucket, key)}: {reason}.",
        subject=key,
        path=f"s3://{bucket}/{key}",
        hint="check the network and the endpoint, then try again",
    )
    return Again(came, unavailable)


def _contested(bucket: str, key: str) -> StorageUnavailable:
    """Two conditional writes met (S3 user guide, "Conditional writes")."""
    return StorageUnavailable(
        f"{failed('write', bucket, key)}: another writer is at it.",
        subject=key,
        path=f"s3://{bucket}/{key}",
        hint="try again",
    )


def failed(verb: str, bucket: str, key: str) -> str:
    """How every such message begins."""
    return f"Could not {verb} the object `{key}` in the bucket `{bucket}`"
