"""A compact JWS as it is encoded, RFC 7515 7.1 and RFC 7797: parsed strictly, judged elsewhere.

Two readers must not see two different headers, so nothing is read leniently: base64url is canonical
and without padding, no name stands twice, and what is critical is known here or refused.
"""

import base64
import binascii
import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, NoReturn

MAX_HEADER: Final = 1 << 16  # characters; the signer's certificate takes 3,000
MAX_SIGNATURE: Final = 1 << 12  # characters; 342 for a key of 2048 bits
MAX_CERTIFICATES: Final = 8
UNDERSTOOD: Final = frozenset({"b64", "sigT"})
"""Names that may stand in ``crit``: RFC 7797 3, ETSI TS 119 182-1 5.2.1."""
# RFC 7515 4.1.11: those of the standard itself must not stand in it.
NEVER_CRITICAL: Final = frozenset(
    {"alg", "jku", "jwk", "kid", "x5u", "x5c", "x5t", "x5t#S256", "typ", "cty", "crit"}
)
BASE64URL: Final = re.compile(rb"[A-Za-z0-9_-]*")
WHITE_SPACE: Final = b" \t\r\n"


class JwsError(ValueError):
    """The bytes are no compact JWS."""


class CriticalHeaderError(JwsError):
    """The header says that a verifier must understand something that is not known here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JwsHeader:
    """What is read of the header; ``jku``, ``x5u``, ``jwk`` and ``kid`` never are."""

    algorithm: str
    certificates: tuple[bytes, ...] | None  # x5c, DER, the signer's first; None: there is none
    sha256_thumbprint: bytes | None  # x5t#S256
    sha1_thumbprint: bytes | None  # x5t
    signing_time: datetime | None  # iat or sigT, UTC
    is_base64: bool  # of the payload, in what is signed


@dataclass(frozen=True, slots=True, kw_only=True)
class CompactJws:
    """A JWS of three parts."""

    header: JwsHeader
    protected: bytes  # as it stands, in base64url: what is signed begins with it
    payload: memoryview | None  # as it stands; None: detached
    signature: bytes

    @property
    def content(self) -> bytes | None:
        """The document inside; None: detached.

        Raises:
            JwsError: it is not the base64url that it should be.
        """
        if self.payload is None:
            return None
        return decode_base64url(self.payload) if self.header.is_base64 else bytes(self.payload)


def parse_compact(data: bytes) -> CompactJws:
    """Parse a compact JWS; white space around it is passed over.

    Raises:
        CriticalHeaderError: it demands what is not known here.
        JwsError: it is none.
    """
    start = len(data) - len(data.lstrip(WHITE_SPACE))
    end = len(data.rstrip(WHITE_SPACE))
    first, last = data.find(b".", start, end), data.rfind(b".", start, end)
    if first in (-1, last) or data.find(b".", first + 1, last) != -1:
        raise JwsError("not three parts")
    if first - start > MAX_HEADER or end - last > MAX_SIGNATURE:
        raise JwsError("a part that is too large")
    protected = data[start:first]
    payload = memoryview(data)[first + 1 : last]
    return CompactJws(
        header=_read_header(decode_base64url(protected)),
        protected=protected,
        payload=payload if len(payload) else None,
        signature=decode_base64url(data[last + 1 : end]),
    )


def decode_base64url(text: bytes | memoryview) -> bytes:
    """Decode what RFC 7515 2 calls base64url.

    Raises:
        JwsError: other characters, padding, or bits that no encoder sets.
    """
    if BASE64URL.fullmatch(text) is None or len(text) % 4 == 1:
        raise JwsError("not base64url")
    padded = bytes(text) + b"=" * (-len(text) % 4)
    value = base64.urlsafe_b64decode(padded)
    tail = value[len(value) - len(value) % 3 :]  # only the last group can be encoded in two ways
    if tail and not padded.endswith(base64.urlsafe_b64encode(tail)):
        raise JwsError("base64url with bits left over")
    return value


def _read_header(text: bytes) -> JwsHeader:
    header = _object(text)
    is_base64 = header.get("b64", True)
    if not isinstance(is_base64, bool):
        raise JwsError("b64 that is neither true nor false")
    _check_critical(header)
    if not is_base64 and "crit" not in header:
        raise JwsError("b64 is not critical")  # RFC 7797 6: others would read another document
    return JwsHeader(
        algorithm=_string(header, "alg") or "",
        certificates=_certificates(header),
        sha256_thumbprint=_thumbprint(header, "x5t#S256"),
        sha1_thumbprint=_thumbprint(header, "x5t"),
        signing_time=_signing_time(header),
        is_base64=is_base64,
    )


def _object(text: bytes) -> dict[str, object]:
    try:
        value = json.loads(
            text.decode("utf-8"),
            object_pairs_hook=_refuse_duplicates,
            parse_constant=_refuse_constant,
        )
    except (ValueError, RecursionError) as error:
        raise JwsError("not a JSON object") from error
    if not isinstance(value, dict):
        raise JwsError("not a JSON object")
    return value


def _refuse_duplicates(pairs: list[tuple[str, object]]) -> dict[str, object]:
    if len({name for name, _ in pairs}) != len(pairs):
        raise ValueError("a name twice")
    return dict(pairs)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _check_critical(header: dict[str, object]) -> None:
    if "crit" not in header:
        return
    names = header["crit"]
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise JwsError("crit that is no list of names")
    if len(set(names)) != len(names) or not set(names) <= header.keys():
        raise JwsError("crit with a name twice, or of nothing")
    if NEVER_CRITICAL & set(names):
        raise JwsError("crit with a name of the standard itself")
    if not set(names) <= UNDERSTOOD:
        raise CriticalHeaderError("crit with a name that is not known here")
    if header.get("b64") is False and "b64" not in names:
        raise JwsError("b64 is not critical")


def _string(header: dict[str, object], name: str) -> str | None:
    value = header.get(name)
    if value is None and name not in header:
        return None
    if not isinstance(value, str):
        raise JwsError(f"{name} that is no string")
    return value


def _certificates(header: dict[str, object]) -> tuple[bytes, ...] | None:
    if "x5c" not in header:
        return None
    texts = header["x5c"]
    if not isinstance(texts, list) or not 0 < len(texts) <= MAX_CERTIFICATES:
        raise JwsError("x5c that is no list of certificates")
    return tuple(_base64(text) for text in texts)


def _base64(text: object) -> bytes:
    if not isinstance(text, str):
        raise JwsError("x5c with what is no string")
    try:
        value = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise JwsError("x5c that is not base64") from error
    if base64.b64encode(value).decode("ascii") != text:
        raise JwsError("x5c that is not canonical base64")
    return value


def _thumbprint(header: dict[str, object], name: str) -> bytes | None:
    text = _string(header, name)
    if text is None:
        return None
    try:
        return decode_base64url(text.encode("ascii"))
    except UnicodeEncodeError as error:
        raise JwsError(f"{name} that is not base64url") from error


def _signing_time(header: dict[str, object]) -> datetime | None:
    seconds, text = header.get("iat"), _string(header, "sigT")
    try:
        if "iat" in header:
            if isinstance(seconds, bool) or not isinstance(seconds, int | float):
                raise JwsError("iat that is no number")
            return datetime.fromtimestamp(seconds, UTC)
        if text is not None:  # ETSI TS 119 182-1 5.2.1: in UTC, without a fraction
            return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)
    except (ValueError, OverflowError, OSError) as error:
        raise JwsError("a time that is none") from error
    return None
