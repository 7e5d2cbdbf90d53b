"""Forged XML signatures: algorithms, keys, certificates, properties. Each beside its control."""

import base64
import io
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml import etree
from support.pki import AT, load, load_key
from support.xml_signatures import (
    C14N,
    ENVELOPED,
    EXCLUSIVE,
    MORE,
    PROPERTIES,
    RSA_SHA1,
    SHA1,
    Document,
    Ref,
    Sig,
    canonical,
    qualifying_properties,
)

from jpki.verification import Coverage, Note, Reason, SignatureReport, Verdict
from jpki.verification.xml import verify_xml

CA = [load("signature-ca")]
TEXT = '<申請 xmlns="urn:x" id="all"><明細 id="part"><金額>100</金額></明細>{}</申請>'
XADES_SIG = Sig(references=(Ref(), PROPERTIES), objects=qualifying_properties())
DIGEST = base64.b64encode(bytes(32)).decode()


def sign(signature: Sig | None = None, text: str = TEXT, **more) -> bytes:
    return Document(text=text, signature=signature or Sig(), **more).sign()


def reasons_of(document: bytes, anchors=CA, at=AT, **more) -> list[Reason]:
    report = verify_xml(document, anchors, at, **more)
    found = [*report.reasons]
    for signature in report.signatures:
        found += signature.reasons
        if signature.reasons and signature.write_covered is not None:
            assert signature.verdict is not Verdict.PASSED
    assert (report.verdict is Verdict.PASSED) is not bool(found)
    return found


def covered_bytes(signature: SignatureReport) -> bytes:
    assert signature.write_covered is not None
    output = io.BytesIO()
    signature.write_covered(output)
    return output.getvalue()


def test_the_controls_pass():
    assert reasons_of(sign()) == []
    assert reasons_of(sign(XADES_SIG)) == []


# --- the document and the signature value -------------------------------------------------------


def test_a_changed_document_fails_and_nothing_of_it_is_shown():
    forged = sign().replace(b"100", b"999")
    assert reasons_of(forged) == [Reason.DIGEST_MISMATCH]
    assert covered_bytes(verify_xml(forged, CA, AT).signatures[0]) == b""
    expired = sign(Sig(certificates=("signature-expired",)))
    (signature,) = verify_xml(expired, CA, AT).signatures
    assert signature.reasons == (Reason.EXPIRED,)
    assert covered_bytes(signature) == TEXT.replace("{}", "").encode()


def test_a_changed_reference_fails():
    document = sign()
    digest = etree.fromstring(document).findtext(".//{*}DigestValue").encode()
    forged = document.replace(digest, DIGEST.encode())
    assert reasons_of(forged) == [Reason.DIGEST_MISMATCH, Reason.SIGNATURE_INVALID]


def test_a_signature_by_another_key_fails():
    document = sign(key=load_key("authentication"))
    assert reasons_of(document) == [Reason.SIGNATURE_INVALID]


def test_one_wrong_reference_of_two_fails():
    right = Ref(uri="#part", transforms=(C14N,))
    assert reasons_of(sign(Sig(references=(Ref(), right)))) == []
    wrong = replace(right, digest=DIGEST)
    for references in ((Ref(), wrong), (wrong, Ref())):
        assert reasons_of(sign(Sig(references=references))) == [Reason.DIGEST_MISMATCH]


def test_of_two_signatures_the_wrong_one_decides():
    parts = '<r><a id="a">1</a><b id="b">2</b>{}</r>'
    one = Sig(id="one", references=(Ref(uri="#a", transforms=(C14N,)),))
    two = Sig(id="two", references=(Ref(uri="#b", transforms=(C14N,)),))
    first = sign(one, parts).decode().split("?>", 1)[1].replace("</r>", "{}</r>")
    both = sign(two, first)
    assert reasons_of(both) == []
    for text in (b">1<", b">2<"):
        report = verify_xml(both.replace(text, b">9<"), CA, AT)
        assert report.verdict is Verdict.FAILED
        assert sorted(each.verdict for each in report.signatures) == ["failed", "passed"]


def test_a_signature_whose_references_lead_nowhere_fails_beside_a_sound_one():
    part = Sig(references=(Ref(uri="#part", transforms=(C14N,)),))
    text = sign(part).decode().split("?>", 1)[1]
    lost = Sig(id="lost", references=(Ref(uri="#gone", transforms=(C14N,), digest=DIGEST),))
    both = sign(lost, text.replace("</申請>", "{}</申請>"))
    assert reasons_of(both) == [Reason.REFERENCE_UNRESOLVED]
    assert verify_xml(both, CA, AT).signatures[1].verdict is Verdict.FAILED


def signed_info_value(document: bytes, make) -> bytes:
    """Replace the signature value by what ``make`` makes of the canonical SignedInfo."""
    root = etree.fromstring(document)
    signature = root.find(".//{*}Signature")
    value = make(canonical(signature[0], signature[0][0]))
    signature[1].text = base64.b64encode(value).decode()
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


def test_the_harness_of_the_next_test_makes_sound_values():
    key = load_key("signature")
    document = signed_info_value(
        sign(), lambda octets: key.sign(octets, padding.PKCS1v15(), hashes.SHA256())
    )
    assert reasons_of(document) == []


@pytest.mark.parametrize("fault", ["other hash", "pss", "short", "long", "zero", "one", "empty"])
def test_values_that_are_no_pkcs1_signature_fail(fault):
    key = load_key("signature")

    def make(octets: bytes) -> bytes:
        right = key.sign(octets, padding.PKCS1v15(), hashes.SHA256())
        pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        return {
            "other hash": key.sign(octets, padding.PKCS1v15(), hashes.SHA384()),
            "pss": key.sign(octets, pss, hashes.SHA256()),
            "short": right[:-1],
            "long": right + b"\x00",
            "zero": bytes(256),
            "one": bytes(255) + b"\x01",
            "empty": b"",
        }[fault]

    assert reasons_of(signed_info_value(sign(), make)) == [Reason.SIGNATURE_INVALID]


# --- algorithms ---------------------------------------------------------------------------------

HMACS = (
    "http://www.w3.org/2000/09/xmldsig#hmac-sha1",
    MORE + "hmac-sha256",
    MORE + "hmac-sha512",
)


@pytest.mark.parametrize("method", HMACS)
@pytest.mark.parametrize("form", ["PEM", "DER", "certificate", "empty"])
@pytest.mark.parametrize("length", ["", "<ds:HMACOutputLength>8</ds:HMACOutputLength>"])
def test_hmac_with_what_is_public_as_its_key_fails(method, form, length):
    public = load("signature").public_key()
    secret = {
        "PEM": public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        "DER": public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
        "certificate": load("signature").public_bytes(Encoding.DER),
        "empty": b"",
    }[form]
    algorithm = hashes.SHA512() if method.endswith("512") else hashes.SHA256()

    def make(octets: bytes) -> bytes:
        mac = hmac.HMAC(secret or b"\x00", algorithm)
        mac.update(octets)
        return mac.finalize()[:1] if length else mac.finalize()

    document = sign(Sig(method=method, method_content=length))
    assert reasons_of(signed_info_value(document, make)) == [Reason.UNSUPPORTED_ALGORITHM]


@pytest.mark.parametrize(
    "method",
    [
        "",
        "none",
        "http://www.w3.org/2000/09/xmldsig#dsa-sha1",
        MORE + "ecdsa-sha256",
        "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1",
        "rsa-sha256",
        MORE + "rsa-sha256 ",
    ],
)
def test_other_signature_methods_fail(method):
    key = load_key("signature")
    document = signed_info_value(
        sign(Sig(method=method)),
        lambda octets: key.sign(octets, padding.PKCS1v15(), hashes.SHA256()),
    )
    assert reasons_of(document) == [Reason.UNSUPPORTED_ALGORITHM]
    empty = signed_info_value(sign(Sig(method=method)), lambda _: b"")
    assert reasons_of(empty) == [Reason.UNSUPPORTED_ALGORITHM]


def test_parameters_of_the_signature_method_are_not_ignored():
    with_length = Sig(method_content="<ds:HMACOutputLength>0</ds:HMACOutputLength>")
    assert reasons_of(sign(with_length)) == [Reason.UNSUPPORTED_ALGORITHM]


def test_a_swapped_signature_method_fails():
    swapped = sign().replace(b"#rsa-sha256", b"#rsa-sha512")
    assert reasons_of(swapped) == [Reason.SIGNATURE_INVALID]


def test_the_weak_hashes_fail_and_md5_is_not_even_computed():
    md5 = Sig(references=(Ref(digest_method=MORE + "md5"),))
    assert reasons_of(sign(md5)) == [Reason.WEAK_ALGORITHM]
    assert reasons_of(sign(Sig(method=MORE + "rsa-md5"))) == [Reason.WEAK_ALGORITHM]
    assert reasons_of(sign(md5), allow_sha1=True) == [Reason.WEAK_ALGORITHM]


SHA1_FORMS = {
    "both": Sig(method=RSA_SHA1, references=(Ref(uri="#all", digest_method=SHA1),)),
    "the signature": Sig(method=RSA_SHA1),
    "a digest": Sig(references=(Ref(digest_method=SHA1),)),
}


@pytest.mark.parametrize("name", SHA1_FORMS)
def test_sha1_is_read_and_reported_as_weak_and_passes_only_if_allowed(name):
    document = sign(SHA1_FORMS[name])
    (signature,) = verify_xml(document, CA, AT).signatures
    assert signature.reasons == (Reason.WEAK_ALGORITHM,)
    assert covered_bytes(signature) == b""
    assert signature.covers is Coverage.WHOLE
    assert signature.signer is not None
    (signature,) = verify_xml(document, CA, AT, allow_sha1=True).signatures
    assert signature.reasons == ()
    assert covered_bytes(signature) == TEXT.replace("{}", "").encode()
    assert signature.notes == (Note.SHA1_ALLOWED,)


@pytest.mark.parametrize("name", SHA1_FORMS)
def test_with_sha1_allowed_a_changed_document_fails_all_the_same(name):
    forged = sign(SHA1_FORMS[name]).replace(b"100", b"999")
    assert reasons_of(forged, allow_sha1=True) == [Reason.DIGEST_MISMATCH]
    other = sign(SHA1_FORMS[name], key=load_key("authentication"))
    assert reasons_of(other, allow_sha1=True) == [Reason.SIGNATURE_INVALID]


def test_a_note_about_sha1_stands_only_where_it_was_used():
    (signature,) = verify_xml(sign(), CA, AT, allow_sha1=True).signatures
    assert signature.notes == ()


@pytest.mark.parametrize(
    "method", ["", "urn:none", "http://www.w3.org/2007/05/xmldsig-more#sha3-256"]
)
def test_other_digest_methods_fail(method):
    document = sign(Sig(references=(Ref(digest_method=method, digest=DIGEST),)))
    assert reasons_of(document) == [Reason.UNSUPPORTED_ALGORITHM]


@pytest.mark.parametrize(
    "canonicalization",
    [
        "http://www.w3.org/TR/1999/REC-xslt-19991116",
        "http://www.w3.org/2010/xml-c14n2",
        "urn:identity",
        "",
    ],
)
def test_other_canonicalizations_of_signed_info_fail(canonicalization):
    markup = f'<ds:CanonicalizationMethod Algorithm="{canonicalization}"/>'
    assert reasons_of(sign(Sig(canonicalization=markup))) == [Reason.UNSUPPORTED_TRANSFORM]


XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116"
XSLT = (
    '<ds:Transform Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116"><x:stylesheet'
    ' version="1.0" xmlns:x="http://www.w3.org/1999/XSL/Transform"><x:template match="/"/>'
    "</x:stylesheet></ds:Transform>"
)
TRANSFORMS = {
    "xslt": XSLT,
    "xpath": f'<ds:Transform Algorithm="{XPATH}"><ds:XPath>true()</ds:XPath></ds:Transform>',
    "xpath filter": '<ds:Transform Algorithm="http://www.w3.org/2002/06/xmldsig-filter2"/>',
    "base64": '<ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#base64"/>',
    "unknown": '<ds:Transform Algorithm="urn:unknown"/>',
    "none": "<ds:Transform/>",
    "canonicalized twice": f'<ds:Transform Algorithm="{C14N}"/>' * 2,
    "enveloped twice": f'<ds:Transform Algorithm="{ENVELOPED}"/>' * 2,
    "enveloped last": f'<ds:Transform Algorithm="{C14N}"/><ds:Transform Algorithm="{ENVELOPED}"/>',
    "parameters": f'<ds:Transform Algorithm="{C14N}"><ds:XPath>1</ds:XPath></ds:Transform>',
}


@pytest.mark.parametrize("name", TRANSFORMS)
def test_transforms_that_could_leave_something_out_are_refused(name):
    reference = Ref(transforms_markup=TRANSFORMS[name], digest=DIGEST)
    assert reasons_of(sign(Sig(references=(reference,)))) == [Reason.UNSUPPORTED_TRANSFORM]
    behind = f'<ds:Transform Algorithm="{ENVELOPED}"/>' + TRANSFORMS[name]
    if name != "canonicalized twice":
        behind += f'<ds:Transform Algorithm="{C14N}"/>'
    reference = Ref(transforms_markup=behind, digest=DIGEST)
    assert reasons_of(sign(Sig(references=(reference,)))) == [Reason.UNSUPPORTED_TRANSFORM]


def test_a_reference_to_the_signature_without_itself_is_refused():
    """Nothing would be left, and nothing would be signed."""
    for uri in ("#sig", "#o"):
        reference = Ref(uri=uri, digest="47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
        signature = Sig(references=(reference,), objects='<ds:Object Id="o"/>')
        assert reasons_of(sign(signature)) == [Reason.UNSUPPORTED_TRANSFORM]


@pytest.mark.parametrize(
    "uri", ["#", "#missing", "#xpointer(/)", "#xpointer(id('part'))", "#element(/1)"]
)
def test_references_that_lead_nowhere_fail(uri):
    document = sign(Sig(references=(Ref(uri=uri, transforms=(C14N,), digest=DIGEST),)))
    assert reasons_of(document) == [Reason.REFERENCE_UNRESOLVED]


def test_a_reference_without_uri_fails():
    document = sign(Sig(references=(Ref(uri=None, digest=DIGEST),)))
    assert reasons_of(document) == [Reason.REFERENCE_UNRESOLVED]


def test_a_relative_namespace_has_no_canonical_form():
    document = sign().replace(b"<\xe6\x98\x8e", b'<a:x xmlns:a="relative"/><\xe6\x98\x8e', 1)
    assert Reason.UNSUPPORTED_TRANSFORM in reasons_of(document)


def test_c14n_11_with_an_inherited_base_is_refused():
    text = '<r xml:base="http://example.jp/"><part id="part"/>{}</r>'
    c14n11 = "http://www.w3.org/2006/12/xml-c14n11"
    exclusive = f'<ds:CanonicalizationMethod Algorithm="{EXCLUSIVE}"/>'
    reference = Ref(uri="#part", transforms=(c14n11,))
    document = sign(Sig(references=(reference,), canonicalization=exclusive), text)
    assert reasons_of(document) == [Reason.UNSUPPORTED_TRANSFORM]
