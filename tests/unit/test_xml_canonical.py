"""Canonical XML of documents and of parts; xmlsec1 judges more of it in tests/interop."""

from functools import partial

import pytest
from lxml import etree

from jpki.signing.xml_canonical import (
    CanonicalizationError,
    canonicalize_document,
    canonicalize_element,
    contains,
    without,
)
from jpki.signing.xml_options import Canonicalization

C14N, C14N11 = Canonicalization.C14N, Canonicalization.C14N11
EXCLUSIVE = Canonicalization.EXCLUSIVE
XML = "{http://www.w3.org/XML/1998/namespace}"


def parse(text: str):
    return etree.fromstring(text.encode())


def test_a_document_has_what_stands_beside_its_root_but_for_comments():
    root = parse("<?a b?><!-- c --><r><!-- d -->1<?e?></r><!-- f --><?g?>")
    assert canonicalize_document(root, C14N) == b"<?a b?>\n<r>1<?e?></r>\n<?g?>"
    with_comments = Canonicalization.C14N_WITH_COMMENTS
    assert canonicalize_document(root, with_comments) == b"<?a b?>\n<r>1<?e?></r>\n<?g?>"


def test_the_root_as_an_element_has_nothing_beside_it():
    for text in ("<?a b?><r>1</r>", "<r>1</r><?a b?>", "<r>1</r>", "<!-- --><r>1</r>"):
        assert canonicalize_element(parse(text), C14N) == b"<r>1</r>"


def test_a_part_has_the_namespaces_that_it_inherits_and_not_its_tail():
    part = parse("<r xmlns='urn:r' xmlns:a='urn:a' xmlns:b='urn:b'><p b:c='1'><q/></p>tail</r>")[0]
    assert canonicalize_element(part, C14N) == (
        b'<p xmlns="urn:r" xmlns:a="urn:a" xmlns:b="urn:b" b:c="1"><q></q></p>'
    )
    assert canonicalize_element(part, EXCLUSIVE) == (
        b'<p xmlns="urn:r" xmlns:b="urn:b" b:c="1"><q></q></p>'
    )
    assert canonicalize_element(part, EXCLUSIVE, ("a", "#default")) == (
        b'<p xmlns="urn:r" xmlns:a="urn:a" xmlns:b="urn:b" b:c="1"><q></q></p>'
    )


def test_inherited_attributes_of_xml_are_those_of_each_version():
    text = (
        '<r xml:lang="ja" xml:space="preserve" xml:id="r"><m xml:lang="en" xml:id="m">'
        '<p xml:lang="fr"/><p/></m></r>'
    )
    own, bare = parse(text)[0]
    assert (
        canonicalize_element(own, C14N) == b'<p xml:id="m" xml:lang="fr" xml:space="preserve"></p>'
    )
    assert (
        canonicalize_element(bare, C14N) == b'<p xml:id="m" xml:lang="en" xml:space="preserve"></p>'
    )
    assert canonicalize_element(own, C14N11) == b'<p xml:lang="fr" xml:space="preserve"></p>'
    assert canonicalize_element(bare, C14N11) == b'<p xml:lang="en" xml:space="preserve"></p>'
    assert canonicalize_element(own, EXCLUSIVE) == b'<p xml:lang="fr"></p>'
    assert canonicalize_element(bare, EXCLUSIVE) == b"<p></p>"
    assert own.attrib == {f"{XML}lang": "fr"}  # the tree is as it was


def test_a_base_is_inherited_by_10_and_refused_by_11():
    part = parse('<r xml:base="http://example.jp/"><p xml:base="x"/><q/></r>')
    assert canonicalize_element(part[0], C14N) == b'<p xml:base="x"></p>'
    assert canonicalize_element(part[1], C14N) == b'<q xml:base="http://example.jp/"></q>'
    for each in part:
        with pytest.raises(CanonicalizationError):
            canonicalize_element(each, C14N11)
    assert canonicalize_element(part[0], EXCLUSIVE) == b'<p xml:base="x"></p>'


def test_a_relative_namespace_has_no_canonical_form():
    root = parse("<r xmlns:a='relative'><a:b/></r>")
    for canonicalize in (canonicalize_document, canonicalize_element):
        with pytest.raises(CanonicalizationError):
            canonicalize(root, C14N)


def test_comments_stay_where_they_are_asked_for_and_the_method_has_them():
    part = parse("<r><p>1<!-- 2 --></p></r>")[0]
    with_comments = Canonicalization.EXCLUSIVE_WITH_COMMENTS
    assert canonicalize_element(part, with_comments) == b"<p>1</p>"
    assert canonicalize_element(part, with_comments, with_comments=True) == b"<p>1<!-- 2 --></p>"
    assert canonicalize_element(part, EXCLUSIVE, with_comments=True) == b"<p>1</p>"


@pytest.mark.parametrize(
    "text",
    [
        "<r>{}</r>",
        "<r>a{}b</r>",
        "<r><x/>a{}b<y/></r>",
        "<r><!-- c -->{}</r>",
        "<r>\r\n{}&#13;\n</r>",
        "<r><q>1{}2</q>3</r>",
        "<?p?><r>{}</r><!-- c -->",
        "<r><s xmlns='urn:s' xmlns:s='urn:s'><s:t/></s>{}<s/></r>",
    ],
)
def test_an_element_is_left_out_and_everything_else_is_as_without_it(text):
    signature = "<a:s xmlns:a='urn:a' xmlns:b='urn:a'><b:t>1</b:t><!-- c --></a:s>"
    root = parse(text.replace("{}", signature))
    (element,) = root.iter("{urn:a}s")
    before = etree.tostring(root.getroottree())
    left = without(element, partial(canonicalize_document, root, C14N))
    assert left == canonicalize_document(parse(text.replace("{}", "")), C14N)
    assert etree.tostring(root.getroottree()) == before
    assert b"<b:t>" in before  # a prefix that lxml loses when it moves an element


def test_the_tree_is_put_in_order_when_canonicalization_fails():
    root = parse("<r xmlns:a='relative'>1<s/>2</r>")
    with pytest.raises(CanonicalizationError):
        without(root[0], partial(canonicalize_document, root, C14N))
    assert etree.tostring(root) == b'<r xmlns:a="relative">1<s/>2</r>'


def test_containing_is_being_or_being_around():
    root = parse("<r><a><b/></a><c/></r>")
    a, c = root
    assert contains(root, a[0])
    assert contains(a, a)
    assert not contains(a, c)
    assert not contains(a, root)


def test_methods_are_known_by_word_and_by_identifier():
    for method in Canonicalization:
        assert Canonicalization.from_uri(method.uri) is method
        assert method.with_comments is method.uri.endswith("WithComments")
        assert method.is_exclusive is ("exc-c14n" in method.uri)
    assert Canonicalization.from_uri("urn:other") is None
    assert Canonicalization.from_uri(None) is None
