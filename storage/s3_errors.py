"""botocore's errors told as ours."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

from solidstate.errors import SolidstateError, StorageError
from solidstate.storage.s3_answers import Again, Refused, answered, failed, unanswered


@contextmanager
def translated(verb: str, bucket: str, key: str) -> Generator[None, None, None]:
    """Raise botocore's errors as ours. ``verb`` reads as in "could not VERB the object"."""
    try:
        yield
    except (SolidstateError, Refused, Again):
        raise
    except Exception as error:
        from botocore.exceptions import BotoCoreError, ClientError

        if isinstance(error, ClientError):
            answer: Any = error.response
            code = str(answer.get("Error", {}).get("Code", ""))
            status = int(answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
            text = str(error).replace(" (reached max retries: 0)", "")  # those are ours, and counted elsewhere
            raise answered(code, status, verb, bucket, key, text) from error
        if isinstance(error, BotoCoreError):
            raise _without_answer(error, verb, bucket, key) from error
        raise


def _without_answer(error: Exception, verb: str, bucket: str, key: str) -> Exception:
    from botocore import exceptions as botocore

    what, path = failed(verb, bucket, key), f"s3://{bucket}/{key}"
    if isinstance(error, (botocore.NoCredentialsError, botocore.PartialCredentialsError, botocore.TokenRetrievalError)):
        hint = "set AWS_PROFILE, or sign in with `aws sso login`"
        return StorageError(f"{what}: there are no AWS credentials.", subject=key, path=path, hint=hint)
    if isinstance(error, (botocore.HTTPClientError, botocore.ConnectionError, botocore.IncompleteReadError)):
        return unanswered(str(error).rstrip("."), verb, bucket, key)
    if isinstance(error, botocore.FlexibleChecksumError):
        return unanswered(str(error).rstrip("."), verb, bucket, key, "damaged answer")
    return StorageError(f"{what}: {str(error).rstrip('.')}.", subject=key, path=path)
