"""Every failure as a person reads it: code, exit code, and a text that ends in the next step."""

from collections.abc import Callable
from typing import Any, Final

from cli.authentication_texts import agent_socket_text, native_message_text, token_text
from cli.document_texts import document_text
from cli.exit_codes import ExitCode
from cli.message_texts import (
    certificate_expired_text,
    certificate_malformed_text,
    certificate_not_yet_valid_text,
    interrupted_text,
    no_certificate_text,
    no_reader_text,
    outcome_unknown_text,
    output_refused_text,
    pcsc_unavailable_text,
    pin_blocked_text,
    pin_format_text,
    pin_incorrect_text,
    pin_source_text,
    status_word_text,
    unsupported_card_text,
    usage_text,
)
from cli.translation import N_

Text = str | Callable[[Any], str]
"""A message with the error's attributes as its fields, or a function where that is not enough."""


TABLE: Final[dict[str, tuple[ExitCode, Text]]] = {
    # the way to the card: apdu.errors
    "card-error": (ExitCode.NONSENSE, N_("The exchange with the card failed. Try again.")),
    "pcsc-unavailable": (ExitCode.NO_READER, pcsc_unavailable_text),
    "no-reader": (ExitCode.NO_READER, no_reader_text),
    "no-card": (
        ExitCode.NO_CARD,
        N_("There is no card on the reader ({readers}). Put it on, or wait for it with --wait 30."),
    ),
    "card-in-use": (
        ExitCode.CARD_IN_USE,
        N_(
            "Another program is using the card in {reader}. Close it (a browser, the official"
            " client, GnuPG's scdaemon) and try again."
        ),
    ),
    "transport": (
        ExitCode.NO_CARD,
        N_("The exchange with the card failed. Put the card on the reader again and retry."),
    ),
    "card-removed": (
        ExitCode.NO_CARD,
        N_("The card was removed. Put it on the reader, leave it there, and try again."),
    ),
    "card-reset": (
        ExitCode.CARD_IN_USE,
        N_("Another program reset the card. Close that program and try again."),
    ),
    "card-silent": (
        ExitCode.NO_CARD,
        N_("The card does not answer. Take it off the reader, put it back and try again."),
    ),
    "unexpected-status-word": (ExitCode.NONSENSE, status_word_text),
    "malformed-response": (
        ExitCode.NONSENSE,
        N_(
            "The card's answer makes no sense ({what}). Clean the card and try again; with"
            " --apdu-log FILE the exchange can be reported."
        ),
    ),
    # the card: jpki.errors
    "jpki": (ExitCode.NONSENSE, N_("The card could not do this. Run 'jpki status'.")),
    "not-my-number-card": (
        ExitCode.NO_CARD,
        N_("The card in {reader_name} is not a My Number Card. Put yours on the reader."),
    ),
    "several-cards": (
        ExitCode.REFUSED,
        N_("There are several My Number Cards: {reader_names}. Choose one with --reader."),
    ),
    "unsupported-card": (ExitCode.NO_CARD, unsupported_card_text),
    "pin-format": (ExitCode.REFUSED, pin_format_text),
    "pin-incorrect": (ExitCode.PIN_INCORRECT, pin_incorrect_text),
    "pin-blocked": (ExitCode.PIN_BLOCKED, pin_blocked_text),
    "last-try": (
        ExitCode.REFUSED,
        N_(
            "Only one try is left for the {kind}; it was not used. If you are sure of it, run the"
            " command at a terminal with --use-last-try; if not, see 'jpki help blocked'."
        ),
    ),
    "tries-unknown": (
        ExitCode.REFUSED,
        N_(
            "The card does not say how many tries are left for the {kind}, so it may be the last:"
            " nothing was sent. --use-last-try at a terminal takes the risk."
        ),
    ),
    "pin-repeated": (
        ExitCode.REFUSED,
        N_("The card has just refused this {kind}; it was not sent again. Check it first."),
    ),
    "pin-required": (
        ExitCode.NONSENSE,
        N_("The card wants the {kind} again, though it was right. Try again."),
    ),
    "outcome-unknown": (ExitCode.OUTCOME_UNKNOWN, outcome_unknown_text),
    "certificate": (ExitCode.NONSENSE, N_("The certificate cannot be used. Run 'jpki status'.")),
    "no-certificate": (ExitCode.REFUSED, no_certificate_text),
    "certificate-malformed": (ExitCode.NONSENSE, certificate_malformed_text),
    "certificate-expired": (ExitCode.REFUSED, certificate_expired_text),
    "certificate-not-yet-valid": (ExitCode.REFUSED, certificate_not_yet_valid_text),
    "anchor-not-ca": (
        ExitCode.REFUSED,
        N_(
            "What was given with --trust is not the certificate of a CA: {path}. Nothing was done;"
            " give the certificate of the CA that issued the signer's."
        ),
    ),
    "revocation-data-malformed": (
        ExitCode.REFUSED,
        N_("What was given as a CRL or an OCSP answer is none. A file in PEM or DER is wanted."),
    ),
    "server": (
        ExitCode.SERVER_FAILED,
        N_(
            "{url} did not give an answer that can be used: {detail}. Check the address; try again."
        ),
    ),
    "signing": (ExitCode.NONSENSE, N_("The signature could not be made. Try again.")),
    "signature-mismatch": (
        ExitCode.NONSENSE,
        N_(
            "The card gave a signature that does not fit its certificate; nothing was written."
            " Try again; if it stays so, the city office can check the card."
        ),
    ),
    "key-purpose": (
        ExitCode.REFUSED,
        N_("The authentication key signs logins and nothing else. Use 'jpki sign' for documents."),
    ),
    "content-too-large": (
        ExitCode.REFUSED,
        N_(
            "The file is too large to stand inside its signature ({size} bytes). Sign it without"
            " --attached."
        ),
    ),
    "content-changed": (
        ExitCode.REFUSED,
        N_("The file changed while it was being read; nothing was written. Try again."),
    ),
    "document": (ExitCode.REFUSED, document_text),
    "token-invalid": (ExitCode.REFUSED, token_text),
    "native-message": (ExitCode.REFUSED, native_message_text),
    "agent-socket": (ExitCode.REFUSED, agent_socket_text),
    # the command: cli.errors
    "cli": (ExitCode.REFUSED, N_("This cannot be done. See 'jpki --help'.")),
    "usage": (ExitCode.REFUSED, usage_text),
    "pin-source": (ExitCode.REFUSED, pin_source_text),
    "pin-on-command-line": (
        ExitCode.REFUSED,
        N_(
            "A PIN on the command line is not supported: it would be visible to other users and"
            " stay in the shell's history. Run the command at a terminal, or use --pin-from."
        ),
    ),
    "pinentry": (
        ExitCode.REFUSED,
        N_(
            "The PIN program {program} does not work: {detail}. Install a pinentry of your desktop,"
            " or name one with JPKI_PINENTRY."
        ),
    ),
    "cancelled": (
        ExitCode.REFUSED,
        N_("Cancelled in the PIN window; nothing was sent to the card. Start again when ready."),
    ),
    "other-card": (
        ExitCode.NO_CARD,
        N_(
            "The card on the reader is not the one whose key was asked for; no PIN was sent. Put"
            " the other one on it, or ask again for this one's key."
        ),
    ),
    "new-pin-differs": (
        ExitCode.REFUSED,
        N_("The two entries of the new PIN differ. Nothing was sent to the card; start again."),
    ),
    "not-confirmed": (
        ExitCode.REFUSED,
        N_("Nothing was changed. Start again when you have chosen another one."),
    ),
    "input": (ExitCode.REFUSED, N_("{path} cannot be read: {detail}. Nothing was done; check it.")),
    "output-refused": (ExitCode.REFUSED, output_refused_text),
    "output-exists": (
        ExitCode.REFUSED,
        N_(
            "{path} exists already; nothing was done. Choose another name, or replace it with"
            " --force."
        ),
    ),
    "manifest-taken": (
        ExitCode.REFUSED,
        N_(
            "{path} belongs to another program, Web eID's own; nothing was done. With --force it"
            " is kept aside, and 'jpki auth native-host uninstall' puts it back."
        ),
    ),
    "output-not-written": (
        ExitCode.OUTPUT_NOT_WRITTEN,
        N_("{path} could not be written: {detail}. What was there before is untouched."),
    ),
    "address": (
        ExitCode.REFUSED,
        N_(
            "Nothing can be served at {host}, port {port}: {detail}. End what is running there, or"
            " choose another port with --port (0: any free one), or an address of this machine with"
            " --host."
        ),
    ),
    "stdout-closed": (ExitCode.PIPE_CLOSED, N_("Nobody reads the output any more.")),
    "card-file": (
        ExitCode.REFUSED,
        N_(
            "{path} is not a virtual card that can be used: {detail}. Make one with"
            " 'jpki emulator create {path}'."
        ),
    ),
    "interrupted": (ExitCode.INTERRUPTED, interrupted_text),
    "terminated": (
        ExitCode.TERMINATED,
        N_(
            "Ended by signal {signal}. Nothing is under way any more; if the card was at work,"
            " 'jpki pin status' tells how its PINs stand."
        ),
    ),
}
"""Error code -> exit code and text. A test holds every error class against it."""
