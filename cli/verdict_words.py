"""Verdicts and reasons in words. Never the bare word "valid": something is always left out."""

from collections.abc import Iterable
from typing import Final

from cli.exit_codes import ExitCode
from cli.translation import N_, _
from jpki.certificates import AnchorOrigin, Purpose, Reason, Revocation, Unchecked, Verdict
from jpki.certificates.conformance import ProfileFault, ProfileFaultKind
from jpki.certificates.revocation import EvidenceFault, RevocationSource
from jpki.certificates.trust import PinnedCa
from jpki.verification.report import Note

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
    Reason.UNKNOWN_CRITICAL_HEADER: N_(
        "the signature demands that something be understood which jpki does not know"
    ),
    Reason.UNSAFE_NAME: N_(
        "a file in the container has a name that could overwrite others, or two have the same"
    ),
    Reason.UNSIGNED_FILE: N_("the container holds a file that no signature covers"),
    Reason.LIMIT_EXCEEDED: N_(
        "it would unpack to far more than it is, or holds more than jpki looks at"
    ),
    Reason.DTD_PRESENT: N_("the XML has a document type definition, which jpki never reads"),
    Reason.REFERENCE_UNRESOLVED: N_("what was signed is not in the document"),
    Reason.REFERENCE_AMBIGUOUS: N_("several elements have the id of what was signed"),
    Reason.REFERENCE_EXTERNAL: N_("what was signed lies elsewhere, and jpki does not fetch it"),
    Reason.UNSUPPORTED_TRANSFORM: N_("what was signed is computed in a way that jpki refuses"),
    Reason.BYTE_RANGE_INVALID: N_("the signature does not cover the PDF in the way it must"),
    Reason.CHANGED_AFTER_SIGNING: N_("the PDF was changed after it was signed"),
    Reason.UNSIGNED_BYTES: N_(
        "something was added behind the last signature, and nobody signed it"
    ),
    Reason.PHANTOM_SIGNATURE: N_(
        "the PDF has a signature in it that belongs to no signature field, or to several"
    ),
    Reason.DOCUMENT_TIMESTAMP_INVALID: N_("a timestamp over the PDF does not fit it"),
    Reason.UNSUPPORTED_FORMAT: N_("a kind of signature that jpki does not read"),
    Reason.ENCRYPTED: N_("the PDF is encrypted; give its password with --pdf-password-from"),
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
    Reason.NO_ANCHOR: N_(
        "the CA is not among those trusted; 'jpki trust fetch' takes those of J-LIS off a card,"
        " --trust FILE names another"
    ),
}

NOT_CHECKED: Final = {
    Unchecked.REVOCATION: N_(
        "revocation (data of JPKI go to registered verifiers only): the certificate may have been"
        " revoked; moving house does that to a signature certificate"
    ),
}

PROFILE_FAULTS: Final = {
    ProfileFaultKind.UNEXPECTED_EXTENSION: N_("an extension too many"),
    ProfileFaultKind.MISSING_EXTENSION: N_("an extension is missing"),
    ProfileFaultKind.WRONG_CRITICALITY: N_(
        "an extension that must be critical is not, or the reverse"
    ),
    ProfileFaultKind.WRONG_ISSUER_IDENTIFIER: N_(
        "it names another CA certificate than the one that signed it"
    ),
    ProfileFaultKind.VERSION: N_("it is not of version 3"),
    ProfileFaultKind.SERIAL_NUMBER: N_("its serial number is not possible"),
    ProfileFaultKind.ALGORITHM_PARAMETERS: N_("parameters of its algorithms are odd"),
    ProfileFaultKind.TIME_TYPE: N_("its times are written in another form"),
    ProfileFaultKind.UNIQUE_IDENTIFIER: N_("it has a unique identifier"),
    ProfileFaultKind.NAME: N_("its subject's name is empty or oddly made"),
    ProfileFaultKind.MISSING_HOLDER: N_("it says nothing of its holder"),
}

EVIDENCE_FAULTS: Final = {
    EvidenceFault.MALFORMED: N_("it is damaged"),
    EvidenceFault.OTHER_ISSUER: N_("it is of another CA, or of another key of this CA"),
    EvidenceFault.OTHER_SCOPE: N_("it is that of another municipality, or not about people"),
    EvidenceFault.OTHER_CERTIFICATE: N_("it is about another certificate"),
    EvidenceFault.SIGNATURE_INVALID: N_("its signature is not by the key of the CA"),
    EvidenceFault.WEAK_ALGORITHM: N_("its signature is by an algorithm that is not accepted"),
    EvidenceFault.RESPONDER_NOT_AUTHORIZED: N_("whoever signed it was not appointed by the CA"),
    EvidenceFault.NOT_YET_VALID: N_("it is of a time after that of the check"),
    EvidenceFault.STALE: N_("it was out of date at the time of the check"),
    EvidenceFault.PARTIAL: N_("it tells only a part: changes, or some reasons"),
    EvidenceFault.INDIRECT: N_("it is a list about several CAs"),
    EvidenceFault.UNKNOWN_CRITICAL_EXTENSION: N_("it has conditions that jpki cannot read"),
    EvidenceFault.NONCE_MISMATCH: N_("it answers another question (nonce)"),
    EvidenceFault.NO_ANSWER: N_("the responder gave no answer (try later, or not authorized)"),
}

SOURCES: Final = {
    RevocationSource.CRL: N_("a revocation list (CRL)"),
    RevocationSource.OCSP: N_("an OCSP answer"),
}

CRL_REASONS: Final = {  # RFC 5280 5.3.1, as the CPS of JPKI uses them
    "unspecified": N_("no reason given"),
    "keyCompromise": N_("the key may be in other hands"),
    "cACompromise": N_("the key of the CA may be in other hands"),
    "affiliationChanged": N_("name, address, birth date or sex changed, as by moving house"),
    "superseded": N_("renewed"),
    "cessationOfOperation": N_("no longer needed, or the holder left the register"),
    "certificateHold": N_("suspended"),
    "privilegeWithdrawn": N_("the right to it was withdrawn"),
    "aACompromise": N_("an attribute authority may be in other hands"),
}


NOTES: Final = {
    Note.EXTENDED_AFTER_SIGNING: N_(
        "timestamps or data for later checks were added after signing; they change no content"
    ),
    Note.FORM_FILLED_AFTER_SIGNING: N_(
        "a form was filled in or another signature added after signing, as this signature allows"
    ),
    Note.ANNOTATED_AFTER_SIGNING: N_(
        "comments were added after signing, as the author's certification allows"
    ),
    Note.HYBRID_REFERENCES: N_(
        "this PDF has two tables of contents, old and new: programs may show it differently"
    ),
    Note.SHA1_ALLOWED: N_("it rests on SHA-1, which is broken; --allow-sha1 let it pass"),
    Note.EXPIRED_AFTER_TIMESTAMP: N_(
        "the certificate has expired since; the timestamp proves that the signature is older"
    ),
    Note.COUNTERSIGNATURE_NOT_CHECKED: N_(
        "somebody signed this signature in turn; that was not checked"
    ),
    Note.COMMENTS_NOT_SIGNED: N_("the comments in the XML are not covered by the signature"),
}


def note_text(note: Note) -> str:
    """What should be known and changes no verdict."""
    return _(NOTES[note])


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


def purpose_text(purpose: Purpose) -> str:
    """What the certificate was looked at for."""
    match purpose:
        case Purpose.DOCUMENT:
            return _("signing documents")
        case Purpose.LOGIN:
            return _("logging in")


def profile_fault_text(fault: ProfileFault) -> str:
    """What is not as JPKI makes it."""
    text = _(PROFILE_FAULTS[fault.kind])
    return text if fault.oid is None else f"{text} ({fault.oid})"


def evidence_fault_text(fault: EvidenceFault) -> str:
    """Why a CRL or an OCSP answer does not count."""
    return _(EVIDENCE_FAULTS[fault])


def source_text(source: RevocationSource) -> str:
    """A CRL or an OCSP answer."""
    return _(SOURCES[source])


def revocation_reason_text(reason: str) -> str:
    """Why a certificate was revoked; a code of RFC 5280 that is not known stays as it is."""
    words = CRL_REASONS.get(reason)
    return reason if words is None else _(words)


def revocation_text(status: Revocation) -> str:
    """What is known about revocation."""
    match status:
        case Revocation.GOOD:
            return _("neither revoked nor suspended")
        case Revocation.REVOKED:
            return _("revoked")
        case Revocation.SUSPENDED:
            return _("suspended")
        case Revocation.UNKNOWN:
            return _("the certificate is not known there")
        case Revocation.NOT_CHECKED:
            return _("not checked")


def not_checked_text(unchecked: Iterable[Unchecked]) -> str:
    """What was left out."""
    return "; ".join(_(NOT_CHECKED[item]) for item in unchecked)


def anchor_text(anchor: AnchorOrigin | None, pin: PinnedCa | None = None) -> str:
    """Where the trust in the CA comes from."""
    match anchor:
        case AnchorOrigin.PINNED:
            name = "" if pin is None else pin.name
            return _("{name}, a CA of J-LIS whose fingerprint jpki knows").format(name=name)
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
