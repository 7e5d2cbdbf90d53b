"""How a PDF stands with the rules of 登記・供託オンライン申請, rule by rule."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from cli.printable import printable
from cli.translation import N_, _

if TYPE_CHECKING:
    from jpki.verification.pdf_touki import ToukiFinding

RULES: Final = {
    "readable": N_("the PDF opens, without a password"),
    "signature": N_("it has a signature, in a signature field"),
    "type": N_("/Type is /Sig"),
    "subfilter": N_("/SubFilter is adbe.pkcs7.detached"),
    "name": N_("/Name says who signed"),
    "time": N_("/M says when"),
    "byte-range": N_("/ByteRange covers the whole file"),
    "contents": N_("/Contents is one PKCS#7 signature"),
    "hash": N_("the hash is SHA-256"),
    "certificate": N_("the signer's certificate is inside"),
}
"""The words of ``jpki.verification.pdf_touki.ToukiRule``; a test holds the two together."""


def touki_as_json(findings: Sequence["ToukiFinding"]) -> dict[str, object]:
    """The object ``touki`` of docs/json.md."""
    return {
        "passed": all(finding.passed for finding in findings),
        "rules": [
            {
                "rule": finding.rule.value,
                "passed": finding.passed,
                "signature": finding.signature,
                "detail": finding.detail,
                "offset": finding.offset,
            }
            for finding in findings
        ],
    }


def touki_as_text(findings: Sequence["ToukiFinding"]) -> Iterator[str]:
    """One line for each rule, those that are kept too."""
    for finding in findings:
        rule = _(RULES[finding.rule.value])
        if finding.passed:
            yield _("  touki:        ok: {rule}").format(rule=rule)
            continue
        text = _("  touki:        REFUSED: {rule} (found: {detail}; at byte {offset})")
        if finding.offset is None:
            text = _("  touki:        REFUSED: {rule} (found: {detail})")
        yield text.format(rule=rule, detail=printable(finding.detail) or "-", offset=finding.offset)
