"""A log of exchanges to show to a stranger: never a PIN, and personal data only on request.

One line per command, answer or failure::

    > 00 A4 04 0C Lc=0A D392F000260100000001   CLA INS P1 P2, Lc, data: SELECT names no person
    < 9000 (0 bytes)                            status word, length of the data
    > 00 20 00 80 [redacted]                    a PIN: never shown, nor how long it is
    < 63C2 (0 bytes)
    > 00 B0 00 00 Le=00                         Le as it is coded: 00 is 256, 0000 is 65536
    < 9000 (256 bytes)                          data in hex behind this only with include_data
    > 80 2A 00 80 Lc=33 Le=00                   data of other commands, the same
    ! card-removed                              no answer; the code of the error

Lengths and bytes are hexadecimal, except the decimal count before "bytes".
"""

from typing import TextIO

from apdu.command import CommandApdu

_PIN_INS = frozenset({0x20, 0x21, 0x24, 0x25, 0x2C, 0x2D})
"""VERIFY, CHANGE REFERENCE DATA, RESET RETRY COUNTER, in both codings. ISO/IEC 7816-4 11.6."""

_INS_SELECT = 0xA4


class Trace:
    """Writes redacted lines to ``stream``, each flushed at once: a hang loses none.

    It takes bytes as they go to the card, not command objects, and redacts by the INS byte: so a
    PIN is also safe from whoever forgot to mark the command as sensitive, or got its lengths wrong.

    If the stream cannot be written to any more (a full disk, a closed pipe) the trace falls silent:
    an exchange with a card must not break off half-way for the sake of its log.
    """

    def __init__(self, stream: TextIO, *, include_data: bool = False) -> None:
        self._stream: TextIO | None = stream
        self._include_data = include_data
        self._hide_answer = True

    def sent(self, command: bytes, *, sensitive: bool = False) -> None:
        """Log an encoded command before it goes out."""
        line = format_command(command, include_data=self._include_data, sensitive=sensitive)
        self._hide_answer = not self._include_data or sensitive or _is_secret(command)
        self._write(f"> {line}")

    def received(self, response: bytes) -> None:
        """Log the answer to the last command as it came, sound or not."""
        data, sw = response[:-2], response[-2:]
        if len(sw) < 2:
            self._write(f"< [malformed] ({len(response)} bytes)")
            return
        shown = "" if self._hide_answer or not data else f" {data.hex().upper()}"
        self._write(f"< {sw.hex().upper()} ({len(data)} bytes){shown}")

    def failed(self, code: str) -> None:
        """Log that no answer came, and the code of the reason."""
        self._write(f"! {code}")

    def _write(self, line: str) -> None:
        if self._stream is None:
            return
        try:
            self._stream.write(line + "\n")
            self._stream.flush()
        except (OSError, ValueError):  # ValueError: the stream was closed
            self._stream = None


def format_command(raw: bytes, *, include_data: bool = False, sensitive: bool = False) -> str:
    """Return an encoded command as a trace shows it, without the leading ``> ``."""
    header = raw[:4].hex(" ").upper()
    if len(raw) > 5 and (sensitive or _is_secret(raw)):
        return f"{header} [redacted]"
    try:
        command = CommandApdu.decode(raw)
    except ValueError:  # which bytes are data cannot be told, so none is shown
        return f"{header} [malformed, {len(raw)} bytes]"
    parts = [header]
    width = 4 if command.is_extended else 2
    if command.data:
        parts.append(f"Lc={len(command.data):0{width}X}")
        if include_data or command.ins == _INS_SELECT:
            parts.append(command.data.hex().upper())
    if command.ne:
        parts.append(f"Le={command.ne % 16**width:0{width}X}")
    return " ".join(parts)


def _is_secret(raw: bytes) -> bool:
    return len(raw) > 1 and raw[1] in _PIN_INS
