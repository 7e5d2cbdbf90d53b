"""Signature wrapping: the signed element moved elsewhere, and a forged one put where it was.

XSW1 to XSW8 after Somorovsky et al., "On Breaking SAML" (2012). The signature stays right, so what
must hold is that nothing but the signed element is ever shown as signed, and the forged document is
never said to be signed as a whole.
"""

import io
from typing import Any

import pytest
from lxml import etree
from support.pki import AT, load, load_key
from support.xml_signatures import C14N, DS, ENVELOPED, PROPERTIES, Document, Ref, Sig, x509_data
from support.xml_signatures import qualifying_properties as properties

from jpki.signing.xml import sign_xml
from jpki.signing.xml_options import XmlForm, XmlOptions
from jpki.verification import Coverage, Reason, SignatureReport, Verdict, VerificationReport
from jpki.verification.xml import verify_xml

CA = [load("signature-ca")]
GOOD = '<申請 xmlns="urn:x" ID="a"><金額>100</金額>{}</申請>'
SHOWN = GOOD.replace("{}", "").encode()
EVIL = '<申請 xmlns="urn:x"{id}><金額>999</金額></申請>'
SIGNATURE = f"{{{DS}}}Signature"


def verify(document: bytes) -> VerificationReport:
    return verify_xml(document, CA, AT)


def shown(signature: SignatureReport) -> bytes:
    output = io.BytesIO()
    assert signature.write_covered is not None
    signature.write_covered(output)
    return output.getvalue()


def signed(reference: str = "#a", form: XmlForm = XmlForm.XADES) -> bytes:
    document = GOOD.replace("{}", "").encode()
    options = XmlOptions(reference=reference, form=form)
    return sign_xml(
        document, load_key("signature"), load("signature"), signing_time=AT, options=options
    )


def parse(document: bytes):
    return etree.fromstring(document)


def without_signature(root):
    copy = parse(etree.tostring(root, encoding="utf-8"))
    copy.remove(copy.find(SIGNATURE))
    return copy


def evil(identifier: str):
    return parse(EVIL.format(id=identifier).encode())


def to_bytes(root) -> bytes:
    return etree.tostring(root, encoding="utf-8", xml_declaration=True)


def wrapper(*children):
    root = etree.Element("Envelope")
    root.extend(children)
    return root


def object_with(*children):
    holder = etree.Element(f"{{{DS}}}Object", nsmap={"ds": DS})
    holder.extend(children)
    return holder


def xsw1(root, forged):
    """The original stands in the signature, the signature in the forged root."""
    original, signature = without_signature(root), root.find(SIGNATURE)
    signature.append(original)
    forged.append(signature)
    return forged


def xsw2(root, forged):
    """The original stands before the signature, both in the forged root."""
    forged.append(without_signature(root))
    forged.append(root.find(SIGNATURE))
    return forged


def xsw3(root, forged):
    """The forged element stands before the original."""
    return wrapper(forged, root)


def xsw4(root, forged):
    """The original stands in the forged element."""
    forged.append(root)
    return wrapper(forged)


def xsw5(root, forged):
    """The signature stands in the forged element, the original behind it."""
    original, signature = without_signature(root), root.find(SIGNATURE)
    forged.append(signature)
    return wrapper(forged, original)


def xsw6(root, forged):
    """As 5, with the original in the signature."""
    original, signature = without_signature(root), root.find(SIGNATURE)
    signature.append(original)
    forged.append(signature)
    return wrapper(forged)


def xsw7(root, forged):
    """The forged element stands in an element where anything may stand, before the original."""
    extensions = etree.Element("Extensions")
    extensions.append(forged)
    return wrapper(extensions, root)


def xsw8(root, forged):
    """The original stands in a ds:Object of the signature, the signature in the forged element."""
    original, signature = without_signature(root), root.find(SIGNATURE)
    signature.append(object_with(original))
    forged.append(signature)
    return forged


WRAPPINGS = (xsw1, xsw2, xsw3, xsw4, xsw5, xsw6, xsw7, xsw8)
BROKEN = {
    xsw1: Reason.MALFORMED,  # a signature has no such children
    xsw6: Reason.MALFORMED,
    xsw8: Reason.UNSUPPORTED_TRANSFORM,  # without the signature nothing would be left
}


def test_the_controls_pass_as_whole_documents():
    for reference in ("", "#a"):
        for form in (XmlForm.XADES, XmlForm.XMLDSIG):
            report = verify(signed(reference, form))
            (signature,) = report.signatures
            assert report.verdict is Verdict.PASSED
            assert (signature.covers, shown(signature)) == (Coverage.WHOLE, SHOWN)


@pytest.mark.parametrize("form", [XmlForm.XADES, XmlForm.XMLDSIG])
@pytest.mark.parametrize("identifier", ["", ' ID="b"', ' Id="b"'], ids=["none", "other", "Id"])
@pytest.mark.parametrize("wrap", WRAPPINGS)
def test_a_moved_element_is_a_part_and_nothing_else_is_shown(wrap, identifier, form):
    report = verify(to_bytes(wrap(parse(signed(form=form)), evil(identifier))))
    (signature,) = report.signatures
    assert signature.covers is Coverage.PART
    if wrap in BROKEN:
        assert signature.reasons == (BROKEN[wrap],)
        assert shown(signature) == b""
    else:
        assert signature.reasons == ()
        assert signature.covered == "#a 申請"
        assert shown(signature) == SHOWN


@pytest.mark.parametrize("form", [XmlForm.XADES, XmlForm.XMLDSIG])
@pytest.mark.parametrize("identifier", [' ID="a"', ' id="a"', ' Id="a"', ' xml:id="a"'])
@pytest.mark.parametrize("wrap", WRAPPINGS)
def test_with_the_id_of_the_signed_element_twice_it_fails(wrap, identifier, form):
    report = verify(to_bytes(wrap(parse(signed(form=form)), evil(identifier))))
    (signature,) = report.signatures
    assert signature.verdict is Verdict.FAILED
    assert signature.covers is Coverage.PART
    assert shown(signature) == b""
    if BROKEN.get(wrap) is not Reason.MALFORMED:
        assert Reason.REFERENCE_AMBIGUOUS in signature.reasons


def test_a_part_that_was_moved_into_an_object_is_a_part():
    """XSW8 where the signature did not stand in what it signs."""
    exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#"  # no namespaces of the new place
    signature = Sig(references=(Ref(uri="#a", transforms=(exclusive,)),))
    root = parse(Document(text='<r><x id="a">100</x>{}</r>', signature=signature).sign())
    original = root[0]
    root.replace(original, parse(b"<x>999</x>"))
    root.find(SIGNATURE).append(object_with(original))
    (report,) = verify(to_bytes(root)).signatures
    assert (report.reasons, report.covers, report.covered) == ((), Coverage.PART, "#a x")
    assert shown(report) == b'<x id="a">100</x>'


@pytest.mark.parametrize("wrap", WRAPPINGS)
def test_a_signature_of_the_whole_document_cannot_be_moved(wrap):
    report = verify(to_bytes(wrap(parse(signed("")), evil(""))))
    (signature,) = report.signatures
    assert signature.verdict is Verdict.FAILED
    assert set(signature.reasons) & {Reason.DIGEST_MISMATCH, Reason.MALFORMED}
    assert shown(signature) == b""


def test_the_same_id_in_literal_and_percent_encoded_form_is_ambiguous():
    text = '<r><a id="%61">1</a><b id="a">2</b>{}</r>'
    reference = Ref(uri="#%61", transforms=(C14N,))
    report = verify(Document(text=text, signature=Sig(references=(reference,))).sign())
    assert report.signatures[0].reasons == (Reason.REFERENCE_AMBIGUOUS,)


def test_an_id_twice_elsewhere_does_no_harm():
    text = '<r><x id="n"/><x id="n"/>{}</r>'
    assert verify(Document(text=text).sign()).verdict is Verdict.PASSED


def test_an_id_twice_that_a_signed_part_has_fails():
    text = '<r><a id="n">1</a>{}</r>'
    document = Document(text=text, signature=Sig(references=(Ref(uri="#n", transforms=(C14N,)),)))
    assert verify(document.sign()).verdict is Verdict.PASSED
    forged = document.sign().replace(b"</r>", b'<evil Id="n"/></r>')
    assert verify(forged).signatures[0].reasons == (Reason.REFERENCE_AMBIGUOUS,)


def test_signed_properties_with_an_id_twice_fail():
    signature = Sig(
        references=(Ref(uri="#a", transforms=(C14N,)), PROPERTIES), objects=properties()
    )
    document = Document(text='<r><a id="a">1</a>{}</r>', signature=signature).sign()
    assert verify(document).verdict is Verdict.PASSED
    forged = document.replace(b"</r>", b'<evil id="props"/></r>')
    assert Reason.REFERENCE_AMBIGUOUS in verify(forged).signatures[0].reasons


def test_what_stands_unsigned_in_an_object_is_not_called_whole():
    """An application that looks for 申請 anywhere would find the forged one."""
    document = Document(text=GOOD).sign()
    assert verify(document).signatures[0].covers is Coverage.WHOLE
    for inside in (EVIL.format(id=""), "text", "<!-- c -->text", "<x/>"):
        added = f"<ds:Object>{inside}</ds:Object></ds:Signature>"
        (signature,) = verify(document.replace(b"</ds:Signature>", added.encode())).signatures
        assert (signature.reasons, signature.covers) == ((), Coverage.PART)
        assert shown(signature) == SHOWN


def test_what_stands_signed_in_an_object_leaves_the_document_whole():
    references = (Ref(), Ref(uri="#o", transforms=(C14N,)))
    signature = Sig(references=references, objects='<ds:Object Id="o"><x/></ds:Object>')
    report = verify(Document(text=GOOD, signature=signature).sign())
    assert (report.verdict, report.signatures[0].covers) == (Verdict.PASSED, Coverage.WHOLE)


def test_a_second_signature_inside_the_first_is_judged_on_its_own():
    forged = Document(text=GOOD, key=load_key("foreign-ca")).sign()
    inner = etree.tostring(parse(forged).find(SIGNATURE)).decode()
    document = signed("#a").replace(
        b"</ds:Signature>", f"<ds:Object>{inner}</ds:Object></ds:Signature>".encode()
    )
    report = verify(document)
    assert report.verdict is Verdict.FAILED
    assert [each.verdict for each in report.signatures] == [Verdict.PASSED, Verdict.FAILED]
    assert report.signatures[0].covers is Coverage.PART


@pytest.mark.parametrize(
    ("place", "added"),
    [
        (b"<ds:SignatureValue>", b"<ds:SignedInfo/>"),
        (b"<ds:KeyInfo>", b"<ds:SignatureValue/>"),
        (b"</ds:Signature>", b"<ds:KeyInfo/>"),
        (b"</ds:Signature>", b"<evil/>"),
        (b"<ds:SignedInfo>", b"<evil/>"),
        (b"</ds:SignedInfo>", b"<evil/>"),
        (b"</ds:SignedInfo>", b"<?evil?>"),
        (b"<ds:DigestValue>", b"<ds:DigestValue/>"),
        (b"<ds:Reference ", b"<ds:CanonicalizationMethod/>"),
        (b"</ds:DigestValue>", b"<evil/>"),
        (b"</ds:SignatureValue>", b"<!-- -->"),
    ],
)
def test_a_signature_has_its_parts_once_and_in_their_order(place, added):
    document = Document(text=GOOD).sign()
    assert document.count(place) == 1
    forged = document.replace(place, added + place)
    assert verify(forged).signatures[0].reasons == (Reason.MALFORMED,)


def test_a_second_key_info_changes_nothing_but_the_verdict():
    document = Document(text=GOOD).sign()
    key_info = document[document.index(b"<ds:KeyInfo>") : document.index(b"</ds:KeyInfo>") + 13]
    assert verify(document.replace(key_info, key_info * 2)).signatures[0].reasons == (
        Reason.MALFORMED,
    )


# --- comments -----------------------------------------------------------------------------------


def test_a_comment_in_a_text_splits_nothing_that_is_shown():
    """Comments are not signed; a program that reads up to the first one would read less."""
    text = GOOD.replace("100", "user@example.jp.evil.test")
    document = Document(text=text).sign()
    (signature,) = verify(document).signatures
    assert signature.notes == ()
    forged = document.replace(b".evil", b"<!-- -->.evil")
    (signature,) = verify(forged).signatures
    assert signature.reasons == ()
    assert [note.value for note in signature.notes] == ["comments-not-signed"]
    assert shown(signature) == text.replace("{}", "").encode()


@pytest.mark.parametrize("method", [C14N, C14N + "#WithComments"])
def test_comments_beside_the_root_are_noted_too(method):
    document = Document(text=GOOD, signature=Sig(references=(Ref(transforms=(ENVELOPED, method)),)))
    forged = document.sign() + b"<!-- after -->"
    (signature,) = verify(forged).signatures
    assert signature.reasons == ()
    assert [note.value for note in signature.notes] == ["comments-not-signed"]


def test_comments_in_the_signature_itself_are_no_note():
    forged = Document(text=GOOD).sign().replace(b"<ds:X509Data>", b"<!-- --><ds:X509Data>")
    (signature,) = verify(forged).signatures
    assert (signature.reasons, signature.notes) == ((), ())


def test_a_comment_in_signed_info_does_not_change_what_is_compared():
    document = Document(text=GOOD).sign()
    digest = parse(document).findtext(".//{*}DigestValue").encode()
    commented = document.replace(digest, digest[:9] + b"<!-- -->" + digest[9:])
    assert verify(commented).verdict is Verdict.PASSED
    other = document.replace(digest, b"AAAA<!--" + digest + b"-->")
    assert Reason.SIGNATURE_INVALID in verify(other).signatures[0].reasons
    kept = Sig(canonicalization=f'<ds:CanonicalizationMethod Algorithm="{C14N}#WithComments"/>')
    document = Document(text=GOOD, signature=kept).sign()
    assert verify(document).verdict is Verdict.PASSED
    commented = document.replace(b"<ds:DigestValue>", b"<ds:DigestValue><!-- -->")
    assert verify(commented).signatures[0].reasons == (Reason.MALFORMED,)


def test_exclusive_and_inclusive_canonicalization_are_not_taken_for_each_other():
    exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#"
    text = '<r xmlns:unused="urn:u"><a id="a">1</a>{}</r>'
    for method, other in ((C14N, exclusive), (exclusive, C14N)):
        reference = Ref(uri="#a", transforms=(method,))
        document = Document(text=text, signature=Sig(references=(reference,))).sign()
        assert verify(document).verdict is Verdict.PASSED
        start = document.index(b"<ds:Transform ")
        swapped = document[:start] + document[start:].replace(method.encode(), other.encode(), 1)
        assert verify(swapped).signatures[0].reasons == (
            Reason.DIGEST_MISMATCH,
            Reason.SIGNATURE_INVALID,
        )


def test_an_exclusively_signed_part_may_move_and_is_a_part_wherever_it_goes():
    exclusive = "http://www.w3.org/2001/10/xml-exc-c14n#"
    signature = Sig(
        references=(Ref(uri="#a", transforms=(ENVELOPED, exclusive)),),
        canonicalization=f'<ds:CanonicalizationMethod Algorithm="{exclusive}"/>',
    )
    document = Document(text=GOOD, signature=signature).sign()
    assert verify(document).signatures[0].covers is Coverage.WHOLE
    moved = b'<evil xmlns:e="urn:e">' + document.split(b"?>", 1)[1] + b"</evil>"
    (report,) = verify(moved).signatures
    assert (report.reasons, report.covers, shown(report)) == ((), Coverage.PART, SHOWN)


# --- what stands unsigned in the signature itself -----------------------------------------------

KEYS = x509_data(load("signature"))
XADES_OBJECT = properties()


def in_unsigned_properties(markup: str) -> str:
    unsigned = f"<x:UnsignedProperties>{markup}</x:UnsignedProperties></x:QualifyingProperties>"
    return XADES_OBJECT.replace("</x:QualifyingProperties>", unsigned)


STRANGE = {
    "an element in KeyInfo": {"key_info": f"{KEYS}<amount>900</amount>"},
    "an element in X509Data": {
        "key_info": KEYS.replace("</ds:X509Data>", "<amount>900</amount></ds:X509Data>")
    },
    "a text in KeyInfo": {"key_info": f"pay 900{KEYS}"},
    "an attribute": {"key_info": KEYS.replace("<ds:X509Data>", "<ds:X509Data amount='900'>")},
    "an element among unsigned properties": {
        "objects": in_unsigned_properties("<amount>900</amount>")
    },
    "a text among unsigned properties": {
        "objects": in_unsigned_properties("pay 900<x:UnsignedSignatureProperties/>")
    },
    "an element beside the properties": {
        "objects": XADES_OBJECT.replace(
            "</x:QualifyingProperties>", "<amount>900</amount></x:QualifyingProperties>"
        )
    },
}
USUAL = {
    "a name of the key": {"key_info": f"<ds:KeyName>key 1</ds:KeyName>{KEYS}"},
    "names in X509Data": {
        "key_info": KEYS.replace(
            "<ds:X509Data>", "<ds:X509Data><ds:X509SubjectName>CN=x</ds:X509SubjectName>"
        )
    },
    "unsigned properties": {
        "objects": in_unsigned_properties(
            '<x:UnsignedSignatureProperties><x:SignatureTimeStamp Id="t">'
            "<x:EncapsulatedTimeStamp>AA==</x:EncapsulatedTimeStamp></x:SignatureTimeStamp>"
            "</x:UnsignedSignatureProperties>"
        )
    },
}


def with_properties(parts: dict[str, Any]) -> SignatureReport:
    references = (Ref(), PROPERTIES)
    text = "<contract><amount>100</amount>{}</contract>"
    given: dict[str, Any] = {"objects": XADES_OBJECT} | parts
    signature = Sig(references=references, **given)
    return verify_xml(Document(text=text, signature=signature).sign(), CA, AT).signatures[0]


@pytest.mark.parametrize("parts", STRANGE.values(), ids=STRANGE)
def test_a_document_with_something_strange_in_its_signature_is_not_called_whole(parts):
    report = with_properties(parts)
    assert (report.reasons, report.covers) == ((), Coverage.PART)


@pytest.mark.parametrize("parts", USUAL.values(), ids=USUAL)
def test_what_signatures_usually_hold_leaves_the_document_whole(parts):
    report = with_properties(parts)
    assert (report.reasons, report.covers) == ((), Coverage.WHOLE)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<ds:SignatureValue>", b"pay 900<ds:SignatureValue>"),
        (b"<ds:SignatureValue>", b"<ds:SignatureValue amount='900'>"),
        (b"<ds:Signature ", b"<ds:Signature amount='900' "),
        (b"<ds:Signature ", b"<ds:Signature xmlns:e='urn:e' e:amount='900' "),
    ],
)
def test_nothing_is_added_to_a_signature_without_its_being_said(old, new):
    document = Document(text="<contract>100{}</contract>").sign()
    assert verify_xml(document, CA, AT).signatures[0].covers is Coverage.WHOLE
    report = verify_xml(document.replace(old, new), CA, AT).signatures[0]
    assert report.covers is Coverage.PART
