"""Asking a timestamp authority, RFC 3161 3.4: over HTTP, at the server that the caller named.

A token is checked before it is used: that it is over this digest, the answer to this question, and
signed by a certificate for timestamps. Whether that certificate is trusted is for verifiers.
"""

import base64
import secrets
from collections.abc import Callable, Iterator
from typing import Final

from cryptography import x509

from jpki.certificates.asn1 import (
    BIT_STRING,
    INTEGER,
    SEQUENCE,
    UTF8_STRING,
    Asn1Error,
    Asn1Reader,
    Element,
    encode_length,
)
from jpki.certificates.verdict import Reason
from jpki.errors import ServerError
from jpki.signing.digest import HashAlgorithm

TIMEOUT_S: Final = 20.0
MAX_TOKEN: Final = 1 << 14
"""Bytes of a token; with three certificates of 4096-bit keys it has 8,000."""
MAX_RESPONSE: Final = 1 << 16
NONCE_BITS: Final = 63  # positive in eight bytes; some servers take no more
OCTET_STRING: Final = 0x04
NULL: Final = b"\x05\x00"
VERSION_1: Final = b"\x02\x01\x01"
CERTIFICATE_WANTED: Final = b"\x01\x01\xff"
GRANTED: Final = (0, 1)  # granted, grantedWithMods: what was changed is seen by the checks
STATUSES: Final = ("granted", "grantedWithMods", "rejection", "waiting")
FAILURES: Final = {  # PKIFailureInfo, RFC 3161 2.4.2
    0: "badAlg",
    2: "badRequest",
    5: "badDataFormat",
    14: "timeNotAvailable",
    15: "unacceptedPolicy",
    16: "unacceptedExtension",
    17: "addInfoNotAvailable",
    25: "systemFailure",
}
MAX_STATUS_TEXT: Final = 200


class Timestamper:
    """A timestamp authority that the caller named.

    Args:
        url: http or https.
        username: for HTTP's Basic scheme; None: that of the URL, if it has one.
        password: beside it.
        timeout_s: for each step of the exchange.
        on_failure: what to do where a signature can do without a timestamp; it is called with the
            error. None: the error ends the signing.
    """

    def __init__(
        self,
        url: str,
        username: str | None = None,
        password: str | None = None,
        *,
        timeout_s: float = TIMEOUT_S,
        on_failure: Callable[[ServerError], None] | None = None,
    ) -> None:
        self._url = url
        self._headers = {} if username is None else _basic(username, password or "")
        self._timeout_s = timeout_s
        self._on_failure = on_failure

    def __repr__(self) -> str:
        return f"Timestamper({self.shown_url!r})"

    @property
    def shown_url(self) -> str:
        """The URL as it may be shown."""
        from jpki.http_client import without_credentials

        return without_credentials(self._url)

    def timestamp(self, digest: bytes, algorithm: HashAlgorithm) -> bytes:
        """Have a digest timestamped -> TimeStampToken, ContentInfo in DER.

        Args:
            digest: the hash of what shall be proven to exist now.
            algorithm: what it was hashed with.

        Raises:
            ServerError: the server did not answer, refused, or gave what is no good.
            ValueError: a digest of another size (a bug of the caller).
        """
        from jpki.http_client import post

        algorithm.check_size(digest)
        nonce = secrets.randbits(NONCE_BITS) | 1  # never zero
        answer = post(
            self._url,
            build_request(digest, algorithm, nonce),
            "application/timestamp-query",
            headers=self._headers,
            timeout_s=self._timeout_s,
            max_bytes=MAX_RESPONSE,
        )
        try:
            return check_response(answer, digest, algorithm, nonce)
        except ResponseFaultError as error:
            raise ServerError(self.shown_url, str(error)) from None

    def timestamp_if_possible(self, digest: bytes, algorithm: HashAlgorithm) -> bytes | None:
        """Do the same for a signature that has been made; None: it goes without, as was agreed.

        Raises:
            ServerError: as above, unless there is an ``on_failure``.
        """
        try:
            return self.timestamp(digest, algorithm)
        except ServerError as error:
            if self._on_failure is None:
                raise
            self._on_failure(error)
            return None


class ResponseFaultError(ValueError):
    """The answer of an authority is no good; the text says why, without quoting the answer."""


def build_request(digest: bytes, algorithm: HashAlgorithm, nonce: int) -> bytes:
    """Build a TimeStampReq in DER, RFC 3161 2.4.1: the certificate is wanted in the token."""
    imprint = _wrap(SEQUENCE, _wrap(SEQUENCE, algorithm.oid_der, NULL), _wrap(OCTET_STRING, digest))
    octets = nonce.to_bytes(nonce.bit_length() // 8 + 1, "big")
    return _wrap(SEQUENCE, VERSION_1, imprint, _wrap(INTEGER, octets), CERTIFICATE_WANTED)


def check_response(answer: bytes, digest: bytes, algorithm: HashAlgorithm, nonce: int) -> bytes:
    """Check a TimeStampResp against the request -> the token in it.

    Raises:
        ResponseFaultError: it is refused, or not the answer to this request.
    """
    token = _granted_token(answer)
    from jpki.verification.timestamp import authority_faults
    from jpki.verification.timestamp_authority import date_faults
    from jpki.verification.timestamp_token import parse_timestamp_token

    try:
        parsed = parse_timestamp_token(token)
    except Asn1Error:
        raise ResponseFaultError("a token that cannot be read") from None
    if (parsed.algorithm, parsed.imprint) != (algorithm, digest):
        raise ResponseFaultError("a token over something else")
    if parsed.nonce != nonce:
        raise ResponseFaultError("a token for another request (nonce)")
    # Its own clock is what an authority is asked for: the one of this machine judges nothing.

    def check(certificate: x509.Certificate) -> Iterator[Reason]:
        return date_faults(certificate, parsed.time)

    _, reasons = authority_faults(parsed, parsed.signed_data.certificates, check)
    if reasons:
        raise ResponseFaultError(f"a token that is no good: {', '.join(reasons)}")
    return token


def _granted_token(answer: bytes) -> bytes:
    # TimeStampResp, RFC 3161 2.4.2: PKIStatusInfo and, if granted, the token
    try:
        reader = Asn1Reader(answer)
        status_info, *token = reader.sequence(reader.document(), 1)
        status, *more = reader.sequence(status_info, 1)
        code = int.from_bytes(reader.contents(reader.expect(status, INTEGER)), "big")
        refusal = None if code in GRANTED else _refusal(reader, code, more)
        found = b"".join(map(reader.encoding, token))
    except Asn1Error:
        raise ResponseFaultError("no answer of a timestamp authority") from None
    if refusal is not None:
        raise ResponseFaultError(refusal)
    if len(found) > MAX_TOKEN:
        raise ResponseFaultError(f"a token of more than {MAX_TOKEN} bytes")
    return found


def _refusal(reader: Asn1Reader, code: int, more: list[Element]) -> str:
    words = [STATUSES[code] if code < len(STATUSES) else f"status {code}"]
    for element in more:
        if element.tag == BIT_STRING:  # failInfo
            bits = reader.contents(element)[1:]
            words += [name for bit, name in FAILURES.items() if _has_bit(bits, bit)]
        elif element.tag == SEQUENCE:  # statusString
            texts = [
                reader.contents(text).decode("utf-8", errors="replace")
                for text in reader.children(element)
                if text.tag == UTF8_STRING
            ]
            words.append("".join(c for c in " ".join(texts) if c.isprintable())[:MAX_STATUS_TEXT])
    return "refused: " + ", ".join(word for word in words if word)


def _has_bit(bits: bytes, number: int) -> bool:
    place, shift = divmod(number, 8)
    return place < len(bits) and bool(bits[place] & 0x80 >> shift)


def _wrap(tag: int, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return bytes([tag]) + encode_length(len(body)) + body


def _basic(username: str, password: str) -> dict[str, str]:
    # RFC 7617 2: a colon would end the user's name.
    if ":" in username:
        raise ValueError("a user name with a colon")
    credentials = base64.b64encode(f"{username}:{password}".encode()).decode("ascii")
    return {"Authorization": f"Basic {credentials}"}
