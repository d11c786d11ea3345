"""The signature by which a target knows that a request is ours. Pure.

    Millgate-Timestamp: 1774000000
    Millgate-Signature: sha256=<HMAC-SHA256 of "<timestamp>." and the body, in hex>

The timestamp is signed with the body, so an old request cannot be played again later.
"""

import hmac

TIMESTAMP = "Millgate-Timestamp"
SIGNATURE = "Millgate-Signature"
_ALGORITHM = "sha256"


def signed(body: bytes, key: bytes, unix_s: int) -> dict[str, str]:
    """Return the headers that vouch for ``body``."""
    mac = hmac.new(key, f"{unix_s}.".encode("ascii") + body, _ALGORITHM)
    return {TIMESTAMP: str(unix_s), SIGNATURE: f"{_ALGORITHM}={mac.hexdigest()}"}
