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
