"""Verdicts and reasons in words. Never the bare word "valid": something is always left out."""

from collections.abc import Iterable
from typing import Final

from cli.exit_codes import ExitCode
from cli.translation import N_, _
from jpki.certificates import AnchorOrigin, Reason, Unchecked, Verdict

REASONS: Final = {
    Reason.MALFORMED: N_("this is not a signature of this format, or it is damaged"),
    Reason.NO_SIGNATURE: N_("there is no signature in it"),
    Reason.CONTENT_MISSING: N_("the signed document is missing; name it with --content FILE"),
    Reason.CONTENT_CONFLICT: N_("the document inside is not the one that was given"),
    Reason.DIGEST_MISMATCH: N_("the document is not the one that was signed, or was changed since"),
    Reason.SIGNATURE_INVALID: N_("the signature was not made with the certificate's key"),
    Reason.SIGNED_ATTRIBUTES_MISSING: N_("attributes that must be signed are missing"),
    Reason.SIGNED_ATTRIBUTES_INVALID: N_("the signed attributes contradict the document"),
    Reason.SIGNER_CERTIFICATE_MISSING: N_("the signer's certificate is not in the signature"),
    Reason.SIGNER_CERTIFICATE_MISMATCH: N_("the signature names another certificate"),
    Reason.ALGORITHM_MISMATCH: N_("the algorithms contradict each other"),
    Reason.UNSUPPORTED_ALGORITHM: N_("an algorithm that a My Number Card does not have"),
    Reason.WEAK_ALGORITHM: N_("an algorithm that is broken (MD5, SHA-1)"),
    Reason.DTD_PRESENT: N_("the XML has a document type definition, which jpki never reads"),
    Reason.REFERENCE_UNRESOLVED: N_("what was signed is not in the document"),
    Reason.REFERENCE_AMBIGUOUS: N_("several elements have the id of what was signed"),
    Reason.REFERENCE_EXTERNAL: N_("what was signed lies elsewhere, and jpki does not fetch it"),
    Reason.UNSUPPORTED_TRANSFORM: N_("what was signed is computed in a way that jpki refuses"),
    Reason.CERTIFICATE_MALFORMED: N_("the certificate is damaged"),
    Reason.EXPIRED: N_("the certificate had expired at the time of the check"),
    Reason.NOT_YET_VALID: N_("the certificate was not valid yet at the time of the check"),
    Reason.WRONG_KEY_USAGE: N_("the certificate is not meant for this use"),
    Reason.WEAK_KEY: N_("the key is too weak or of an odd kind"),
    Reason.UNKNOWN_CRITICAL_EXTENSION: N_("the certificate has conditions that jpki cannot read"),
    Reason.SIGNER_IS_CA: N_("the certificate is that of a CA, not of a person"),
    Reason.UNTRUSTED_ISSUER: N_("the certificate was not issued by the CA that it names"),
    Reason.WRONG_POLICY: N_("its certificate policy may not stand under this CA"),
    Reason.PROFILE_MISMATCH: N_("the certificate is not made as JPKI makes them"),
    Reason.HOLDER_MALFORMED: N_("what the certificate says of its holder cannot be read"),
    Reason.OUTSIDE_ANCHOR_VALIDITY: N_("the certificate outlives the CA that issued it"),
    Reason.REVOKED: N_("the certificate was revoked"),
    Reason.SUSPENDED: N_("the certificate is suspended"),
    Reason.REVOCATION_UNKNOWN: N_("nothing tells whether the certificate was revoked"),
    Reason.SIGNING_TIME_INVALID: N_("the signer claims a time outside the certificate's validity"),
    Reason.SIGNING_TIME_IN_FUTURE: N_("the signer claims a time that has not come yet"),
    Reason.ANCHOR_EXPIRED: N_("the CA's certificate had expired at the time of the check"),
    Reason.ANCHOR_NOT_YET_VALID: N_("the CA's certificate was not valid yet at that time"),
    Reason.NO_ANCHOR: N_("the CA is not among those trusted; give its certificate with --trust"),
}

NOT_CHECKED: Final = {
    Unchecked.REVOCATION: N_(
        "revocation (data of JPKI go to registered verifiers only): the certificate may have been"
        " revoked, which moving house does as well"
    ),
}


def verdict_text(verdict: Verdict, anchor: AnchorOrigin | None = None) -> str:
    """One of three words, with what makes it less than it seems."""
    match verdict:
        case Verdict.PASSED:
            if anchor is AnchorOrigin.TEST:
                return _("passed the checks that were made, but it is a TEST card's: by nobody")
            return _("passed the checks that were made")
        case Verdict.FAILED:
            return _("FAILED")
        case Verdict.INDETERMINATE:
            return _("could not be decided")


def reason_text(reason: Reason) -> str:
    """Why."""
    return _(REASONS[reason])


def not_checked_text(unchecked: Iterable[Unchecked]) -> str:
    """What was left out."""
    return "; ".join(_(NOT_CHECKED[item]) for item in unchecked)


def anchor_text(anchor: AnchorOrigin | None) -> str:
    """Where the trust in the CA comes from."""
    match anchor:
        case AnchorOrigin.PINNED:
            return _("a CA of J-LIS that jpki knows")
        case AnchorOrigin.GIVEN:
            return _("the CA given with --trust")
        case AnchorOrigin.TEST:
            return _("a TEST CA given with --trust")
        case None:
            return _("none")


def exit_code_of(verdicts: Iterable[Verdict]) -> ExitCode:
    """That of the worst: failed before undecided before passed."""
    found = set(verdicts)
    if Verdict.FAILED in found:
        return ExitCode.VERIFICATION_FAILED
    if Verdict.INDETERMINATE in found:
        return ExitCode.VERIFICATION_INDETERMINATE
    return ExitCode.OK
