"""Whose key it is, XML Signature 1.1 4.5: certificates of KeyInfo, and keys that contradict them.

Only a certificate says who signed; a bare key says nothing and is compared with the certificate's.
Nothing is retrieved.
"""

from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml.etree import _Element as XmlElement

from jpki.verification.xml_signature import ds, elements_of, octets_of, only_child

MAX_CERTIFICATES: Final = 100
DSIG11: Final = "{http://www.w3.org/2009/xmldsig11#}"


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyInfo:
    """What KeyInfo holds and is looked at."""

    certificates: tuple[bytes, ...] = ()
    keys: tuple[tuple[int, int] | bytes | None, ...] = ()
    """Modulus and exponent, or SubjectPublicKeyInfo; None: a key that is no RSA key."""

    def contradicts(self, certificate: x509.Certificate) -> bool:
        """Tell whether a key stands there that is not the certificate's."""
        key = certificate.public_key()
        if not isinstance(key, RSAPublicKey):
            return bool(self.keys)
        numbers = key.public_numbers()
        der = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return any(each not in ((numbers.n, numbers.e), der) for each in self.keys)


def read_key_info(element: XmlElement | None) -> KeyInfo:
    """Read KeyInfo; None: there is none.

    Raises:
        XmlFaultError: a certificate or a key in it is not encoded as it must be.
    """
    if element is None:
        return KeyInfo()
    certificates = [
        octets_of(each) for each in element.iterfind(f"{ds('X509Data')}/{ds('X509Certificate')}")
    ]
    keys: list[tuple[int, int] | bytes | None] = [
        *map(_key, element.iterfind(ds("KeyValue"))),
        *map(octets_of, element.iterfind(f"{DSIG11}DEREncodedKeyValue")),
    ]
    return KeyInfo(
        certificates=tuple(dict.fromkeys(certificates))[:MAX_CERTIFICATES],
        keys=tuple(keys),
    )


def _key(key_value: XmlElement) -> tuple[int, int] | None:
    if [each.tag for each in elements_of(key_value)] != [ds("RSAKeyValue")]:
        return None
    (rsa,) = elements_of(key_value)
    modulus, exponent = (octets_of(only_child(rsa, ds(tag))) for tag in ("Modulus", "Exponent"))
    return int.from_bytes(modulus), int.from_bytes(exponent)
