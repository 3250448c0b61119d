"""What AWS answered, told as our errors: which object, what happened, what to do."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from solidstate.errors import SolidstateError, StorageError, StorageUnavailable
from solidstate.storage.store import missing

_ABSENT = {"NoSuchKey", "404", "NotFound"}
_BUSY = {"SlowDown", "RequestTimeout", "RequestTimeTooSkewed", "InternalError", "ServiceUnavailable", "Throttling"}
_SIGNED_WRONG = {"InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken", "ExpiredTokenException"}


class Refused(Exception):
    """A conditional write did not happen; never leaves the storage layer.

    ``conflict`` is S3's 409: two conditional writes met and this one should be repeated (S3 user guide, "Conditional
    writes"). Otherwise 412: an object was there.
    """

    def __init__(self, *, conflict: bool) -> None:
        super().__init__("conflict" if conflict else "precondition failed")
        self.conflict = conflict


class BeyondEnd(Exception):
    """The object ends before the part that was asked for; never leaves the storage layer."""


@contextmanager
def translated(verb: str, bucket: str, key: str) -> Generator[None, None, None]:
    """Raise botocore's errors as ours. ``verb`` reads as in "could not VERB the object"."""
    try:
        yield
    except (SolidstateError, Refused):
        raise
    except Exception as error:
        from botocore.exceptions import BotoCoreError, ClientError

        if isinstance(error, ClientError):
            raise _from_answer(error.response, verb, bucket, key, str(error)) from error
        if isinstance(error, BotoCoreError):
            raise _without_answer(error, verb, bucket, key) from error
        raise


def _from_answer(answer: Any, verb: str, bucket: str, key: str, text: str) -> Exception:
    code = str(answer.get("Error", {}).get("Code", ""))
    status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    place = f"s3://{bucket}"
    what = f"Could not {verb} the object `{key}` in the bucket `{bucket}`"
    if code == "NoSuchBucket":
        return StorageError(
            f"The bucket `{bucket}` does not exist.",
            subject=bucket,
            path=place,
            hint="deploy the stack first, or correct the bucket's name and the region",
        )
    if code in _ABSENT:
        return missing(key, place)
    if code == "InvalidRange":
        return BeyondEnd(text)
    if code == "PreconditionFailed":
        return Refused(conflict=False)
    if code == "ConditionalRequestConflict":
        return Refused(conflict=True)
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
    if status >= 500 or code in _BUSY:
        return StorageUnavailable(
            f"{what}: S3 answered {status} {code} until the tries were used up.",
            subject=key,
            path=f"{place}/{key}",
            hint="try again; if it persists, spread keys or lower the concurrency",
        )
    return StorageError(f"{what}: {text}.", subject=key, path=f"{place}/{key}")


def _without_answer(error: Exception, verb: str, bucket: str, key: str) -> StorageError:
    from botocore import exceptions as botocore

    what = f"Could not {verb} the object `{key}` in the bucket `{bucket}`"
    path = f"s3://{bucket}/{key}"
    if isinstance(error, (botocore.NoCredentialsError, botocore.PartialCredentialsError, botocore.TokenRetrievalError)):
        hint = "set AWS_PROFILE, or sign in with `aws sso login`"
        return StorageError(f"{what}: there are no AWS credentials.", subject=key, path=path, hint=hint)
    if isinstance(error, (botocore.HTTPClientError, botocore.ConnectionError, botocore.IncompleteReadError)):
        reason = str(error).rstrip(".")
        hint = "check the network and the endpoint, then try again"
        return StorageUnavailable(f"{what}: {reason}.", subject=key, path=path, hint=hint)
    return StorageError(f"{what}: {str(error).rstrip('.')}.", subject=key, path=path)
