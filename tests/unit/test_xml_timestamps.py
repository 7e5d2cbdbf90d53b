"""XAdES with a timestamp over the signature."""

import base64
from datetime import timedelta

import pytest
from lxml import etree
from support.pki import AT, LEAF_UNTIL, load, load_key
from support.tsa import Token
from support.xml_signatures import DS, canonical

from jpki.signing.xml import sign_xml
from jpki.verification import Level, Note, Reason, SignatureReport, Verdict
from jpki.verification.xml import verify_xml

CA = [load("signature-ca")]
SIGNED = sign_xml(
    "<申請 xmlns:a='urn:a'><金額>100</金額></申請>".encode(),
    load_key("signature"),
    load("signature"),
    signing_time=AT,
)
MESSAGE = canonical(etree.fromstring(SIGNED).find(f".//{{{DS}}}SignatureValue"))


def stamped(*tokens: Token | bytes, method: str = "", document: bytes = SIGNED) -> bytes:
    stamps = "".join(
        f"<xades:SignatureTimeStamp>{method}<xades:EncapsulatedTimeStamp>{as_base64(token)}"
        "</xades:EncapsulatedTimeStamp></xades:SignatureTimeStamp>"
        for token in tokens
    )
    unsigned = (
        f"<xades:UnsignedProperties><xades:UnsignedSignatureProperties>{stamps}"
        "</xades:UnsignedSignatureProperties></xades:UnsignedProperties>"
    )
    end = b"</xades:QualifyingProperties>"
    return document.replace(end, unsigned.encode() + end)


def as_base64(token: Token | bytes) -> str:
    return base64.b64encode(token.der() if isinstance(token, Token) else token).decode()


def verify(document: bytes, anchors=CA, at=AT, now=None) -> SignatureReport:
    report = verify_xml(document, anchors, at, now=now)
    assert report.reasons == ()
    return report.signatures[0]


def test_a_timestamp_makes_level_b_t():
    assert verify(SIGNED).timestamp is None
    report = verify(stamped(Token(message=MESSAGE)))
    assert (report.reasons, report.level) == ((), Level.XADES_B_T)
    assert report.timestamp is not None
    assert (report.timestamp.reasons, report.timestamp.time) == ((), AT)


@pytest.mark.parametrize(
    ("uri", "exclusive"),
    [
        ("http://www.w3.org/TR/2001/REC-xml-c14n-20010315", False),
        ("http://www.w3.org/2001/10/xml-exc-c14n#", True),
    ],
)
def test_the_method_that_the_timestamp_names_is_used(uri, exclusive):
    value = etree.fromstring(SIGNED).find(f".//{{{DS}}}SignatureValue")
    copy = etree.fromstring(etree.tostring(value, with_tail=False))
    message = etree.tostring(copy, method="c14n", exclusive=exclusive)
    assert (message == MESSAGE) is not exclusive
    method = f'<ds:CanonicalizationMethod Algorithm="{uri}"/>'
    report = verify(stamped(Token(message=message), method=method))
    assert (report.level, report.timestamp.reasons) == (Level.XADES_B_T, ())


def test_a_timestamp_over_something_else_takes_nothing_from_the_signature():
    report = verify(stamped(Token(message=b"another signature")))
    assert (report.reasons, report.level) == ((), Level.XADES_B_B)
    assert report.timestamp.reasons == (Reason.DIGEST_MISMATCH,)


@pytest.mark.parametrize(
    ("stamp", "reason"),
    [
        (stamped(b"\x30\x00"), Reason.MALFORMED),
        (
            stamped(Token(message=MESSAGE)).replace(b"EncapsulatedTimeStamp", b"XMLTimeStamp"),
            Reason.MALFORMED,
        ),
        (
            stamped(
                Token(message=MESSAGE), method='<ds:CanonicalizationMethod Algorithm="urn:x"/>'
            ),
            Reason.UNSUPPORTED_TRANSFORM,
        ),
    ],
    ids=["no token", "no element", "no method"],
)
def test_a_timestamp_that_cannot_be_read_is_told(stamp, reason):
    report = verify(stamp)
    assert (report.reasons, report.level) == ((), Level.XADES_B_B)
    assert report.timestamp.reasons == (reason,)


def test_the_earliest_of_several_good_ones_counts():
    later = Token(message=MESSAGE, time=AT - timedelta(days=1))
    earlier = Token(message=MESSAGE, time=AT - timedelta(days=2))
    bad = Token(message=b"", time=AT - timedelta(days=3))
    report = verify(stamped(bad, later, earlier))
    assert report.timestamp.time == earlier.time


def test_a_certificate_that_expired_after_the_timestamp_was_good_for_the_signature():
    after = LEAF_UNTIL + timedelta(days=1)
    assert verify(SIGNED, at=after).reasons == (Reason.EXPIRED,)
    report = verify(stamped(Token(message=MESSAGE)), at=after)
    assert (report.reasons, report.notes) == ((), (Note.EXPIRED_AFTER_TIMESTAMP,))
    forged = verify(stamped(Token(message=b"another")), at=after)
    assert forged.reasons == (Reason.EXPIRED,)


def test_without_trust_in_the_authority_the_signature_is_as_it_was():
    report = verify(stamped(Token(message=MESSAGE)), anchors=[])
    assert report.verdict is Verdict.INDETERMINATE
    assert report.reasons == (Reason.NO_ANCHOR,)
    assert report.timestamp.verdict is Verdict.INDETERMINATE


def test_a_timestamp_of_plain_xmldsig_is_not_looked_for():
    """Its properties are of XAdES; without signed ones they are an error."""
    document = stamped(Token(message=MESSAGE))
    start, end = document.index(b"<xades:SignedProperties"), document.index(b"</xades:SignedProp")
    cut = document[:start] + document[end + len("</xades:SignedProperties>") :]
    assert Reason.SIGNED_ATTRIBUTES_INVALID in verify(cut).reasons
    assert verify(cut).level is Level.XMLDSIG
