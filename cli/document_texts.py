"""Why a document cannot be signed, for a person: one text for each ``DocumentFault``."""

from typing import TYPE_CHECKING, Final

from cli.printable import printable
from cli.translation import N_, _

if TYPE_CHECKING:
    from jpki.errors import DocumentError

# By the fault's word, so that nothing of the library is imported here.
TEXTS: Final[dict[str, str]] = {
    "empty": N_("The file is empty: there is nothing to sign. Check which file you mean."),
    "not-pdf": N_("This is not a PDF. --format cms signs any file."),
    "pdf-broken": N_(
        "The structure of this PDF is damaged ({detail}). Print it to a new PDF and sign that one."
    ),
    "encrypted-pdf": N_(
        "This PDF is encrypted. Give its password with --pdf-password-from, or sign a PDF without"
        " one."
    ),
    "pdf-password-wrong": N_("The PDF does not open with this password. Check it."),
    "pdf-has-mac": N_(
        "This PDF is protected against any change by its password (PDF MAC), and a signature is"
        " one. Print it to a new PDF and sign that one."
    ),
    "pdf-forbids-signatures": N_(
        "This PDF was certified or locked by an earlier signer so that no signature may be added."
        " Sign it as any file, with --format cms."
    ),
    "pdf-already-signed": N_(
        "A certification must be the first signature, and this PDF has one already. Sign it"
        " without --certify."
    ),
    "xfa-form": N_(
        "This PDF is an XFA form: what it shows is not what would be signed. Print it to a new PDF"
        " and sign that one."
    ),
    "field-missing": N_(
        "The PDF has no signature field of that name. Choose one that it has: {detail}"
    ),
    "field-signed": N_("That signature field is signed already. Choose another one."),
    "field-ambiguous": N_(
        "That name belongs to something in the PDF that cannot be signed. Choose another one."
    ),
    "field-constrained": N_(
        "That signature field demands of its signature what jpki does not do. Choose another one."
    ),
    "field-invisible": N_(
        "That signature field has no area on the page, so it cannot show a stamp. Sign without"
        " --stamp, or choose another one."
    ),
    "pdf-forbids-stamp": N_(
        "This PDF was certified: signatures may be added, but no new stamp. Sign without --stamp,"
        " or in a field that is there already (--field)."
    ),
    "page-missing": N_("There is no such page. Choose another one: the PDF has {detail} pages."),
    "stamp-outside-page": N_(
        "The stamp would stand outside the page, which is {detail} points large. Move it."
    ),
    "stamp-too-small": N_(
        "The text of the stamp does not fit into it at a size that can be read. Make it larger, at"
        " least {detail} points."
    ),
    "font-missing": N_(
        "No font for the text of the stamp was found. Install IPAexGothic or Noto Sans CJK, or give"
        " a font with --font FILE."
    ),
    "font-unusable": N_("This font cannot be used ({detail}). Give another one with --font FILE."),
    "glyphs-missing": N_(
        "The font has no glyph for {detail}. Give another one with --font FILE, such as IPAmjMincho"
        " (IPAmj明朝)."
    ),
    "xml-malformed": N_(
        "This is not XML, or it is damaged (line {detail}). Mend it, or sign it as it is with"
        " --format cms."
    ),
    "xml-encoding": N_(
        "The characters of this XML cannot be read as its declaration says ({detail}). Save it as"
        " UTF-8."
    ),
    "xml-has-dtd": N_(
        "This XML has a document type definition (DOCTYPE), which could make it say something else"
        " elsewhere. Remove it, or sign the file as it is with --format cms."
    ),
    "xml-too-deep": N_("This XML is nested too deeply. --format cms signs any file."),
    "xml-too-large": N_(
        "This XML is too large to be signed as XML (limits: 128 MiB, 10 MB in one text, 8 million"
        " elements and attributes). --format cms signs any file."
    ),
    "xml-not-canonical": N_(
        "A namespace of this XML is a relative address or has an '&' in it, so that a signature"
        " would not hold everywhere. --format cms signs any file."
    ),
    "reference-missing": N_(
        "No element of this XML has the id of --reference. --id-attr names the attribute, if it is"
        " not called Id, ID, id or xml:id."
    ),
    "duplicate-id": N_(
        "{detail} elements of this XML have the id of --reference, so nobody could tell which one"
        " was signed. Give each an id of its own."
    ),
    "parent-missing": N_(
        "--parent must lead to exactly one element of this XML; it leads to {detail}. Choose"
        " another place."
    ),
    "signature-would-break": N_(
        "This XML has a signature already that covers the place of the new one and would be broken"
        " by it. Choose another place with --parent, or sign the file with --format cms."
    ),
    "not-egov": N_(
        "This is no kousei.xml (構成管理) of e-Gov: {detail} is missing or there more than once."
        " Check which file you mean."
    ),
    "name-unusable": N_(
        "A container cannot hold a file of this name: the name is reserved, is not Unicode, or is a"
        " path. Rename the file."
    ),
    "duplicate-name": N_(
        "{detail} files of the container would have the same name (upper and lower case count as"
        " the same). Rename all but one."
    ),
    "not-asice": N_(
        "This is no ASiC-E container to which a signature can be added ({detail}). Sign its files"
        " into a new one."
    ),
}


DETAILS: Final = frozenset(
    {
        N_("bytes before the header"),
        N_("catalog"),
        N_("cross-reference table"),
        N_("encryption"),
        N_("field"),
        N_("for certificates"),
        N_("form"),
        N_("its licence forbids embedding"),
        N_("not a font"),
        N_("page tree"),
        N_("structure"),
    }
)
"""What is said in words of where a fault is; all else is a name or a number."""


def document_text(error: "DocumentError") -> str:
    """What is wrong with the document, or with what was asked of it."""
    detail = _(error.detail) if error.detail in DETAILS else printable(error.detail)
    return _(TEXTS[error.fault.value]).format(detail=detail)
