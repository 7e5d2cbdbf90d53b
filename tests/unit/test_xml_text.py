"""XML as it is written: encodings, byte order marks, and what signing leaves as it was."""

import codecs
import io

import pytest
from lxml import etree
from support.pki import AT, load, load_key
from support.xml_signatures import DS

from jpki.errors import DocumentError, DocumentFault
from jpki.signing.xml import check_xml, sign_xml
from jpki.signing.xml_document import XmlDocument
from jpki.signing.xml_encoding import decode_xml
from jpki.signing.xml_options import XmlOptions
from jpki.verification import Coverage, Reason, Verdict
from jpki.verification.xml import verify_xml

CA = [load("signature-ca")]
BODY = "<申請><氏名 読み='みほん'>見本　太郎</氏名><!-- 注 --></申請>"


def sign(document: bytes, **options) -> bytes:
    return sign_xml(
        document,
        load_key("signature"),
        load("signature"),
        signing_time=AT,
        options=XmlOptions(**options),
    )


def parts(signed: bytes, codec: str) -> tuple[bytes, bytes]:
    """What stands before and after the signature."""
    text = signed.decode(codec)
    start, end = text.index("<ds:Signature "), text.index("</ds:Signature>") + 15
    return text[:start].encode(codec), text[end:].encode(codec)


def assert_kept(document: bytes, codec: str) -> None:
    """Every byte of the document is there, with one piece put in."""
    signed = sign(document)
    before, after = parts(signed, codec)
    assert before + after == document
    report = verify_xml(signed, CA, AT)
    assert report.verdict is Verdict.PASSED
    assert report.signatures[0].covers is Coverage.WHOLE


# --- encodings ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("declared", "codec", "bom"),
    [
        (None, "utf-8", b""),
        ("UTF-8", "utf-8", b""),
        ("utf-8", "utf-8", codecs.BOM_UTF8),
        (None, "utf-8", codecs.BOM_UTF8),
        ("UTF-16", "utf-16-le", codecs.BOM_UTF16_LE),
        ("utf-16", "utf-16-be", codecs.BOM_UTF16_BE),
        (None, "utf-16-le", codecs.BOM_UTF16_LE),
        ("UTF-16LE", "utf-16-le", b""),
        ("UTF-16BE", "utf-16-be", b""),
        ("UTF-16", "utf-16-be", b""),
    ],
)
def test_documents_of_unicode_keep_every_byte(declared, codec, bom):
    declaration = "" if declared is None else f'<?xml version="1.0" encoding="{declared}"?>\r\n'
    document = bom + (declaration + BODY).encode(codec)
    signed = sign(document)
    before, after = parts(signed[len(bom) :], codec)
    assert bom + before + after == document
    assert verify_xml(signed, CA, AT).verdict is Verdict.PASSED


@pytest.mark.parametrize(("declared", "codec"), [("US-ASCII", "ascii"), ("ISO-8859-1", "latin-1")])
def test_documents_of_western_encodings_keep_every_byte(declared, codec):
    text = f"<?xml version='1.0' encoding='{declared}'?><a b='&#26085;'>&#26412;</a>"
    assert_kept(text.encode(codec), codec)
    if codec == "latin-1":
        assert_kept(text.replace("&#26412;", "\xe9\x85").encode(codec), codec)


JAPANESE = [
    ("Shift_JIS", "cp932", "髙﨑①～―ソ表\\~ｶﾅ"),
    ("shift-jis", "cp932", "髙"),
    ("Windows-31J", "cp932", "髙﨑①"),
    ("EUC-JP", "euc_jp", "表彰丂"),
    ("ISO-2022-JP", "iso2022_jp", "表彰</>"),
]


@pytest.mark.parametrize(("declared", "codec", "name"), JAPANESE)
def test_documents_of_japanese_encodings_become_utf8_and_nothing_else_changes(
    declared, codec, name
):
    """One reading for all: 0x8160 and 0x5C are different characters to different verifiers."""
    text = f"<?xml version='1.0' encoding='{declared}'  standalone=\"yes\" ?>\r\n<申請>{name}"
    text = text.replace("</>", "") + "</申請>\r\n"
    signed = sign(text.encode(codec))
    before, after = parts(signed, "utf-8")
    assert (before + after).decode() == text.replace(declared, "UTF-8")
    report = verify_xml(signed, CA, AT)
    assert report.verdict is Verdict.PASSED
    output = io.BytesIO()
    report.signatures[0].write_covered(output)
    assert output.getvalue().decode() == f"<申請>{name.replace('</>', '')}</申請>"


def test_a_signature_in_a_japanese_encoding_is_read_as_windows_reads_it():
    utf8 = sign("<?xml version='1.0' encoding='UTF-8'?><申請>髙～</申請>".encode())
    sjis = utf8.decode().replace("'UTF-8'", "'Shift_JIS'").encode("cp932")
    assert verify_xml(sjis, CA, AT).verdict is Verdict.PASSED
    other = sjis.replace("髙".encode("cp932"), "高".encode("cp932"))
    assert verify_xml(other, CA, AT).signatures[0].reasons == (Reason.DIGEST_MISMATCH,)


@pytest.mark.parametrize(
    ("document", "name"),
    [
        (b"<?xml version='1.0' encoding='UTF-7'?><a/>", "utf-7"),
        (b"<?xml version='1.0' encoding='EBCDIC'?><a/>", "ebcdic"),
        (b"<?xml version='1.0' encoding='UTF-16'?><a/>", "utf-16"),
        (codecs.BOM_UTF8 + b"<?xml version='1.0' encoding='Shift_JIS'?><a/>", "shift_jis"),
        ("\ufeff<?xml version='1.0' encoding='UTF-8'?><a/>".encode("utf-16-le"), "utf-8"),
        ("\ufeff<?xml version='1.0' encoding='UTF-16BE'?><a/>".encode("utf-16-le"), "utf-16be"),
        ("<a/>".encode("utf-32"), "utf-32"),
        ("<a/>".encode("utf-32-be"), "utf-32"),
        ("<?xml version='1.0' encoding='ascii'?><a>あ</a>".encode(), "ascii"),
        (b"<?xml version='1.0' encoding='EUC-JP'?><a>\xff\xff</a>", "euc-jp"),
        ("\ufeff<a/>".encode("utf-16-le") + b"\x00", "utf-16-le"),
        ("\ufeff<a>".encode("utf-16-le") + b"\x00\xd8\x00\xd8", "utf-16-le"),
    ],
)
def test_encodings_that_are_not_read_or_contradict_the_declaration_are_refused(document, name):
    with pytest.raises(DocumentError) as refused:
        check_xml(document)
    assert (refused.value.fault, refused.value.detail) == (DocumentFault.XML_ENCODING, name)
    assert verify_xml(document, CA, AT).reasons == (Reason.MALFORMED,)


@pytest.mark.parametrize(
    "declaration",
    [
        "<?xml?>",
        "<?xml version='1.0' encoding='" + "A" * 1000 + "'?>",
        "<?xml encoding='UTF-8'?>",
        "<?xml version='1.0' encoding=''?>",
        "<?xml version='1.0' standalone='perhaps'?>",
        "<?xml version='1.0' encoding='UTF-8'",
        "<?xml " + " " * 1000 + "version='1.0'?>",
    ],
)
def test_a_declaration_that_is_none_is_refused(declaration):
    with pytest.raises(DocumentError) as refused:
        check_xml(f"{declaration}<a/>".encode())
    assert refused.value.fault is DocumentFault.XML_MALFORMED


def test_what_is_decoded_is_encoded_as_it_was():
    for document in (b"<a/>", "\ufeff<a>日本</a>".encode("utf-16-be"), codecs.BOM_UTF8 + b"<a/>"):
        decoded = decode_xml(document)
        assert decoded.encode(decoded.utf8) == document


# --- the place ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "document",
    [
        "<a></a>",
        "<a>text</a >",
        "<a>\r\n  <b/>\r\n</a\n>\r\n",
        "<a/><!-- </a> -->",
        "<!-- </a> --><a>1</a><!-- <a> --><?p </a>?>\n",
        "<a><![CDATA[</a>]]></a>",
        "<a b='/a>'>1</a>",
        "<a><?p </a>?></a>",
        "<a><!-- </a> --></a>",
        "<a><a><a/></a></a>",
    ],
)
def test_the_signature_stands_at_the_end_of_the_root(document):
    signed = sign(document.encode())
    root = etree.fromstring(signed)
    assert root[-1].tag == f"{{{DS}}}Signature"
    assert root[-1].tail is None
    if "<a/>" not in document.replace("<a/></a>", ""):
        before, after = parts(signed, "utf-8")
        assert before + after == document.encode()
    assert verify_xml(signed, CA, AT).signatures[0].covers is Coverage.WHOLE


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("<a/>", "<a>{}</a>"),
        ("<a />", "<a>{}</a>"),
        ("<a  b='/>' c = \"x>y\"\n/>", "<a  b='/>' c = \"x>y\">{}</a>"),
        ("<?x?><p:a xmlns:p='urn:u'/><!-- -->", "<?x?><p:a xmlns:p='urn:u'>{}</p:a><!-- -->"),
        ("<要素\t/>", "<要素>{}</要素>"),
    ],
)
def test_an_empty_root_gets_two_tags(document, expected):
    before, after = parts(sign(document.encode()), "utf-8")
    assert (before, after) == tuple(each.encode() for each in expected.split("{}"))


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ("<r><a/><b>1</b><b>2</b><c/></r>", "<r><a/><b>1</b><b>2{}</b><c/></r>"),
        ("<r><b/><b><b/></b></r>", "<r><b/><b><b/>{}</b></r>"),
        ("<r><b/><b/></r>", "<r><b/><b>{}</b></r>"),
        ("<r><b/><b\n></b\n></r>", "<r><b/><b\n>{}</b\n></r>"),
        (
            "<r><!--<b>--><b/><![CDATA[<b>]]><b x='<'/></r>".replace("'<'", "'>'"),
            "<r><!--<b>--><b/><![CDATA[<b>]]><b x='>'>{}</b></r>",
        ),
        ("<r><b><c/></b><b><c/></b></r>", "<r><b><c/></b><b><c/>{}</b></r>"),
    ],
)
def test_the_signature_stands_at_the_end_of_its_parent(document, expected):
    before, after = parts(sign(document.encode(), parent="/r/b[2]"), "utf-8")
    assert (before, after) == tuple(each.encode() for each in expected.split("{}"))


def test_markup_can_stand_behind_an_element():
    document = XmlDocument(b"<r><a/><b>1</b>t<c/></r>")
    for number, expected in enumerate(
        ("<r><a/>{}<b>1</b>t<c/></r>", "<r><a/><b>1</b>{}t<c/></r>", "<r><a/><b>1</b>t<c/>{}</r>")
    ):
        assert document.with_markup_after(document.root[number], b"{}") == expected.encode()


def test_namespaces_that_the_place_has_are_not_declared_again():
    document = f'<r xmlns="urn:x" xmlns:ds="{DS}" xmlns:q="urn:q"><a/></r>'
    signed = sign(document.encode())
    assert b"<ds:Signature xmlns:xades=" in signed
    assert verify_xml(signed, CA, AT).verdict is Verdict.PASSED


@pytest.mark.parametrize(
    "document",
    ['<r xmlns:q="urn:q?a&amp;b"/>', '<r><s><t xmlns="urn:q?a&amp;b"/></s></r>'],
)
def test_a_namespace_that_libxml2_does_not_escape_is_refused(document):
    with pytest.raises(DocumentError) as refused:
        check_xml(document.encode())
    assert refused.value.fault is DocumentFault.XML_NOT_CANONICAL
    check_xml(document.replace("?a&amp;b", "").encode())


def test_text_that_looks_like_such_a_namespace_is_text():
    document = """<r a=' xmlns="a&amp;b'> xmlns="a&amp;b" xmlns:a="&lt;&gt;&#13;" </r>"""
    assert verify_xml(sign(document.encode()), CA, AT).verdict is Verdict.PASSED


def test_a_prefix_that_means_something_else_is_declared_anew():
    signed = sign(b'<ds:r xmlns:ds="urn:other" xmlns:xades="urn:other"/>')
    assert f'xmlns:ds="{DS}"'.encode() in signed
    assert verify_xml(signed, CA, AT).signatures[0].covers is Coverage.WHOLE


def test_a_document_of_50_mb_is_signed_and_verified():
    row = "<明細><番号>{:07d}</番号><摘要>見本の摘要であり、長さだけが要る。</摘要></明細>"
    document = f"<申請>{''.join(row.format(n) for n in range(480_000))}</申請>".encode()
    assert len(document) > 50_000_000
    signed = sign(document)
    assert signed.startswith(document[:-9])
    report = verify_xml(signed, CA, AT)
    assert report.verdict is Verdict.PASSED
    assert report.signatures[0].covers is Coverage.WHOLE
    middle = len(signed) // 2
    tampered = signed[:middle] + signed[middle:].replace("長さ".encode(), "高さ".encode(), 1)
    assert verify_xml(tampered, CA, AT).signatures[0].reasons == (Reason.DIGEST_MISMATCH,)
