"""A TimeStampToken as it is encoded, RFC 3161 2.4.2: parsed into plain values, judged elsewhere."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from jpki.certificates.asn1 import (
    INTEGER,
    OBJECT_IDENTIFIER,
    OCTET_STRING,
    SEQUENCE,
    Asn1Error,
    Asn1Reader,
    Element,
)
from jpki.signing.digest import AnyHash, read_hash
from jpki.verification.signed_data import SignedData, SignerInfo, parse_signed_data

TST_INFO_OID: Final = bytes.fromhex("060B2A864886F70D0109100104")
GENERALIZED_TIME: Final = 0x18
BOOLEAN_TRUE: Final = b"\x01\x01\xff"
EXTENSIONS: Final = 0xA1
# With a fraction of a second at most, and that in DER: no zeros at its end. RFC 3161 2.4.2.
GEN_TIME: Final = re.compile(r"(\d{14})(?:\.(\d{0,17}[1-9]))?Z", re.ASCII)
MICROSECONDS: Final = 6
TST_INFO_FIELDS: Final = 5  # those that are not optional
MAX_TST_INFO: Final = 1 << 16  # bytes; 200 are usual


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampToken:
    """What a timestamp authority signed, and how."""

    time: datetime  # UTC
    algorithm: AnyHash | None  # of the imprint; None: not one that we take
    imprint: bytes  # the hash of what existed at that time
    nonce: int | None
    has_critical_extension: bool
    tst_info: bytes  # the bytes that were signed
    signed_data: SignedData
    signer_info: SignerInfo


def parse_timestamp_token(token: bytes) -> TimestampToken:
    """Parse a ContentInfo of a timestamp, in DER or BER.

    Raises:
        Asn1Error: it is none.
    """
    signed_data = parse_signed_data(token)
    if signed_data.content_type != TST_INFO_OID or signed_data.content is None:
        raise Asn1Error("not a timestamp")
    if len(signed_data.signer_infos) != 1:  # RFC 3161 2.4.2: of the authority and nobody else
        raise Asn1Error("a timestamp has one signer")
    tst_info = b"".join(signed_data.content)
    if len(tst_info) > MAX_TST_INFO:
        raise Asn1Error("a timestamp that is too large")
    reader = Asn1Reader(tst_info, strict=True)
    version, policy, imprint, serial_number, time, *optional = reader.sequence(
        reader.document(), TST_INFO_FIELDS
    )
    if reader.contents(reader.expect(version, INTEGER)) != b"\x01":
        raise Asn1Error("a timestamp of another version")
    reader.expect(policy, OBJECT_IDENTIFIER)
    reader.expect(serial_number, INTEGER)
    algorithm, digest = _imprint(reader, imprint)
    return TimestampToken(
        time=_time(reader.contents(reader.expect(time, GENERALIZED_TIME))),
        algorithm=algorithm,
        imprint=digest,
        nonce=_nonce(reader, optional),
        has_critical_extension=_has_critical_extension(reader, optional),
        tst_info=tst_info,
        signed_data=signed_data,
        signer_info=signed_data.signer_infos[0],
    )


def _imprint(reader: Asn1Reader, element: Element) -> tuple[AnyHash | None, bytes]:
    algorithm, digest = reader.sequence(element, 2)
    oid = reader.sequence(algorithm, 1)[0]
    return (
        read_hash(reader.encoding(oid)),
        reader.contents(reader.expect(digest, OCTET_STRING)),
    )


def _time(contents: bytes) -> datetime:
    try:
        match = GEN_TIME.fullmatch(contents.decode("ascii"))
        seconds, fraction = ("", "") if match is None else match.groups(default="")
        moment = datetime.strptime(seconds, "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    except ValueError as error:  # another form, no ASCII, a 13th month, a leap second
        raise Asn1Error("no time") from error
    return moment.replace(microsecond=int(fraction[:MICROSECONDS].ljust(MICROSECONDS, "0")))


def _nonce(reader: Asn1Reader, optional: list[Element]) -> int | None:
    for element in optional:
        if element.tag == INTEGER:
            return int.from_bytes(reader.contents(element), "big", signed=True)
    return None


def _has_critical_extension(reader: Asn1Reader, optional: list[Element]) -> bool:
    return any(
        reader.encoding(field) == BOOLEAN_TRUE
        for element in optional
        if element.tag == EXTENSIONS
        for extension in reader.children(element)
        for field in reader.children(reader.expect(extension, SEQUENCE))
    )
