"""Requests asked again until S3 has decided: above all the conditional PUT, which decides whose attempt counts.

Its answers are kept apart: written, something was there (412), two writers met (409, which S3 asks to repeat), and no
answer, after which the object may or may not have been written. Asking again is right in the last two cases: at worst
S3 answers 412 for an object that is our own, and whoever reads the object sees whose it is.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from solidstate.errors import StorageUnavailable
from solidstate.storage.s3_answers import Refused, contested

ATTEMPTS = 6
DELAY_S = 0.05


def until_decided(
    request: Callable[[], None], bucket: str, key: str, *, lost: Callable[[StorageUnavailable], bool]
) -> bool:
    """Whether ``request`` did what it asks; False when its condition was not met.

    ``lost`` tells of an error that the answer got lost and the client has not asked again by itself. Raises
    StorageUnavailable after six answers of 409, and what ``request`` raises.
    """
    for attempt in range(ATTEMPTS):
        try:
            request()
        except Refused as refused:
            if not refused.conflict:
                return False
        except StorageUnavailable as unavailable:
            if attempt == ATTEMPTS - 1 or not lost(unavailable):
                raise
        else:
            return True
        time.sleep(DELAY_S * 2**attempt)
    raise contested(ATTEMPTS, bucket, key)
