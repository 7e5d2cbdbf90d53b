"""SignedData as it is encoded, RFC 5652 5.1 and 5.3: parsed into plain values, judged elsewhere."""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass
from mmap import mmap

from jpki.certificates.asn1 import (
    EXPLICIT_0,
    INTEGER,
    OBJECT_IDENTIFIER,
    SET,
    Asn1Error,
    Asn1Reader,
    Element,
    is_der,
)

# Named in DER, so that they compare with what stands in the signature.
SIGNED_DATA_OID = bytes.fromhex("06092A864886F70D010702")

CERTIFICATES = 0xA0
CRLS = 0xA1
SIGNED_ATTRS = 0xA0
UNSIGNED_ATTRS = 0xA1
SUBJECT_KEY_IDENTIFIER = 0x80
CERTIFICATE = 0x30  # CertificateChoices: the others are context tags

MAX_SIGNER_INFOS = 100  # each costs an RSA operation and a path
WHITE_SPACE = b" \t\n\r\f\v"
PEM_START = re.compile(rb"\s{0,64}-----BEGIN ")
PEM = re.compile(
    rb"\s*-----BEGIN (CMS|PKCS7|PKCS #7 SIGNED DATA)-----([A-Za-z0-9+/=\s]*)-----END \1-----\s*"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Attribute:
    """One attribute, RFC 5652 5.3."""

    type: bytes  # OBJECT IDENTIFIER, DER
    values: tuple[bytes, ...]  # each with its header


@dataclass(frozen=True, slots=True, kw_only=True)
class SignerInfo:
    """One signer, RFC 5652 5.3. Exactly one of the two ways to name the certificate is there."""

    issuer: bytes | None  # Name, DER
    serial_number: bytes | None  # INTEGER, DER
    subject_key_identifier: bytes | None
    digest_algorithm: bytes  # OBJECT IDENTIFIER, DER
    signature_algorithm: bytes  # OBJECT IDENTIFIER, DER
    signature: bytes
    signed_attrs: bytes | None  # as a SET OF, the bytes that were signed; None: there are none
    is_der: bool  # False: signed_attrs were not encoded by the rules, nobody may re-encode them
    attributes: tuple[Attribute, ...]  # the signed ones
    unsigned_attributes: tuple[Attribute, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedData:
    """A SignedData, RFC 5652 5.1."""

    digest_algorithms: frozenset[bytes]
    content_type: bytes  # OBJECT IDENTIFIER, DER
    # Pieces of the input, uncopied, to be read once; reading may raise Asn1Error. None: detached.
    content: Iterator[memoryview] | None
    certificates: tuple[bytes, ...]
    signer_infos: tuple[SignerInfo, ...]


def parse_signed_data(data: bytes | mmap) -> SignedData:
    """Parse a ContentInfo of a SignedData, in DER, BER or PEM.

    Raises:
        Asn1Error: it is none.
    """
    reader = Asn1Reader(_from_pem(data))
    content_type, explicit = _exactly(reader.sequence(reader.document(), 2), 2)
    if reader.encoding(content_type) != SIGNED_DATA_OID:
        raise Asn1Error("not a SignedData")
    (wrapped,) = _exactly(reader.children(reader.expect(explicit, EXPLICIT_0)), 1)
    version, algorithms, encap_content_info, *rest = reader.sequence(wrapped, 4)
    reader.expect(version, INTEGER)
    signer_infos = reader.children(reader.expect(rest.pop(), SET))
    if len(signer_infos) > MAX_SIGNER_INFOS:
        raise Asn1Error("too many signers")
    encap_type, content = _encap_content_info(reader, encap_content_info)
    return SignedData(
        digest_algorithms=frozenset(
            _algorithm(reader, algorithm)
            for algorithm in reader.children(reader.expect(algorithms, SET))
        ),
        content_type=encap_type,
        content=content,
        certificates=_certificates(reader, rest),
        signer_infos=tuple(_signer_info(reader, signer_info) for signer_info in signer_infos),
    )


def _from_pem(data: bytes | mmap) -> bytes | mmap:
    if PEM_START.match(data) is None:
        return data
    match = PEM.fullmatch(data)
    if match is None:
        raise Asn1Error("not one PEM block of a signature")
    try:
        return base64.b64decode(match[2].translate(None, WHITE_SPACE), validate=True)
    except binascii.Error as error:
        raise Asn1Error("not base64") from error


def _exactly(elements: list[Element], count: int) -> list[Element]:
    if len(elements) != count:
        raise Asn1Error(f"{len(elements)} elements where {count} belong")
    return elements


def _encap_content_info(
    reader: Asn1Reader, element: Element
) -> tuple[bytes, Iterator[memoryview] | None]:
    content_type, *explicit = reader.sequence(element, 1)
    oid = reader.encoding(reader.expect(content_type, OBJECT_IDENTIFIER))
    if not explicit:
        return oid, None
    (wrapper,) = _exactly(explicit, 1)
    (octets,) = _exactly(reader.children(reader.expect(wrapper, EXPLICIT_0)), 1)
    return oid, reader.octets(octets)


def _certificates(reader: Asn1Reader, optional: list[Element]) -> tuple[bytes, ...]:
    # certificates [0] and crls [1], both optional, in this order
    tags = [element.tag for element in optional]
    if tags not in ([], [CERTIFICATES], [CRLS], [CERTIFICATES, CRLS]):
        raise Asn1Error("elements that a SignedData does not have")
    if CERTIFICATES not in tags:
        return ()
    return tuple(
        reader.encoding(choice)
        for choice in reader.children(optional[0])
        if choice.tag == CERTIFICATE
    )


def _algorithm(reader: Asn1Reader, element: Element) -> bytes:
    oid = reader.sequence(element, 1)[0]
    return reader.encoding(reader.expect(oid, OBJECT_IDENTIFIER))


def _signer_info(reader: Asn1Reader, element: Element) -> SignerInfo:
    version, sid, digest_algorithm, *rest = reader.sequence(element, 5)
    reader.expect(version, INTEGER)
    signed = rest.pop(0) if rest[0].tag == SIGNED_ATTRS else None
    unsigned = rest.pop() if rest[-1].tag == UNSIGNED_ATTRS else None
    signature_algorithm, signature = _exactly(rest, 2)
    issuer, serial_number, key_identifier = _signer_identifier(reader, sid)
    signed_attrs = None if signed is None else b"\x31" + reader.encoding(signed)[1:]
    return SignerInfo(
        issuer=issuer,
        serial_number=serial_number,
        subject_key_identifier=key_identifier,
        digest_algorithm=_algorithm(reader, digest_algorithm),
        signature_algorithm=_algorithm(reader, signature_algorithm),
        signature=b"".join(reader.octets(signature)),
        signed_attrs=signed_attrs,
        is_der=signed_attrs is None or is_der(signed_attrs),
        attributes=() if signed is None else _attributes(reader, signed),
        unsigned_attributes=() if unsigned is None else _attributes(reader, unsigned),
    )


def _signer_identifier(
    reader: Asn1Reader, sid: Element
) -> tuple[bytes | None, bytes | None, bytes | None]:
    if sid.tag == SUBJECT_KEY_IDENTIFIER:
        return None, None, reader.contents(sid)
    issuer, serial_number = _exactly(reader.sequence(sid, 2), 2)
    return reader.encoding(issuer), reader.encoding(reader.expect(serial_number, INTEGER)), None


def _attributes(reader: Asn1Reader, parent: Element) -> tuple[Attribute, ...]:
    found: list[Attribute] = []
    for element in reader.children(parent):
        attribute_type, values = _exactly(reader.sequence(element, 2), 2)
        found.append(
            Attribute(
                type=reader.encoding(reader.expect(attribute_type, OBJECT_IDENTIFIER)),
                values=tuple(
                    reader.encoding(value) for value in reader.children(reader.expect(values, SET))
                ),
            )
        )
    return tuple(found)
