"""Every failure as a person reads it: code, exit code, and a text that ends in the next step."""

import sys
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click

from cli.exit_codes import ExitCode
from cli.printable import printable
from cli.translation import N_, _, english

Text = str | Callable[[Any], str]
"""A message with the error's attributes as its fields, or a function where that is not enough."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """An error, ready to be shown."""

    code: str
    exit_code: ExitCode
    text: str
    message: str
    """The same in English."""
    facts: dict[str, object]


def describe(error: BaseException, *, more_facts: dict[str, object] | None = None) -> Failure:
    """Look an error up; one that is not in the table is a bug of jpki."""
    if isinstance(error, click.ClickException):
        return _describe_usage(error)
    code = getattr(error, "code", None)
    if not isinstance(code, str) or code not in TABLE:
        return _describe_bug(error)
    from cli.facts import facts_of

    exit_code, text = TABLE[code]
    source = (more_facts or {}).get("source")
    with english():
        message = _compose(text, error, source)
    return Failure(
        code=code,
        exit_code=_exit_code(error, exit_code),
        text=_compose(text, error, source),
        message=message,
        facts=facts_of(error) | (more_facts or {}),
    )


def _exit_code(error: BaseException, exit_code: ExitCode) -> ExitCode:
    if getattr(error, "signal", None) == 1:  # SIGHUP; Windows has no name for it
        return ExitCode.HUNG_UP
    if error.__class__.__name__ == "CertificateMalformedError" and not getattr(error, "name", None):
        return ExitCode.REFUSED  # it came from a file of the person's, not from the card
    return exit_code


def _compose(text: Text, error: BaseException, source: object = None) -> str:
    composed = text(error) if callable(text) else _(text).format_map(_Attributes(error))
    if source is not None and getattr(error, "kind", None) is not None:
        composed += " " + _("The PIN came from {source}.").format(source=printable(str(source)))
    return composed


class _Attributes(dict[str, object]):
    """An error's attributes as fields of a message, safe for a terminal."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self._error = error

    def __missing__(self, field: str) -> str | int:
        from cli.pin_words import pin_name
        from jpki.files import PinKind

        value = getattr(self._error, field)
        if isinstance(value, PinKind):
            return pin_name(value)
        if isinstance(value, int):
            return value  # for {sw:04X}
        if isinstance(value, tuple):
            return _names(value)
        return printable(str(value))


def _describe_usage(error: click.ClickException) -> Failure:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "jpki"

    def text() -> str:
        hint = _("See '{command} --help'.").format(command=command)
        return f"{printable(error.format_message())} {hint}"

    with english():
        message = text()
    return Failure(code="usage", exit_code=ExitCode.REFUSED, text=text(), message=message, facts={})


def _usage(error: Any) -> str:  # noqa: ANN401
    hint = _("See '{command} --help'.").format(command=error.command or "jpki")
    return f"{printable(error.detail)} {hint}"


def _describe_bug(error: BaseException) -> Failure:
    # Neither the error's text nor any value is shown: nobody knows what is in them.
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
    what = f"{type(error).__name__} at {place}"
    template = N_(
        "This is a bug in jpki: {what}. Please report it with what '-vv' prints for the same"
        " command; no PIN is in it."
    )
    return Failure(
        code="bug",
        exit_code=ExitCode.BUG,
        text=_(template).format(what=what),
        message=template.format(what=what),
        facts={},
    )


def _pcsc_unavailable(error: Any) -> str:  # noqa: ANN401  # apdu.errors is imported late
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


def _no_reader(error: Any) -> str:  # noqa: ANN401
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
    ).format(wanted=printable(error.wanted), available=_names(error.available))


def _names(names: tuple[str, ...]) -> str:
    return ", ".join(printable(name) for name in names)


def _pin_format(error: Any) -> str:  # noqa: ANN401
    from cli.pin_words import pin_fault, pin_form, pin_name

    return _(
        "This cannot be the {pin}: {fault}. It has {form}. Nothing was sent to the card, no try"
        " was spent; enter it again."
    ).format(pin=pin_name(error.kind), fault=pin_fault(error.fault), form=pin_form(error.kind))


def _pin_incorrect(error: Any) -> str:  # noqa: ANN401
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
            "One more wrong entry blocks it; 'jpki pin unlock' tells what happens then."
            " The last try is used with --use-last-try only."
        )
    )


def _pin_blocked(error: Any) -> str:  # noqa: ANN401
    from cli.pin_words import pin_name

    return _(
        "The {pin} is blocked. 'jpki pin unlock {kind}' tells how to have it unlocked"
        " (the city office, or a convenience store). A face-authentication card is"
        " issued with both PINs blocked."
    ).format(pin=pin_name(error.kind), kind=error.kind.value)


def _outcome_unknown(error: Any) -> str:  # noqa: ANN401
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


def _no_certificate(error: Any) -> str:  # noqa: ANN401
    if error.name is not None and error.name.value == "signature":
        return _(
            "There is no signature certificate (署名用電子証明書) on this card: it was not wanted,"
            " the holder is a child, or it is a face-authentication card. The city office can"
            " issue one."
        )
    return _("There is no {name} certificate on this card. Run 'jpki cert list'.").format(
        name=error.name.value
    )


def _certificate_malformed(error: Any) -> str:  # noqa: ANN401
    if error.name is None:
        return _("That is no certificate. A file in PEM or DER is wanted.")
    return _(
        "What the card holds as its {name} certificate is none. Clean the card and try again; if"
        " it stays so, the city office can check the card."
    ).format(name=error.name.value)


def _validity(template: str, error: Any) -> str:  # noqa: ANN401
    time = getattr(error, "not_valid_after", None) or error.not_valid_before
    name = "" if error.name is None else error.name.value
    return _(template).format(name=name, time=f"{time:%Y-%m-%d %H:%M} UTC")


def _certificate_expired(error: Any) -> str:  # noqa: ANN401
    return _validity(
        N_(
            "The {name} certificate expired at {time}. The city office renews it, free of charge;"
            " --allow-expired uses it all the same."
        ),
        error,
    )


def _certificate_not_yet_valid(error: Any) -> str:  # noqa: ANN401
    return _validity(
        N_(
            "The {name} certificate is not valid before {time}. Check this computer's clock;"
            " --allow-expired uses it all the same."
        ),
        error,
    )


def _unsupported_card(error: Any) -> str:  # noqa: ANN401
    match error.kind.value:
        case "juki":
            return _(
                "This is a Basic Resident Registration Card (住基カード). Its certificates have all"
                " expired; jpki needs a My Number Card."
            )
        case "android" | "iphone":
            return _(
                "This is a phone with a My Number Card function. It asks its PIN before it shows"
                " its certificate, which jpki does not do yet; use the card."
            )
        case _:
            return _("This card is not of a kind that jpki knows. A My Number Card is needed.")


def _pin_source(error: Any) -> str:  # noqa: ANN401
    source = "" if error.source is None else printable(error.source)
    match error.fault.value:
        case "no-terminal":
            return _(
                "There is no terminal to ask for the PIN on. In a script, say where it is:"
                " {option} env:VARIABLE, file:PATH, fd:NUMBER or stdin."
            ).format(option=error.option)
        case "not-a-source":
            return _(
                "{option} takes env:VARIABLE, file:PATH, fd:NUMBER or stdin, and nothing else."
                " It never takes the PIN itself."
            ).format(option=error.option)
        case "not-set":
            return _(
                "{option} {source}: there is no such environment variable. Set it for this command."
            ).format(option=error.option, source=source)
        case "same-stream":
            return _(
                "{option} {source}: something else is read from there already. Give the PIN"
                " another way, such as fd:3."
            ).format(option=error.option, source=source)
        case _:
            return _("{option} {source}: it cannot be read ({detail}). Check it.").format(
                option=error.option, source=source, detail=printable(error.detail)
            )


def _output_refused(error: Any) -> str:  # noqa: ANN401
    path = printable(error.path)
    match error.fault.value:
        case "no-folder":
            text = _("The output {path} cannot be written: its folder does not exist.")
        case "folder-read-only":
            text = _("The output {path} cannot be written: its folder is read-only.")
        case "is-folder":
            text = _("The output {path} is a folder.")
        case "is-input":
            text = _("The output {path} is the input itself.")
        case "impossible":
            text = _("The output {path} cannot be written: its name is not possible.")
        case _:
            text = _("Two inputs would have the same output {path}.")
    return text.format(path=path) + " " + _("Nothing was done. Give another one with -o.")


def _token(error: Any) -> str:  # noqa: ANN401
    match error.fault.value:
        case "origin":
            return _(
                "The origin must be https://host or https://host:port in lower case, with no path."
                " Give it with --origin as the site's address bar shows it."
            )
        case "nonce":
            return _(
                "The nonce must be 44 to 128 characters of base64. 'jpki auth challenge' makes one."
            )
        case _:
            return _("The token was refused: {fault}. Log in again with a new challenge.").format(
                fault=error.fault.value
            )


def _interrupted(error: Any) -> str:  # noqa: ANN401
    if error.step is None:
        return _("Interrupted. Nothing is under way any more.")
    if error.outcome is None:
        return _("Interrupted; the card had done '{step}' by then, and nothing after it.").format(
            step=error.step
        )
    return _("Interrupted. {outcome}").format(outcome=describe(error.outcome).text)


TABLE: Final[dict[str, tuple[ExitCode, Text]]] = {
    # the way to the card: apdu.errors
    "card-error": (ExitCode.NONSENSE, N_("The exchange with the card failed. Try again.")),
    "pcsc-unavailable": (ExitCode.NO_READER, _pcsc_unavailable),
    "no-reader": (ExitCode.NO_READER, _no_reader),
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
    "unexpected-status-word": (
        ExitCode.NONSENSE,
        N_(
            "The card refused a command in a way that is not known: {sw:04X} to {ins:02X}."
            " Try again; with --apdu-log FILE the exchange can be reported."
        ),
    ),
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
    "unsupported-card": (ExitCode.NO_CARD, _unsupported_card),
    "pin-format": (ExitCode.REFUSED, _pin_format),
    "pin-incorrect": (ExitCode.PIN_INCORRECT, _pin_incorrect),
    "pin-blocked": (ExitCode.PIN_BLOCKED, _pin_blocked),
    "last-try": (
        ExitCode.REFUSED,
        N_(
            "Only one try is left for the {kind}; it was not used. If you are sure of it, run the"
            " command at a terminal with --use-last-try; if not, see 'jpki pin unlock'."
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
    "outcome-unknown": (ExitCode.OUTCOME_UNKNOWN, _outcome_unknown),
    "certificate": (ExitCode.NONSENSE, N_("The certificate cannot be used. Run 'jpki status'.")),
    "no-certificate": (ExitCode.REFUSED, _no_certificate),
    "certificate-malformed": (ExitCode.NONSENSE, _certificate_malformed),
    "certificate-expired": (ExitCode.REFUSED, _certificate_expired),
    "certificate-not-yet-valid": (ExitCode.REFUSED, _certificate_not_yet_valid),
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
        N_("The file changed while it was being signed; nothing was written. Sign it again."),
    ),
    "token-invalid": (ExitCode.REFUSED, _token),
    # the command: cli.errors
    "cli": (ExitCode.REFUSED, N_("This cannot be done. See 'jpki --help'.")),
    "usage": (ExitCode.REFUSED, _usage),
    "pin-source": (ExitCode.REFUSED, _pin_source),
    "pin-on-command-line": (
        ExitCode.REFUSED,
        N_(
            "A PIN on the command line is not supported: it would be visible to other users and"
            " stay in the shell's history. Run the command at a terminal, or use --pin-from."
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
    "output-refused": (ExitCode.REFUSED, _output_refused),
    "output-exists": (
        ExitCode.REFUSED,
        N_(
            "{path} exists already; nothing was done. Choose another name, or replace it with --force."
        ),
    ),
    "output-not-written": (
        ExitCode.OUTPUT_NOT_WRITTEN,
        N_("{path} could not be written: {detail}. What was there before is untouched."),
    ),
    "stdout-closed": (ExitCode.PIPE_CLOSED, N_("Nobody reads the output any more.")),
    "format-not-offered": (
        ExitCode.REFUSED,
        N_("The format {format} is not offered yet. Use --format cms or --format raw."),
    ),
    "card-file": (
        ExitCode.REFUSED,
        N_(
            "{path} is not a virtual card that can be used: {detail}. Make one with"
            " 'jpki emulator create {path}'."
        ),
    ),
    "interrupted": (ExitCode.INTERRUPTED, _interrupted),
    "terminated": (
        ExitCode.TERMINATED,
        N_("Ended by signal {signal}. Nothing is under way any more."),
    ),
}
"""Error code -> exit code and text. A test holds every error class against it."""
