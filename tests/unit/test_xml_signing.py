"""Signing XML: forms, places, what stays as it was, and what is refused before the key is used."""

import io
from datetime import datetime, timedelta, timezone

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from lxml import etree
from signxml.xades import XAdESVerifier
from support.pki import AT, load, load_key
from support.xml_signatures import C14N, DS, ENVELOPED, SHA256, XADES

from jpki.errors import DocumentError, DocumentFault
from jpki.signing import HashAlgorithm
from jpki.signing.xml import check_xml, sign_xml, sign_xml_files
from jpki.signing.xml_options import Canonicalization, XmlForm, XmlOptions, is_prefix
from jpki.verification import Coverage, Level, Verdict
from jpki.verification.xml import verify_xml

CA = [load("signature-ca")]
TEXT = (
    '<?xml version="1.0" encoding="UTF-8"?>\n'
    '<申請 xmlns="urn:x" id="all"><明細 id="part">100</明細></申請>\n'
)
NAMES = {"ds": DS, "x": XADES}


class CountingKey:
    """A key that tells how often it was used, and offers no more than a card's."""

    def __init__(self) -> None:
        self.calls = 0
        self.key_size = 2048

    def sign(self, data, padding, algorithm) -> bytes:
        self.calls += 1
        assert isinstance(padding, PKCS1v15)
        return load_key("signature").sign(data, padding, algorithm)


def sign(document: str | bytes = TEXT, key=None, files=None, **options) -> bytes:
    data = document.encode() if isinstance(document, str) else document
    signer = load_key("signature") if key is None else key
    return sign_xml(
        data,
        signer,
        load("signature"),
        signing_time=AT,
        options=XmlOptions(**options),
        files=files or {},
    )


def fault_of(document: str | bytes, **options) -> tuple[DocumentFault, str]:
    """The fault that checking finds, and signing without using the key."""
    data = document.encode() if isinstance(document, str) else document
    with pytest.raises(DocumentError) as checked:
        check_xml(data, XmlOptions(**options))
    key = CountingKey()
    with pytest.raises(DocumentError) as refused:
        sign(data, key, **options)
    assert key.calls == 0
    assert (refused.value.fault, refused.value.detail) == (
        checked.value.fault,
        checked.value.detail,
    )
    return checked.value.fault, checked.value.detail


def verify(document: bytes, **more):
    report = verify_xml(document, CA, AT, **more)
    assert report.verdict is Verdict.PASSED, report
    (signature,) = report.signatures
    return signature


def tree_of(document: bytes):
    return etree.fromstring(document)


# --- forms --------------------------------------------------------------------------------------


def test_the_default_is_xades_b_b_over_the_whole_document():
    signature = verify(sign())
    assert signature.level is Level.XADES_B_B
    assert signature.covers is Coverage.WHOLE
    assert signature.signing_time == AT
    assert signature.hash_algorithm is HashAlgorithm.SHA256


def test_xades_has_what_the_baseline_asks_for():
    """ETSI EN 319 132-1 6.3."""
    root = tree_of(sign())
    (certificate,) = root.findall(".//ds:KeyInfo/ds:X509Data/ds:X509Certificate", NAMES)
    assert certificate.text
    properties = root.find(".//x:SignedSignatureProperties", NAMES)
    assert [etree.QName(each).localname for each in properties] == [
        "SigningTime",
        "SigningCertificateV2",
    ]
    assert properties.findtext("x:SigningTime", None, NAMES) == "2026-06-01T03:00:00Z"
    references = root.findall(".//ds:Reference", NAMES)
    described = [
        each.get("ObjectReference") for each in root.findall(".//x:DataObjectFormat", NAMES)
    ]
    assert described == [f"#{references[0].get('Id')}"]
    assert root.findtext(".//x:MimeType", None, NAMES) == "text/xml"
    assert [each.get("Type") for each in references] == [
        None,
        "http://uri.etsi.org/01903#SignedProperties",
        None,
    ]
    signature_id = root.find("ds:Signature", NAMES).get("Id")
    assert root.find(".//x:QualifyingProperties", NAMES).get("Target") == f"#{signature_id}"


@pytest.mark.parametrize("form", [XmlForm.XADES, XmlForm.XMLDSIG])
@pytest.mark.parametrize("prefix", ["ds", "dsig", ""])
def test_the_schemas_of_w3c_and_etsi_are_met(form, prefix):
    document = sign(form=form, prefix=prefix)
    signature = tree_of(document).find("ds:Signature", NAMES)
    alone = etree.fromstring(etree.tostring(signature))
    schemas = XAdESVerifier().schemas() if form is XmlForm.XADES else XAdESVerifier().schemas()[:1]
    for schema in schemas[-2:]:
        schema.assertValid(alone)


def test_plain_xmldsig_claims_no_time():
    signature = verify(sign(form=XmlForm.XMLDSIG))
    assert (signature.level, signature.signing_time) == (Level.XMLDSIG, None)


@pytest.mark.parametrize("digest", HashAlgorithm)
def test_the_digest_is_that_of_references_and_value(digest):
    document = sign(digest=digest)
    assert verify(document).hash_algorithm is digest
    methods = {each.get("Algorithm") for each in tree_of(document).iter(f"{{{DS}}}DigestMethod")}
    assert len(methods) == 1


@pytest.mark.parametrize("method", Canonicalization)
def test_the_canonicalization_is_that_of_signed_info_and_of_every_reference(method):
    root = tree_of(sign(canonicalization=method))
    last = [each[-1].get("Algorithm") for each in root.iter(f"{{{DS}}}Transforms")]
    assert last == [method.uri] * 3
    assert root.find(".//ds:CanonicalizationMethod", NAMES).get("Algorithm") == method.uri


@pytest.mark.parametrize("form", [XmlForm.XADES, XmlForm.XMLDSIG, XmlForm.EGOV])
def test_the_key_is_used_exactly_once(form):
    key = CountingKey()
    text = '<DataRoot><構成情報 ID="a"/></DataRoot>' if form is XmlForm.EGOV else TEXT
    verify(sign(text, key, form=form))
    assert key.calls == 1


def test_the_same_input_gives_the_same_signature():
    assert sign() == sign()


def test_the_time_is_written_in_utc_to_the_second():
    japan = timezone(timedelta(hours=9))
    moment = datetime(2026, 6, 1, 12, 0, 0, 999_999, tzinfo=japan)
    document = sign_xml(
        TEXT.encode(), load_key("signature"), load("signature"), signing_time=moment
    )
    assert verify(document).signing_time == AT


# --- places and references ----------------------------------------------------------------------


def test_a_part_is_signed_by_its_id_and_the_signature_stands_outside_of_it():
    document = sign(reference="#part")
    signature = verify(document)
    assert (signature.covers, signature.covered) == (Coverage.PART, "#part 明細")
    root = tree_of(document)
    assert root[-1].tag == f"{{{DS}}}Signature"
    transforms = [each.get("Algorithm") for each in root.find(".//ds:Transforms", NAMES)]
    assert transforms == [C14N]


def test_the_enveloped_transform_is_there_where_the_signature_stands_in_what_it_signs():
    root = tree_of(sign(reference="#part", parent="//*[@id='part']"))
    assert root[0][-1].tag == f"{{{DS}}}Signature"
    transforms = [each.get("Algorithm") for each in root.find(".//ds:Transforms", NAMES)]
    assert transforms == [ENVELOPED, C14N]


def test_a_japanese_id_and_one_in_another_attribute():
    text = '<r><a id="構成">1</a><b Nr="n">2</b></r>'
    assert verify(sign(text, reference="#構成")).covered == "#構成 a"
    document = sign(text, reference="#n", id_attribute="Nr")
    assert verify(document, id_attribute="Nr").covered == "#n b"


def test_parents_are_found_by_xpath_with_the_prefixes_of_the_root():
    text = '<a:r xmlns:a="urn:a"><a:b><a:c/></a:b><a:b/></a:r>'
    document = sign(text, parent="/a:r/a:b[2]")
    assert tree_of(document)[1][0].tag == f"{{{DS}}}Signature"
    assert verify(document).covers is Coverage.WHOLE


def test_the_namespace_of_signatures_may_be_the_default_one():
    document = sign(prefix="")
    assert b"<Signature xmlns" in document
    assert b"ds:" not in document
    assert verify(document).covers is Coverage.WHOLE


def test_several_signatures_of_several_parts_stand_beside_each_other():
    text = '<r><a id="a">1</a><b id="b">2</b></r>'
    first = sign(text, reference="#a")
    second = sign(first, reference="#b")
    third = sign(second, reference="#a")
    report = verify_xml(third, CA, AT)
    assert report.verdict is Verdict.PASSED
    assert [each.covered for each in report.signatures] == ["#a a", "#b b", "#a a"]
    ids = [each.get("Id") for each in tree_of(third).iter(f"{{{DS}}}Signature")]
    assert len(set(ids)) == 3


# --- files --------------------------------------------------------------------------------------


def streams(**contents: bytes) -> dict[str, io.BytesIO]:
    return {name.replace("_", "."): io.BytesIO(content) for name, content in contents.items()}


@pytest.mark.parametrize("form", [XmlForm.XADES, XmlForm.XMLDSIG])
def test_files_are_signed_by_a_document_of_their_own(form):
    key = CountingKey()
    contents = {"a.txt": b"one", "見積 書#1?%.pdf": bytes(300), "b&c<d>.xml": b"<broken"}
    document = sign_xml_files(
        {name: io.BytesIO(data) for name, data in contents.items()},
        key,  # type: ignore[arg-type]
        load("signature"),
        signing_time=AT,
        options=XmlOptions(form=form),
    )
    assert key.calls == 1
    assert tree_of(document).tag == f"{{{DS}}}Signature"
    given = {name: io.BytesIO(data) for name, data in contents.items()}
    signature = verify(document, detached_files=given)
    assert (signature.covers, signature.covered) == (Coverage.WHOLE, ", ".join(contents))
    formats = tree_of(document).findall(".//x:MimeType", NAMES)
    assert [each.text for each in formats] == ["application/octet-stream"] * 3 * (
        form is XmlForm.XADES
    )


def test_a_document_and_files_are_signed_together():
    document = sign(files=streams(a_txt=b"one"))
    signature = verify(document, detached_files=streams(a_txt=b"one"))
    assert (signature.covers, signature.covered) == (Coverage.WHOLE, "a.txt")


def test_bugs_of_the_caller_are_errors():
    key, certificate = load_key("signature"), load("signature")
    naive = datetime(2026, 6, 1)  # noqa: DTZ001
    with pytest.raises(ValueError, match="time zone"):
        sign_xml(b"<a/>", key, certificate, signing_time=naive)
    for files in ({}, {"": io.BytesIO()}):
        with pytest.raises(ValueError, match="file"):
            sign_xml_files(files, key, certificate, signing_time=AT)
    with pytest.raises(ValueError, match="files"):
        sign_xml_files(
            streams(a=b""), key, certificate, signing_time=AT, options=XmlOptions(form=XmlForm.EGOV)
        )
    for reference in ("a", "#", "http://example.jp/"):
        with pytest.raises(ValueError, match="reference"):
            XmlOptions(reference=reference)


@pytest.mark.parametrize(
    ("prefix", "is_one"),
    [
        *((name, True) for name in ("", "ds", "dsig", "_a", "a.b-c1", "a" * 64)),
        *((name, False) for name in ("1a", "xml", "XmlX", "a:b", "a b", "署名", "xades", "-a")),
        ("a" * 65, False),
    ],
)
def test_prefixes_are_short_ascii_names(prefix, is_one):
    assert is_prefix(prefix) is is_one
    if not is_one:
        with pytest.raises(ValueError, match="prefix"):
            XmlOptions(prefix=prefix)


# --- e-Gov --------------------------------------------------------------------------------------

KOUSEI = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<?xml-stylesheet href="9.xsl" type="text/xsl"?>\n'
    "<DataRoot>\n\t<様式ID>9</様式ID>\n"
    '\t<構成情報 ID="構成情報"><氏名>見本　太郎</氏名></構成情報>\n'
    "\t<STYLESHEET/>\n</DataRoot>\n"
)


def test_the_form_of_egov_is_that_of_the_samples():
    document = sign(
        KOUSEI,
        form=XmlForm.EGOV,
        prefix="ds",
        canonicalization=Canonicalization.EXCLUSIVE,
        files={"900A_01.xml": io.BytesIO(b"<a/>"), "添付 1.txt": io.BytesIO(b"x")},
    )
    before, after = KOUSEI.encode().split("</構成情報>".encode())
    assert document.startswith(before + "</構成情報><署名情報><Signature xmlns=".encode())
    assert document.endswith("</Signature></署名情報>".encode() + after)
    root = tree_of(document)
    signature = root.find("署名情報/ds:Signature", NAMES)
    assert signature.get("Id") == "20260601120000"  # in Japan
    assert signature.find(".//ds:CanonicalizationMethod", NAMES).get("Algorithm") == C14N
    references = signature.findall(".//ds:Reference", NAMES)
    assert [each.get("URI") for each in references] == [
        "#%E6%A7%8B%E6%88%90%E6%83%85%E5%A0%B1",
        "900A_01.xml",
        "%E6%B7%BB%E4%BB%98%201.txt",
    ]
    transforms = [
        [one.get("Algorithm") for one in each.iterfind(".//ds:Transform", NAMES)]
        for each in references
    ]
    assert transforms == [[C14N], [], []]
    assert {each.get("Algorithm") for each in root.iter(f"{{{DS}}}DigestMethod")} == {SHA256}
    assert [etree.QName(each).localname for each in signature] == [
        "SignedInfo",
        "SignatureValue",
        "KeyInfo",
    ]
    files = {"900A_01.xml": io.BytesIO(b"<a/>"), "添付 1.txt": io.BytesIO(b"x")}
    report = verify(document, detached_files=files)
    assert (report.covers, report.covered) == (
        Coverage.PART,
        "#構成情報 構成情報, 900A_01.xml, 添付 1.txt",
    )


def test_a_place_for_the_signature_that_is_there_is_used():
    text = KOUSEI.replace("<STYLESHEET/>", "<署名情報/>")
    root = tree_of(sign(text, form=XmlForm.EGOV))
    (place,) = root.findall("署名情報")
    assert place[0].tag == f"{{{DS}}}Signature"


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("<DataRoot/>", "構成情報"),
        (KOUSEI.replace("</DataRoot>", "<構成情報/></DataRoot>"), "構成情報"),
        (KOUSEI.replace(' ID="構成情報"', ""), "ID"),
        (KOUSEI.replace("<STYLESHEET/>", "<署名情報/><署名情報/>"), "署名情報"),
        ("<構成情報/>", "構成情報"),
    ],
    ids=["none", "two", "no id", "two places", "no root"],
)
def test_what_is_no_form_of_egov_is_refused(text, what):
    assert fault_of(text, form=XmlForm.EGOV) == (DocumentFault.NOT_EGOV, what)


def test_an_id_of_egov_that_stands_twice_is_refused():
    text = KOUSEI.replace("<STYLESHEET/>", '<a id="構成情報"/>')
    assert fault_of(text, form=XmlForm.EGOV) == (DocumentFault.DUPLICATE_ID, "2")


# --- what is refused ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        (b"", DocumentFault.EMPTY),
        (b"text", DocumentFault.XML_MALFORMED),
        (b"<a>", DocumentFault.XML_MALFORMED),
        (b"<a/><b/>", DocumentFault.XML_MALFORMED),
        (b"<a>\xff</a>", DocumentFault.XML_MALFORMED),
        (b"<a>&undefined;</a>", DocumentFault.XML_MALFORMED),
        (b'<a xmlns:b="relative"/>', DocumentFault.XML_NOT_CANONICAL),
        (b"<!DOCTYPE a><a/>", DocumentFault.XML_HAS_DTD),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', DocumentFault.XML_HAS_DTD),
        (b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/a.dtd"><a/>', DocumentFault.XML_HAS_DTD),
        (b"<a>" * 257 + b"</a>" * 257, DocumentFault.XML_TOO_DEEP),
        (b"<a>" + b"x" * 10_500_000 + b"</a>", DocumentFault.XML_TOO_LARGE),
        (b"<a><!--" + b"x" * 10_500_000 + b"--></a>", DocumentFault.XML_TOO_LARGE),
        (b"<a>" + b"<b/>" * 8_000_001 + b"</a>", DocumentFault.XML_TOO_LARGE),
        (b"<a>" + bytes(129 << 20), DocumentFault.XML_TOO_LARGE),
    ],
    ids=range(15),
)
def test_documents_that_cannot_be_signed_are_refused_before_the_key_is_used(document, fault):
    assert fault_of(document)[0] is fault


def test_the_detail_of_a_broken_document_is_a_line_and_no_text_of_it():
    fault, detail = fault_of("<a>\n<秘密></b></a>")
    assert (fault, detail) == (DocumentFault.XML_MALFORMED, "2")


def test_a_signature_needs_room_below_its_parent():
    deep = "<a>" * 245 + '<b id="b"/>' + "</a>" * 245
    fault, _ = fault_of(deep, parent="//b", reference="#b")
    assert fault is DocumentFault.XML_TOO_DEEP
    verify(sign(deep, reference="#b"))
    less = "<a>" * 244 + '<b id="b"/>' + "</a>" * 244
    verify(sign(less, parent="//b", reference="#b"))


def test_references_that_lead_nowhere_or_to_several_are_refused():
    text = '<r><a id="x"/><b Id="x"/><c xml:id="y"/><d k="y"/></r>'
    assert fault_of(text, reference="#z") == (DocumentFault.REFERENCE_MISSING, "")
    assert fault_of(text, reference="#x") == (DocumentFault.DUPLICATE_ID, "2")
    assert fault_of(text, reference="#y", id_attribute="k") == (DocumentFault.DUPLICATE_ID, "2")
    verify(sign(text, reference="#y"))


def test_one_element_with_its_id_in_two_attributes_is_one():
    text = '<r><a id="x" Id="x">1</a></r>'
    assert verify(sign(text, reference="#x")).covered == "#x a"


def test_an_id_twice_elsewhere_does_not_matter():
    verify(sign('<r><a id="x"/><b id="x"/></r>'))


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("//missing", "0"),
        ("//b", "2"),
        ("//b/@id", "0"),
        ("count(//b)", "0"),
        ("//b[", "0"),
        ("//unknown:b", "0"),
        ("//comment()", "0"),
        ("//text()", "0"),
    ],
)
def test_parents_must_be_exactly_one_element(path, found):
    text = '<r><b id="1">text</b><b/><!-- c --></r>'
    assert fault_of(text, parent=path) == (DocumentFault.PARENT_MISSING, found)


def test_a_signature_that_would_break_another_one_is_refused():
    whole = sign()
    assert fault_of(whole)[0] is DocumentFault.SIGNATURE_WOULD_BREAK
    assert fault_of(whole, reference="#part")[0] is DocumentFault.SIGNATURE_WOULD_BREAK
    by_root = sign(reference="#all")
    assert fault_of(by_root, reference="#part")[0] is DocumentFault.SIGNATURE_WOULD_BREAK
    part = sign(reference="#part")
    inside = {"reference": "#part", "parent": "//*[@id='part']"}
    assert fault_of(part, **inside)[0] is DocumentFault.SIGNATURE_WOULD_BREAK
    assert verify_xml(sign(part), CA, AT).verdict is Verdict.PASSED


def test_a_signature_that_leaves_signatures_out_is_not_broken_by_another_one():
    """An XPath filter says what it leaves out; it is not computed here."""
    xpath = (
        f'<ds:Transform xmlns:ds="{DS}" Algorithm="http://www.w3.org/TR/1999/REC-xpath-19991116"/>'
    )
    document = sign().replace(b"<ds:Transforms>", b"<ds:Transforms>" + xpath.encode(), 1)
    assert len(verify_xml(sign(document), CA, AT).signatures) == 2
