"""The messages that depend on more than an error's attributes, one function for each error.

Nothing of the library is imported before it is needed: a usage error passes through here too.
"""

import sys
from datetime import datetime
from typing import TYPE_CHECKING

from cli.errors import OutputFault, PinSourceFault
from cli.printable import printable, printable_names
from cli.translation import N_, _

if TYPE_CHECKING:
    from apdu.errors import NoReaderError, PcscUnavailableError, StatusWordError
    from cli.errors import (
        InterruptedRunError,
        OutputRefusedError,
        PinSourceError,
        UsageProblemError,
    )
    from jpki.errors import (
        CertificateError,
        CertificateExpiredError,
        CertificateMalformedError,
        CertificateMissingError,
        CertificateNotYetValidError,
        OutcomeUnknownError,
        PinBlockedError,
        PinFormatError,
        PinIncorrectError,
        UnsupportedCardError,
    )


def usage_text(error: "UsageProblemError") -> str:
    """The command line."""
    hint = _("See '{command} --help'.").format(command=error.command or "jpki")
    fields = {name: _(value) if name == "detail" else value for name, value in error.fields.items()}
    return f"{printable(_(error.detail).format_map(fields))} {hint}"


def pcsc_unavailable_text(error: "PcscUnavailableError") -> str:
    """The PC/SC service, with the remedy for this platform."""
    reasons = {
        "NO_PYSCARD": _("The Python package pyscard is missing."),
        "NO_SERVICE": _("The PC/SC service is not running."),
        "ACCESS_DENIED": _(
            "The PC/SC service refused access: its state, or a permission (polkit)."
        ),
        "NOT_ANSWERING": _("The PC/SC service does not answer."),
        "UNKNOWN": _("The PC/SC service failed."),
    }
    number = "" if error.hresult is None else f" (0x{error.hresult:08X})"
    return f"{reasons[error.reason.name]}{number} {_remedy(error.reason.name)}"


def _remedy(reason: str) -> str:
    if reason == "NO_PYSCARD":
        if sys.platform.startswith("linux"):
            return _(
                "Install it: apt install libpcsclite-dev gcc, then pip install pyscard."
                " Without a card, try --reader emulator."
            )
        return _("Install it: pip install pyscard. Without a card, try --reader emulator.")
    if sys.platform == "win32":
        return _(
            "Start the service 'Smart Card' (services.msc), and plug the reader in."
            " Without a card, try --reader emulator."
        )
    if sys.platform == "darwin":
        return _("Unplug the reader and plug it in again. Without a card, try --reader emulator.")
    return _(
        "Start it: systemctl start pcscd.socket (package pcscd)."
        " Without a card, try --reader emulator."
    )


def no_reader_text(error: "NoReaderError") -> str:
    """No reader, or none of that name."""
    if error.wanted is None:
        return _(
            "No card reader was found. Plug one in; without a reader, try the virtual card:"
            " --reader emulator."
        )
    if not error.available:
        return _(
            "No card reader was found, so none matches '{wanted}'. Plug it in; without a reader,"
            " try the virtual card: --reader emulator."
        ).format(wanted=printable(error.wanted))
    return _(
        "No card reader matches '{wanted}'. There are: {available}. Give a part of a name, or"
        " its number, with --reader; 'emulator' is the virtual card."
    ).format(wanted=printable(error.wanted), available=printable_names(error.available))


def pin_format_text(error: "PinFormatError") -> str:
    """What is wrong with the form of a PIN."""
    from cli.pin_words import pin_fault, pin_form, pin_name

    return _(
        "This cannot be the {pin}: {fault}. It has {form}. Nothing was sent to the card, no try"
        " was spent; enter it again."
    ).format(pin=pin_name(error.kind), fault=pin_fault(error.fault), form=pin_form(error.kind))


def pin_incorrect_text(error: "PinIncorrectError") -> str:
    """A wrong PIN, and what is left."""
    from cli.pin_words import pin_name

    if error.tries_left is None:
        return _(
            "Wrong {pin}. The card does not say how many tries are left; ask it with"
            " 'jpki pin status' before you try again."
        ).format(pin=pin_name(error.kind))
    text = _("Wrong {pin}; tries left: {count}.").format(
        pin=pin_name(error.kind), count=error.tries_left
    )
    if error.tries_left > 1:
        return text + " " + _("Make sure which PIN is asked for before you try again.")
    return (
        text
        + " "
        + _(
            "One more wrong entry blocks it; 'jpki help blocked' tells what happens then."
            " The last try is used with --use-last-try only."
        )
    )


def pin_blocked_text(error: "PinBlockedError") -> str:
    """No try is left."""
    from cli.help_topics import HelpTopic, remedy
    from cli.pin_words import pin_name

    if error.both_blocked:
        return _(
            "Both PINs of this card are blocked. {face_authentication} If yours is an ordinary"
            " card, 'jpki pin unlock {kind}' tells the way."
        ).format(face_authentication=remedy(HelpTopic.FACE_AUTHENTICATION), kind=error.kind.value)
    text = _("The {pin} is blocked.")
    if error.by_this_entry:
        text = _("Wrong, and that was the last try: the {pin} is blocked now.")
    more = _("More: 'jpki pin unlock {kind}'.").format(kind=error.kind.value)
    return f"{text.format(pin=pin_name(error.kind))} {remedy(HelpTopic.BLOCKED)} {more}"


def outcome_unknown_text(error: "OutcomeUnknownError") -> str:
    """Nobody knows what the card did, and how to find out."""
    from cli.pin_words import pin_name

    pin = pin_name(error.kind)
    match error.step.value:
        case "verify":
            return _(
                "The answer was lost while the card checked the {pin}; the entry may have"
                " counted. Run 'jpki pin status' before you try again."
            ).format(pin=pin)
        case "change":
            return _(
                "The answer was lost while the card changed the {pin}: either the old or the new"
                " one holds now. Run 'jpki pin status', then 'jpki pin verify {kind}' with the"
                " new one first; if it is refused, the old one holds."
            ).format(pin=pin, kind=error.kind.value)
        case _:
            return _(
                "The answer was lost while the card signed. Nothing was written for this file,"
                " though the card may have made a signature. Put the card back and sign again."
            )


def no_certificate_text(error: "CertificateMissingError") -> str:
    """There is no such certificate on the card."""
    if error.name is None:
        return _("There is no certificate. Run 'jpki cert list'.")
    text = _("There is no {name} certificate on this card.").format(name=error.name.value)
    if error.name.value != "signature":
        return text + " " + _("Run 'jpki cert list'.")
    from cli.help_topics import HelpTopic, remedy

    if not error.both_blocked:
        return f"{text} {remedy(HelpTopic.CHILD)}"
    blocked = _("Both its PINs are blocked.")
    return f"{text} {blocked} {remedy(HelpTopic.FACE_AUTHENTICATION)}"


def certificate_malformed_text(error: "CertificateMalformedError") -> str:
    """What should be a certificate is none."""
    if error.name is None:
        return _("That is no certificate. A file in PEM or DER is wanted.")
    return _(
        "What the card holds as its {name} certificate is none. Clean the card and try again; if"
        " it stays so, the city office can check the card."
    ).format(name=error.name.value)


def _validity(template: str, error: "CertificateError", time: datetime) -> str:
    name = "" if error.name is None else error.name.value
    return _(template).format(name=name, time=f"{time:%Y-%m-%d %H:%M} UTC")


def certificate_expired_text(error: "CertificateExpiredError") -> str:
    """The certificate has ended."""
    from cli.help_topics import HelpTopic, pointer, remedy

    text = _validity(N_("The {name} certificate expired at {time}."), error, error.not_valid_after)
    more = _("--allow-expired uses it all the same.")
    return f"{text} {remedy(HelpTopic.EXPIRED)} {more} {pointer(HelpTopic.EXPIRED)}"


def certificate_not_yet_valid_text(error: "CertificateNotYetValidError") -> str:
    """The certificate has not begun."""
    return _validity(
        N_(
            "The {name} certificate is not valid before {time}. Check this computer's clock;"
            " --allow-expired uses it all the same."
        ),
        error,
        error.not_valid_before,
    )


def status_word_text(error: "StatusWordError") -> str:
    """An answer that means nothing to us; after a PIN nobody should just try again."""
    from jpki import pins

    answer = f"{error.sw:04X}"
    match error.ins:
        case pins.INS_VERIFY:
            return _(
                "The card said neither right nor wrong to the PIN ({answer}); the entry may have"
                " counted. Run 'jpki pin status' before you enter it again."
            ).format(answer=answer)
        case pins.INS_CHANGE_REFERENCE_DATA:
            return _(
                "The card did not accept the new PIN ({answer}), so the old one should hold. Run"
                " 'jpki pin status', then 'jpki pin verify' with the old one."
            ).format(answer=answer)
        case _:
            return _(
                "The card refused a command in a way that is not known: {answer} to {command}."
                " Try again; with --apdu-log FILE the exchange can be reported."
            ).format(answer=answer, command=f"{error.ins:02X}")


def unsupported_card_text(error: "UnsupportedCardError") -> str:
    """A card or phone that jpki cannot use."""
    match error.kind.value:
        case "juki":
            return _(
                "This is a Basic Resident Registration Card (住基カード). Its certificates have all"
                " expired; jpki needs a My Number Card."
            )
        case "android" | "iphone":
            from cli.help_topics import HelpTopic, remedy

            text = _(
                "This is a phone with a My Number Card function: it shows its certificate after its"
                " PIN only, which this command does not ask for; use the card."
            )
            return f"{text} {remedy(HelpTopic.PHONE)}"
        case _:
            return _("This card is not of a kind that jpki knows. A My Number Card is needed.")


def pin_source_text(error: "PinSourceError") -> str:
    """Nowhere to get the PIN from."""
    source = "" if error.source is None else printable(error.source)
    match error.fault:
        case PinSourceFault.NO_TERMINAL:
            return _(
                "There is no terminal to ask for the PIN on. In a script, say where it is:"
                " {option} env:VARIABLE, file:PATH, fd:NUMBER or stdin."
            ).format(option=error.option)
        case PinSourceFault.NOT_A_SOURCE:
            return _(
                "{option} takes env:VARIABLE, file:PATH, fd:NUMBER or stdin, and nothing else."
                " It never takes the PIN itself."
            ).format(option=error.option)
        case PinSourceFault.NOT_SET:
            return _(
                "{option} {source}: there is no such environment variable. Set it for this command."
            ).format(option=error.option, source=source)
        case PinSourceFault.SAME_STREAM:
            return _(
                "{option} {source}: something else is read from there already. Give the PIN"
                " another way, such as fd:3."
            ).format(option=error.option, source=source)
        case PinSourceFault.UNREADABLE:
            return _("{option} {source}: it cannot be read ({detail}). Check it.").format(
                option=error.option, source=source, detail=printable(_(error.detail))
            )


def output_refused_text(error: "OutputRefusedError") -> str:
    """An output that cannot be."""
    text = _output_fault(error.fault).format(path=printable(error.path))
    hint = _("Nothing was done. Give another one with {option}.").format(option=error.option)
    return f"{text} {hint}"


def _output_fault(fault: OutputFault) -> str:
    match fault:
        case OutputFault.NO_FOLDER:
            return _("The output {path} cannot be written: its folder does not exist.")
        case OutputFault.FOLDER_READ_ONLY:
            return _("The output {path} cannot be written: its folder is read-only.")
        case OutputFault.IS_FOLDER:
            return _("The output {path} is a folder.")
        case OutputFault.NOT_FOLDER:
            return _("The output {path} is no folder.")
        case OutputFault.IS_INPUT:
            return _("The output {path} is the input itself.")
        case OutputFault.TWICE:
            return _("Two inputs would have the same output {path}.")
        case OutputFault.NOT_BESIDE:
            return _(
                "A signature in XML finds the files that it is over by their names, beside itself:"
                " {path} would not lie in their folder."
            )
        case OutputFault.IMPOSSIBLE:
            return _("The output {path} cannot be written: its name is not possible.")


def interrupted_text(error: "InterruptedRunError") -> str:
    """Ctrl-C, and what the card had done by then; ``cli.failure`` tells of an outcome."""
    if error.step is None:
        return _("Interrupted. Nothing is under way any more.")
    return _("Interrupted; the card had done '{step}' by then, and nothing after it.").format(
        step=error.step
    )
