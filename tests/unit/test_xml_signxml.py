"""What signxml 5.2 gets wrong or cannot do, and what comes of it here: a test for each."""

import io
import logging

import pytest
from lxml import etree
from signxml import XMLSigner, methods
from signxml.xades import XAdESSigner
from support.pki import AT, load, load_key
from support.xml_signatures import C14N, DS, EXCLUSIVE, XADES, canonical

from jpki.signing.xml import sign_xml, sign_xml_files
from jpki.signing.xml_options import Canonicalization, XmlForm, XmlOptions
from jpki.verification import Verdict
from jpki.verification.xml import verify_xml

KEY, CERTIFICATE = load_key("signature"), load("signature")
NAMES = {"ds": DS, "x": XADES}


def sign(document: str, **options) -> bytes:
    data = document.encode()
    return sign_xml(data, KEY, CERTIFICATE, signing_time=AT, options=XmlOptions(**options))


def passes(document: bytes, **more) -> bool:
    return verify_xml(document, [load("signature-ca")], AT, **more).verdict is Verdict.PASSED


def references_of(document: bytes):
    return etree.fromstring(document).findall(".//ds:Reference", NAMES)


def test_element_names_may_be_japanese():
    with pytest.raises(etree.XMLSyntaxError):
        XMLSigner().sign(etree.fromstring("<申請/>"), key=KEY, cert=[CERTIFICATE])
    assert passes(sign("<申請><氏名 読み='みほん'>見本　太郎</氏名></申請>"))


def test_a_part_in_an_inherited_default_namespace_is_canonicalized_rightly():
    text = "<r xmlns='urn:d'><part id='p'><inner><leaf a='1'/></inner></part></r>"
    part = etree.fromstring(text)[0]
    in_place = etree.tostring(part, method="c14n")
    assert b'<leaf xmlns=""' in in_place  # lxml, where the part stands
    assert b"<leaf a=" in canonical(part)
    signed = sign(text, reference="#p")
    assert passes(signed)
    output = io.BytesIO()
    report = verify_xml(signed, [load("signature-ca")], AT)
    report.signatures[0].write_covered(output)
    assert output.getvalue() == canonical(part)


def test_xades_may_have_the_default_namespace():
    signer = XAdESSigner()
    signer.namespaces = {None: DS, "xades": XADES}
    with pytest.raises(Exception, match="Expected to find XML element"):
        signer.sign(etree.fromstring("<r/>"), key=KEY, cert=[CERTIFICATE])
    signed = sign("<r/>", prefix="")
    assert passes(signed)
    assert b"<ds:" not in signed


def test_references_to_the_properties_say_how_they_are_canonicalized():
    signer = XAdESSigner(c14n_algorithm=Canonicalization.EXCLUSIVE.uri)
    made = signer.sign(etree.fromstring("<r/>"), key=KEY, cert=[CERTIFICATE])
    transforms = [
        each.find("ds:Transforms", NAMES) for each in made.findall(".//ds:Reference", NAMES)
    ]
    assert [each is None for each in transforms] == [False, True, True]
    signed = sign("<r/>", canonicalization=Canonicalization.EXCLUSIVE)
    assert passes(signed)
    for reference in references_of(signed):
        methods_named = [
            each.get("Algorithm") for each in reference.iterfind(".//ds:Transform", NAMES)
        ]
        assert methods_named[-1] == EXCLUSIVE


def test_files_may_be_signed_that_are_no_xml():
    signer = XMLSigner(method=methods.detached)
    with pytest.raises(etree.XMLSyntaxError):
        signer.sign(b"no xml", key=KEY, cert=[CERTIFICATE], reference_uri=["a", "b"])
    files = {"a": b"no xml", "b": bytes(10)}
    signed = sign_xml_files(
        {name: io.BytesIO(data) for name, data in files.items()}, KEY, CERTIFICATE, signing_time=AT
    )
    assert passes(signed, detached_files={name: io.BytesIO(data) for name, data in files.items()})
    assert [each.find("ds:Transforms", NAMES) is None for each in references_of(signed)][:2] == [
        True,
        True,
    ]


def test_a_document_and_files_may_be_signed_together_each_with_transforms_of_its_own():
    document = sign_xml(
        "<DataRoot><構成情報 ID='構成情報'/></DataRoot>".encode(),
        KEY,
        CERTIFICATE,
        signing_time=AT,
        options=XmlOptions(form=XmlForm.EGOV),
        files={"a": io.BytesIO(b"one")},
    )
    found = [
        [one.get("Algorithm") for one in each.iterfind(".//ds:Transform", NAMES)]
        for each in references_of(document)
    ]
    assert found == [[C14N], []]


def test_the_time_is_the_callers_and_not_the_clocks():
    root = etree.fromstring(sign("<r/>"))
    assert root.findtext(".//x:SigningTime", None, NAMES) == "2026-06-01T03:00:00Z"


def test_every_signed_object_has_a_format_that_says_what_it_is():
    document = sign_xml(
        b"<r/>", KEY, CERTIFICATE, signing_time=AT, files={"a": io.BytesIO(), "b": io.BytesIO()}
    )
    root = etree.fromstring(document)
    formats = root.findall(".//x:DataObjectFormat", NAMES)
    ids = [f"#{each.get('Id')}" for each in references_of(document)[:3]]
    assert [each.get("ObjectReference") for each in formats] == ids
    types = [each.findtext("x:MimeType", None, NAMES) for each in formats]
    assert types == ["text/xml", "application/octet-stream", "application/octet-stream"]
    assert root.find(".//x:Description", NAMES) is None


def test_the_bare_key_is_not_written_beside_the_certificate():
    assert b"KeyValue" not in sign("<r/>")


def test_nothing_of_the_document_reaches_a_log(caplog):
    with caplog.at_level(logging.DEBUG):
        XMLSigner().sign(etree.fromstring("<r>SECRET</r>"), key=KEY, cert=[CERTIFICATE])
        assert "SECRET" in caplog.text
        caplog.clear()
        for form in (XmlForm.XADES, XmlForm.XMLDSIG):
            verify_xml(sign("<r>SECRET</r>", form=form), [load("signature-ca")], AT)
        assert "SECRET" not in caplog.text
        assert CERTIFICATE.subject.rfc4514_string() not in caplog.text


def test_the_prefix_is_the_one_asked_for_whatever_the_document_calls_the_namespace():
    for prefix in ("", "ds", "dsig", "s"):
        signed = sign(f"<r xmlns:s='{DS}'/>", prefix=prefix)
        assert passes(signed)
        tag = f"<{prefix}:Signature " if prefix else "<Signature "
        assert tag.encode() in signed
