"""What a site hears of an error, and whether every question fits into a PIN window."""

import hashlib
import inspect
from typing import Any

import pytest
from support.cards import PASSWORD, PIN
from support.native_host import NONCE
from support.trial import Person, Trial

import apdu.errors
import cli.errors
import jpki.authentication.errors
import jpki.errors
from cli.context import AppContext, Settings
from cli.login_token import login_request
from cli.messages import TABLE
from cli.native_host.answers import answer
from cli.native_host.texts import answer_for
from cli.pinentry_dialog import MAX_LINE
from cli.translation import LANGUAGES, install, language_kept, use_language
from jpki.authentication.native_messaging_commands import (
    Authenticate,
    GetSigningCertificate,
    Sign,
)
from jpki.certificates.loading import load_certificate

LOCAL = "/home/taro/secret reader"


def classes(base: type[BaseException]) -> set[type[BaseException]]:
    return {base} | {found for child in base.__subclasses__() for found in classes(child)}


def made(error: type[BaseException]) -> BaseException | None:
    """An error with a name of this computer wherever a text may stand."""
    values: dict[str, Any] = {}
    for name, parameter in inspect.signature(error.__init__).parameters.items():
        annotation = str(parameter.annotation)
        if name in {"self", "args", "kwargs"}:
            continue
        if "tuple" in annotation:
            values[name] = (LOCAL,)
        elif "str" in annotation:
            values[name] = LOCAL
        elif parameter.default is inspect.Parameter.empty:
            return None
    return error(**values)


BASES = (apdu.errors.CardError, jpki.errors.JpkiError, cli.errors.CliError)
ERRORS = sorted(
    {
        error
        for base in BASES
        for error in classes(base)
        if error.__module__.split(".")[0] in {"apdu", "jpki", "cli"}
        and getattr(error, "code", None) in TABLE
        and error.__module__ != "cli.pinentry_dialog"
    },
    key=lambda error: error.__name__,
)
NOT_OF_A_CARD = {
    # of files and servers, which the host has nothing to do with
    "server", "input", "document", "anchor-not-ca", "manifest-taken", "usage", "interrupted",
    # says which part of an answer, in words of ours
    "malformed-response",
}  # fmt: skip


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_a_site_hears_no_name_of_this_computer(error: type[BaseException]) -> None:
    if error.code in NOT_OF_A_CARD:  # type: ignore[attr-defined]
        return
    example = made(error)
    if example is not None:
        message = answer_for(example)["error"]["message"]
        assert LOCAL not in message
        assert "{" not in message


def test_a_bug_is_told_as_one() -> None:
    said = answer_for(RuntimeError(LOCAL))["error"]
    assert said["code"] == "ERR_WEBEID_NATIVE_FATAL"
    assert "bug" in said["message"]
    assert LOCAL not in said["message"]


LONGEST_ORIGIN = "https://" + ".".join(["x" * 63] * 3 + ["x" * 61]) + ":65535"


class Window(Person):
    """Adds what a window would show above its field."""

    def description(self) -> str:
        (question,) = self.questions
        return "\n\n".join([*self.heard, question])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("command", ["authenticate", "get-signing-certificate", "sign"])
def test_the_longest_question_fits_into_a_line_of_assuan(
    trial: Trial, language: str, command: str
) -> None:
    from cryptography.hazmat.primitives.serialization import Encoding

    from apdu.transports.loopback import LoopbackTransport
    from jpki.card import MyNumberCard
    from jpki.files import CertificateName

    with MyNumberCard(LoopbackTransport(trial.card)) as card, card.transaction() as application:
        ca = application.read_certificate(CertificateName.AUTHENTICATION)
    certificate = load_certificate(ca.public_bytes(Encoding.DER), extensions=False)
    commands = {
        "authenticate": Authenticate(origin=LONGEST_ORIGIN, nonce=NONCE),
        "get-signing-certificate": GetSigningCertificate(origin=LONGEST_ORIGIN),
        "sign": Sign(
            origin=LONGEST_ORIGIN,
            certificate=certificate,
            digest=hashlib.sha512().digest(),
            hash_function="SHA-512",
        ),
    }
    window = Window([cli.errors.PinentryCancelledError()])
    app = AppContext(
        settings=Settings(reader="emulator:card"),
        load_emulator=lambda _path: trial.card,
        prompter=window,
    )
    install()
    with language_kept():
        use_language(language)
        with pytest.raises(cli.errors.PinentryCancelledError):
            answer(app, commands[command])  # type: ignore[arg-type]
    line = f"SETDESC {window.description()}".replace("%", "%25").replace("\n", "%0A")
    assert LONGEST_ORIGIN in line
    assert len(line.encode()) <= MAX_LINE


def test_terminal_and_window_disclose_a_login_in_the_same_words(trial: Trial) -> None:
    trial.run("auth", "respond", "--origin", "https://a.jp", "--nonce", NONCE, answers=[PIN])
    assert trial.person.heard == [login_request("https://a.jp").disclosure]
    assert PASSWORD not in trial.person.heard[0]
