"""Why a document cannot be signed as asked; the value is the stable word of the JSON output."""

from enum import StrEnum


class DocumentFault(StrEnum):
    """What ``jpki.errors.DocumentError`` is about; its ``detail`` says where or which."""

    # any format
    EMPTY = "empty"
    """Zero bytes."""
    # PDF, ISO 32000
    NOT_PDF = "not-pdf"
    PDF_BROKEN = "pdf-broken"
    """Its cross-reference table or its structure cannot be read."""
    PDF_ENCRYPTED = "encrypted-pdf"
    """It opens with a password, and none was given."""
    PDF_PASSWORD_WRONG = "pdf-password-wrong"  # noqa: S105  # the name of a fault
    PDF_FORBIDS_SIGNATURES = "pdf-forbids-signatures"
    """A certification or a locked field forbids any further signature."""
    PDF_ALREADY_SIGNED = "pdf-already-signed"
    """A certification must be the first signature."""
    XFA_FORM = "xfa-form"
    FIELD_MISSING = "field-missing"
    FIELD_SIGNED = "field-signed"
    FIELD_AMBIGUOUS = "field-ambiguous"
    """The name of the field belongs to something that is no signature field."""
    PAGE_MISSING = "page-missing"
    """``detail``: how many pages there are."""
    STAMP_OUTSIDE_PAGE = "stamp-outside-page"
    STAMP_TOO_SMALL = "stamp-too-small"
    """The text does not fit at a size that can be read."""
    FONT_MISSING = "font-missing"
    FONT_UNUSABLE = "font-unusable"
    GLYPHS_MISSING = "glyphs-missing"
    """``detail``: the code points that the font lacks, "U+20BB7 U+9AD9"."""
    # XML
    XML_MALFORMED = "xml-malformed"
    XML_ENCODING = "xml-encoding"
    """An encoding that is not read here, or another one than is declared. ``detail``: its name."""
    XML_HAS_DTD = "xml-has-dtd"
    XML_TOO_DEEP = "xml-too-deep"
    XML_TOO_LARGE = "xml-too-large"
    REFERENCE_MISSING = "reference-missing"
    """No element has the id that should be signed."""
    DUPLICATE_ID = "duplicate-id"
    """More than one element has it. ``detail``: how many."""
    PARENT_MISSING = "parent-missing"
    """The XPath does not lead to exactly one element. ``detail``: to how many."""
    SIGNATURE_WOULD_BREAK = "signature-would-break"
    """The document has a signature that covers the place where another one would go."""
    NOT_EGOV = "not-egov"
    """No 構成管理 of e-Gov. ``detail``: what is not there exactly once."""
