"""The throw-away CA of one card: four keys, two CA certificates, two certificates of the holder."""

import datetime
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from jpki.emulator.image import Holder, Municipality
from jpki.emulator.rsa import generate_key, load_key

if TYPE_CHECKING:
    from jpki.emulator.profile import Issuer, Purpose, Validity

CODE_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
SEX_DIGITS = {"male": "1", "female": "2", "unknown": "3"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CardKeys:
    """Four RSA-2048 private keys, PKCS#8 DER. The keys of the CAs do not go into the card file."""

    signature_ca: bytes = field(repr=False)
    authentication_ca: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    authentication: bytes = field(repr=False)

    @classmethod
    def generate(cls) -> "CardKeys":
        """Make four new keys; this takes up to a second."""
        return cls(
            signature_ca=generate_key(),
            authentication_ca=generate_key(),
            signature=generate_key(),
            authentication=generate_key(),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """The four certificates of a card, DER."""

    signature: bytes = field(repr=False)
    signature_ca: bytes = field(repr=False)
    authentication: bytes = field(repr=False)
    authentication_ca: bytes = field(repr=False)


def issue_certificates(
    keys: CardKeys,
    holder: Holder,
    place: Municipality,
    *,
    not_before: datetime.datetime,
    not_after: datetime.datetime,
) -> Issue:
    """Issue the four certificates.

    Raises:
        ValueError: a key is no RSA key.
    """
    from cryptography.hazmat.primitives.serialization import Encoding

    from jpki.emulator import profile

    validity = profile.Validity(not_before=not_before, not_after=not_after)
    signature_ca = _make_ca(profile.SIGNATURE, keys.signature_ca, validity)
    signature = profile.make_signature_certificate(
        load_key(keys.signature).public_key(),
        signature_ca,
        validity=validity,
        serial_number=_serial(),
        common_name=f"{not_before:%Y%m%d%H%M%S}{_code(9)}{place.code}",
        holder=profile.BasicAttributes(
            name=holder.name,
            sex=SEX_DIGITS[holder.sex],
            birth_date=profile.era_date(holder.birth_date),
            address=holder.address,
        ),
        municipality=place,
    )
    authentication_ca = _make_ca(profile.AUTHENTICATION, keys.authentication_ca, validity)
    authentication = profile.make_authentication_certificate(
        load_key(keys.authentication).public_key(),
        authentication_ca,
        validity=validity,
        serial_number=_serial(),
        common_name=f"{_code(14)}{place.code}003A",
        municipality=place,
    )
    return Issue(
        signature=signature.public_bytes(Encoding.DER),
        signature_ca=signature_ca.certificate.public_bytes(Encoding.DER),
        authentication=authentication.public_bytes(Encoding.DER),
        authentication_ca=authentication_ca.certificate.public_bytes(Encoding.DER),
    )


def _make_ca(purpose: "Purpose", private_key: bytes, validity: "Validity") -> "Issuer":
    """A CA that holds ten years, begun a year before, as long as UTCTime can say it."""
    from jpki.emulator import profile

    first = validity.not_before - datetime.timedelta(days=365)
    last = max(validity.not_after, validity.not_before + datetime.timedelta(days=9 * 365))
    end = datetime.datetime(2049, 12, 31, 14, 59, 59, tzinfo=datetime.UTC)
    last = min(last.replace(hour=14, minute=59, second=59) + datetime.timedelta(days=1), end)
    ca_validity = profile.Validity(not_before=first, not_after=max(last, validity.not_after))
    key = load_key(private_key)
    certificate = profile.make_ca(purpose, key, ca_validity, _serial())
    return profile.Issuer(certificate=certificate, key=key)


def _serial() -> int:
    """Four bytes, positive, as JPKI's numbers of issue."""
    return 0x01000000 + secrets.randbelow(0x7E000000)


def _code(length: int) -> str:
    return "".join(secrets.choice(CODE_LETTERS) for _ in range(length))
