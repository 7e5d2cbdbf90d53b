"""Every reason not to sign a document has words, in the table and in the documentation."""

import re
from pathlib import Path

import pytest

from cli.document_texts import DETAILS, TEXTS, document_text
from jpki.errors import DocumentError, DocumentFault


def test_every_fault_has_a_text_and_every_text_a_fault() -> None:
    assert set(TEXTS) == {fault.value for fault in DocumentFault}


def test_every_fault_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "json.md").read_text()
    (row,) = re.findall(r"^\| `document` \| 2 \| .*?`fault`: (.*) \|$", text, re.MULTILINE)
    assert set(re.findall(r"`([a-z-]+)`", row)) == {fault.value for fault in DocumentFault}


@pytest.mark.parametrize("fault", DocumentFault)
def test_a_text_is_whole_sentences_and_shows_the_detail_where_it_has_a_place(
    fault: DocumentFault,
) -> None:
    text = document_text(DocumentError(fault, "U+20BB7"))
    assert ("U+20BB7" in text) == ("{detail}" in TEXTS[fault.value])
    assert "{" not in text


def test_the_detail_cannot_act_on_the_terminal() -> None:
    text = document_text(DocumentError(DocumentFault.FIELD_MISSING, "\x1b[2J"))
    assert "\x1b" not in text


def test_where_a_fault_is_has_words() -> None:
    folder = Path(__file__).parents[2] / "jpki" / "signing"
    sources = "".join(path.read_text() for path in folder.glob("pdf*.py"))
    named = set(re.findall(r'parsing\("([^"]+)"\)', sources))
    named |= set(re.findall(r'DocumentFault\.\w+, "([a-z ]+)"\)', sources))
    assert "structure" in named
    assert named <= DETAILS
