"""The commands that the Web eID extension sends, one frozen value each."""

from dataclasses import dataclass
from typing import Final

from cryptography import x509

from jpki.authentication.errors import NativeMessageError, NativeMessageFault
from jpki.authentication.native_messaging import HASH_FUNCTIONS
from jpki.authentication.origin import check_origin
from jpki.authentication.strict_json import StrictJsonError, base64_bytes, parse_object, string
from jpki.authentication.token import check_nonce
from jpki.certificates.loading import load_certificate
from jpki.errors import CertificateMalformedError
from jpki.signing.digest import HashAlgorithm

MAX_LANGUAGE: Final = 35
"""Characters of a language tag, RFC 5646 4.4.1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteCommand:
    """What a site asks for, by way of the extension, which says truly which site it is."""

    origin: str
    language: str | None = None  # a tag of RFC 5646; unknown ones are no error


@dataclass(frozen=True, slots=True, kw_only=True)
class Authenticate(SiteCommand):
    """Log the person in: answered with a token."""

    nonce: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GetSigningCertificate(SiteCommand):
    """Give the signature certificate, with name, address and date of birth."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign(SiteCommand):
    """Sign a hash with the key of the certificate that an earlier answer gave."""

    certificate: x509.Certificate
    digest: bytes  # as long as the hash function makes it
    hash_function: str  # a key of HASH_FUNCTIONS

    @property
    def hash_algorithm(self) -> HashAlgorithm:
        """What the digest was made with."""
        return HASH_FUNCTIONS[self.hash_function]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quit:
    """End: answered with nothing, ``{}``. The extension only wanted the version."""


Command = Authenticate | GetSigningCertificate | Sign | Quit


def parse_command(content: bytes) -> Command:
    """Parse a message of the extension and check all that can be checked without a card.

    Keys that are not known are passed over: later extensions may send more of them.

    Raises:
        NativeMessageError: ``fault`` says what is wrong.
        TokenError: ORIGIN or NONCE.
    """
    try:
        message = parse_object(content)
        name = string(message, "command")
        arguments = message.get("arguments")
        if not isinstance(arguments, dict):
            raise NativeMessageError(NativeMessageFault.MALFORMED)
        return _parse(name, arguments)
    except StrictJsonError as error:
        raise NativeMessageError(NativeMessageFault.MALFORMED) from error


def _parse(name: str, arguments: dict[str, object]) -> Command:
    match name:
        case "quit":
            return Quit()
        case "authenticate":
            nonce = string(arguments, "challengeNonce")
            origin, language = _site(arguments)
            check_nonce(nonce)
            return Authenticate(origin=origin, language=language, nonce=nonce)
        case "get-signing-certificate":
            origin, language = _site(arguments)
            return GetSigningCertificate(origin=origin, language=language)
        case "sign":
            return _parse_sign(arguments)
        case _:
            raise NativeMessageError(NativeMessageFault.COMMAND)


def _parse_sign(arguments: dict[str, object]) -> Sign:
    origin, language = _site(arguments)
    function = string(arguments, "hashFunction")
    if function not in HASH_FUNCTIONS:
        raise NativeMessageError(NativeMessageFault.HASH_FUNCTION)
    digest = base64_bytes(arguments, "hash")
    if len(digest) != HASH_FUNCTIONS[function].size:
        raise NativeMessageError(NativeMessageFault.HASH)
    try:
        certificate = load_certificate(base64_bytes(arguments, "certificate"), extensions=False)
    except CertificateMalformedError as error:
        raise NativeMessageError(NativeMessageFault.CERTIFICATE) from error
    return Sign(
        origin=origin,
        language=language,
        certificate=certificate,
        digest=digest,
        hash_function=function,
    )


def _site(arguments: dict[str, object]) -> tuple[str, str | None]:
    origin = string(arguments, "origin")
    check_origin(origin)
    if arguments.get("lang") is None:
        return origin, None
    language = string(arguments, "lang")
    if len(language) > MAX_LANGUAGE:
        raise NativeMessageError(NativeMessageFault.MALFORMED)
    return origin, language
