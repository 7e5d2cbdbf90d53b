"""Who signed XML: keys, certificates and properties that contradict each other, beside controls."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from support.pki import AT, LEAF_FROM, LEAF_UNTIL, SIGNATURE_LEAF, load, load_key
from support.xml_signatures import (
    C14N,
    PROPERTIES,
    PROPERTIES_TYPE,
    RSA_SHA1,
    RSA_SHA256,
    SHA1,
    XADES,
    Document,
    Ref,
    Sig,
    key_value,
    qualifying_properties,
    x509_data,
)

from jpki.certificates import AnchorOrigin
from jpki.errors import AnchorNotCaError
from jpki.verification import Coverage, Level, Reason, SignatureReport, Verdict
from jpki.verification.xml import verify_xml

CA = [load("signature-ca")]
TEXT = '<申請 xmlns="urn:x" id="all"><明細 id="part"><金額>100</金額></明細>{}</申請>'
OBJECTS = qualifying_properties()
XADES_SIG = Sig(references=(Ref(), PROPERTIES), objects=OBJECTS)


def sign(signature: Sig | None = None, text: str = TEXT, **more) -> bytes:
    return Document(text=text, signature=signature or Sig(), **more).sign()


def verify(document: bytes, anchors=CA, at=AT, **more) -> SignatureReport:
    report = verify_xml(document, anchors, at, **more)
    assert report.reasons == ()
    (signature,) = report.signatures
    assert (signature.verdict is Verdict.PASSED) is not bool(signature.reasons)
    return signature


def reasons_of(document: bytes, anchors=CA, at=AT, **more) -> list[Reason]:
    return list(verify(document, anchors, at, **more).reasons)


def xades(objects: str, *references: Ref, **more) -> Sig:
    return Sig(references=(Ref(), *(references or (PROPERTIES,))), objects=objects, **more)


def other_leaf(**changes):
    """Another certificate for the signer's key."""
    leaf = replace(SIGNATURE_LEAF, **changes)
    return leaf.build(load_key("signature").public_key(), load_key("signature-ca"))


def test_the_controls_pass():
    assert reasons_of(sign()) == []
    assert reasons_of(sign(XADES_SIG)) == []


# --- keys and certificates ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "key_info",
    [
        "",
        "<ds:KeyName>見本</ds:KeyName>",
        key_value(load_key("signature").public_key()),
        "<ds:X509Data/>",
        "<ds:X509Data><ds:X509SubjectName>CN=a</ds:X509SubjectName></ds:X509Data>",
        '<ds:RetrievalMethod URI="http://127.0.0.1:9/" Type="urn:x"/>',
        '<x:wrapped xmlns:x="urn:x">' + x509_data(load("signature")) + "</x:wrapped>",
    ],
    ids=["none", "name", "bare key", "empty", "subject", "retrieval", "wrapped"],
)
def test_without_a_certificate_nobody_has_signed(key_info):
    assert reasons_of(sign(Sig(key_info=key_info))) == [Reason.SIGNER_CERTIFICATE_MISSING]


def test_a_key_that_is_not_the_certificates_contradicts_it():
    certificate = x509_data(load("signature"))
    own, other = (key_value(load_key(name).public_key()) for name in ("signature", "foreign-ca"))
    assert reasons_of(sign(Sig(key_info=certificate + own))) == []
    mismatch = [Reason.SIGNER_CERTIFICATE_MISMATCH]
    assert reasons_of(sign(Sig(key_info=certificate + other))) == mismatch
    assert reasons_of(sign(Sig(key_info=other + certificate))) == mismatch
    assert reasons_of(sign(Sig(key_info=own + other + certificate))) == mismatch
    ec = "<ds:KeyValue><e:ECKeyValue xmlns:e='http://www.w3.org/2009/xmldsig11#'/></ds:KeyValue>"
    assert reasons_of(sign(Sig(key_info=ec + certificate))) == mismatch


def test_a_signature_by_the_bare_key_beside_a_strangers_certificate_fails():
    """The key that fits is the forger's; the certificate is the victim's."""
    forger = load_key("foreign-ca")
    key_info = key_value(forger.public_key()) + x509_data(load("signature"))
    assert reasons_of(sign(Sig(key_info=key_info), key=forger)) == [
        Reason.SIGNER_CERTIFICATE_MISMATCH,
        Reason.SIGNATURE_INVALID,
    ]


@pytest.mark.parametrize(
    "key_info",
    [
        "<ds:X509Data><ds:X509Certificate>!</ds:X509Certificate></ds:X509Data>",
        "<ds:X509Data><ds:X509Certificate>AAAA<!-- -->AAAA</ds:X509Certificate></ds:X509Data>",
        "<ds:KeyValue><ds:RSAKeyValue/></ds:KeyValue>",
    ],
    ids=["no base64", "comment", "no modulus"],
)
def test_a_key_info_that_cannot_be_read_is_malformed(key_info):
    assert reasons_of(sign(Sig(key_info=key_info))) == [Reason.MALFORMED]


def test_a_certificate_that_cannot_be_read_is_told():
    key_info = "<ds:X509Data><ds:X509Certificate>MAA=</ds:X509Certificate></ds:X509Data>"
    assert reasons_of(sign(Sig(key_info=key_info))) == [Reason.CERTIFICATE_MALFORMED]


def test_certificates_added_by_anybody_do_not_spoil_a_sound_signature():
    crowd = [other_leaf(serial_number=number) for number in range(2, 12)]
    crowd += [load("authentication"), load("foreign-ca"), load("signature-ca")]
    assert reasons_of(sign(Sig(key_info=x509_data(*crowd[-3:], load("signature"))))) == []
    broken = "<ds:X509Data><ds:X509Certificate>MAA=</ds:X509Certificate></ds:X509Data>"
    assert reasons_of(sign(Sig(key_info=broken + x509_data(load("signature"))))) == []
    named = xades(OBJECTS, key_info=x509_data(*crowd, load("signature")))
    assert reasons_of(sign(named)) == []


@pytest.mark.parametrize("method", [RSA_SHA1, RSA_SHA256])
def test_a_certificate_with_another_kind_of_key_fails(method):
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = SIGNATURE_LEAF.build(key.public_key(), load_key("signature-ca"))
    bare = key_value(load_key("signature").public_key())
    for key_info in (x509_data(certificate), x509_data(certificate) + bare):
        found = reasons_of(sign(Sig(method=method, key_info=key_info)), allow_sha1=True)
        assert Reason.UNSUPPORTED_ALGORITHM in found
        assert (Reason.SIGNER_CERTIFICATE_MISMATCH in found) is (bare in key_info)


def test_the_ca_as_signer_fails():
    document = sign(Sig(certificates=("signature-ca",)), key=load_key("signature-ca"))
    assert Reason.SIGNER_IS_CA in reasons_of(document)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("signature-expired", Reason.EXPIRED),
        ("signature-not-yet-valid", Reason.NOT_YET_VALID),
        ("signature-wrong-usage", Reason.WRONG_KEY_USAGE),
        ("signature-foreign", Reason.UNTRUSTED_ISSUER),
    ],
)
def test_faults_of_the_certificate_are_those_of_the_path_check(name, reason):
    assert reasons_of(sign(Sig(certificates=(name,)))) == [reason]


def test_the_authentication_certificate_signs_no_documents():
    document = sign(Sig(certificates=("authentication",)), key=load_key("authentication"))
    assert Reason.WRONG_KEY_USAGE in reasons_of(document, [load("authentication-ca")])


def test_without_an_anchor_the_signature_is_undecided():
    signature = verify(sign(), anchors=[])
    assert signature.reasons == (Reason.NO_ANCHOR,)
    assert signature.verdict is Verdict.INDETERMINATE


def test_a_ca_of_j_lis_is_an_anchor_where_the_signature_carries_it(pinned_signature_ca):
    card = x509_data(other_leaf(policy="1.2.392.200149.8.5.1.1.20"))
    signature = verify(sign(Sig(key_info=card + x509_data(load("signature-ca")))), anchors=[])
    assert signature.reasons == ()
    assert signature.anchor is AnchorOrigin.PINNED
    assert signature.path is not None
    assert signature.path.pin is pinned_signature_ca
    assert reasons_of(sign(Sig(key_info=card)), anchors=[]) == [Reason.NO_ANCHOR]


def test_another_root_inside_the_signature_is_no_anchor():
    foreign = sign(Sig(certificates=("signature-foreign", "foreign-ca")))
    assert reasons_of(foreign, anchors=[]) == [Reason.NO_ANCHOR]
    assert reasons_of(foreign) == [Reason.UNTRUSTED_ISSUER]


def test_bugs_of_the_caller_are_errors():
    with pytest.raises(ValueError, match="time zone"):
        verify_xml(sign(), CA, datetime(2026, 6, 1))  # noqa: DTZ001
    with pytest.raises(AnchorNotCaError):
        verify_xml(sign(), [load("signature")], AT)


# --- the signed properties of XAdES -------------------------------------------------------------


def test_a_certificate_other_than_the_one_that_was_signed_for_fails():
    for objects in (
        qualifying_properties(load("authentication")),
        qualifying_properties(other_leaf(serial_number=77)),
        qualifying_properties(load("authentication"), element="SigningCertificate"),
    ):
        assert reasons_of(sign(xades(objects))) == [Reason.SIGNER_CERTIFICATE_MISMATCH]


def test_another_certificate_for_the_same_key_cannot_take_the_place_of_the_signers():
    swapped = xades(OBJECTS, key_info=x509_data(other_leaf(serial_number=77)))
    assert reasons_of(sign(swapped)) == [Reason.SIGNER_CERTIFICATE_MISMATCH]


def test_both_references_to_the_certificate_must_fit():
    right = qualifying_properties(extra=certificate_v1("signature"))
    wrong = qualifying_properties(extra=certificate_v1("authentication"))
    assert reasons_of(sign(xades(right))) == []
    assert reasons_of(sign(xades(wrong))) == [Reason.SIGNER_CERTIFICATE_MISMATCH]


def certificate_v1(name: str) -> str:
    objects = qualifying_properties(load(name), element="SigningCertificate", digest_method=SHA1)
    start = objects.index("<x:SigningCertificate>")
    end = objects.index("</x:SigningCertificate>") + len("</x:SigningCertificate>")
    return objects[start:end]


def test_properties_that_nobody_signed_are_missing():
    unsigned = Sig(references=(Ref(),), objects=OBJECTS)
    signature = verify(sign(unsigned))
    assert signature.reasons == (Reason.SIGNED_ATTRIBUTES_MISSING,)
    assert signature.signing_time is None
    assert signature.level is Level.XMLDSIG


def test_properties_that_were_cut_out_are_missed():
    document = sign(XADES_SIG)
    start, end = document.index(b"<ds:Object>"), document.index(b"</ds:Object>") + 12
    assert reasons_of(document[:start] + document[end:]) == [
        Reason.REFERENCE_UNRESOLVED,
        Reason.SIGNED_ATTRIBUTES_INVALID,
    ]


def test_signed_properties_elsewhere_than_in_the_signature_do_not_count():
    inner = OBJECTS.removeprefix("<ds:Object>").removesuffix("</ds:Object>")
    text = TEXT.replace(
        "{}", f'<moved xmlns:ds="http://www.w3.org/2000/09/xmldsig#">{inner}</moved>' + "{}"
    )
    moved = Sig(references=(Ref(), PROPERTIES))
    assert reasons_of(sign(moved, text)) == [Reason.SIGNED_ATTRIBUTES_INVALID]


def test_the_reference_of_properties_must_lead_to_properties():
    typed = Ref(uri="#part", transforms=(C14N,), type=PROPERTIES_TYPE)
    assert reasons_of(sign(xades(OBJECTS, PROPERTIES, typed))) == [Reason.SIGNED_ATTRIBUTES_INVALID]
    assert reasons_of(sign(xades("", typed))) == [Reason.SIGNED_ATTRIBUTES_INVALID]


@pytest.mark.parametrize("target", ["", "#", "#other", "sig"])
def test_properties_must_belong_to_this_signature(target):
    objects = qualifying_properties(target=target)
    assert reasons_of(sign(xades(objects))) == [Reason.SIGNED_ATTRIBUTES_INVALID]


def test_two_sets_of_properties_are_refused():
    twin = qualifying_properties().replace('"props"', '"twin"')
    assert reasons_of(sign(xades(OBJECTS + twin))) == [Reason.SIGNED_ATTRIBUTES_INVALID]


@pytest.mark.parametrize(
    "time",
    [
        "",
        "yesterday",
        "2026-13-01T00:00:00Z",
        "2026-06-01",
        "2026-06-01T24:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "２０２６-06-01T00:00:00Z",
        "2026-06-01T03:00:00Z<!-- -->",
    ],
)
def test_a_time_that_is_none_invalidates_the_properties(time):
    objects = qualifying_properties(time=time)
    found = reasons_of(sign(xades(objects)))
    if "<!--" in time:  # a comment is not signed, and what is read is what was signed
        assert found == []
    else:
        assert found == [Reason.SIGNED_ATTRIBUTES_INVALID]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<x:CertDigest>", "<x:CertDigest><ds:DigestMethod/>"),
        ("xmlenc#sha256", "unknown"),
        ("<x:Cert><x:CertDigest>", "<x:Cert><x:Digest>"),
    ],
)
def test_properties_that_cannot_be_read_are_invalid(old, new):
    objects = OBJECTS.replace(old, new).replace(
        "</x:CertDigest></x:Cert>",
        "</x:Digest></x:Cert>" if "x:Digest" in new else "</x:CertDigest></x:Cert>",
    )
    assert reasons_of(sign(xades(objects))) == [Reason.SIGNED_ATTRIBUTES_INVALID]


def test_a_time_twice_is_refused():
    objects = qualifying_properties(extra="<x:SigningTime>2026-06-01T03:00:00Z</x:SigningTime>")
    assert reasons_of(sign(xades(objects))) == [Reason.SIGNED_ATTRIBUTES_INVALID]


@pytest.mark.parametrize(
    ("time", "reasons"),
    [
        (LEAF_FROM, []),
        (LEAF_FROM - timedelta(seconds=1), [Reason.SIGNING_TIME_INVALID]),
        (AT + timedelta(minutes=5), []),
        (AT + timedelta(minutes=6), [Reason.SIGNING_TIME_IN_FUTURE]),
        (
            LEAF_UNTIL + timedelta(seconds=1),
            [Reason.SIGNING_TIME_INVALID, Reason.SIGNING_TIME_IN_FUTURE],
        ),
    ],
)
def test_the_claimed_time_may_not_contradict_what_is_known(time, reasons):
    objects = qualifying_properties(time=time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    assert reasons_of(sign(xades(objects))) == reasons


def test_the_time_of_day_is_told_apart_from_the_time_of_validity():
    objects = qualifying_properties(time="2026-06-02T00:00:00Z")
    assert reasons_of(sign(xades(objects)), now=AT + timedelta(days=2)) == []
    assert reasons_of(sign(xades(objects))) == [Reason.SIGNING_TIME_IN_FUTURE]


def test_unsigned_properties_change_nothing():
    unsigned = "<x:UnsignedProperties><x:UnsignedSignatureProperties/></x:UnsignedProperties>"
    document = sign(XADES_SIG).replace(
        b"</x:QualifyingProperties>", unsigned.encode() + b"</x:QualifyingProperties>"
    )
    assert (reasons_of(document), verify(document).covers) == ([], Coverage.WHOLE)


def test_an_older_namespace_of_xades_is_an_object_like_any_other():
    older = OBJECTS.replace(XADES, "http://uri.etsi.org/01903/v1.1.1#")
    signature = verify(sign(Sig(references=(Ref(), replace(PROPERTIES, type=None)), objects=older)))
    assert signature.reasons == ()
    assert signature.level is Level.XMLDSIG
