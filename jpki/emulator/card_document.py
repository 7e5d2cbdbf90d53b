"""The card as a JSON document, version 1 of the format in docs/emulator.md."""

import base64
import binascii
import datetime
from typing import Any

from jpki.emulator.image import (
    Alphabet,
    Application,
    CardImage,
    DataFile,
    File,
    Holder,
    KeyFile,
    PinFile,
)

FORMAT = "jpki virtual card"
VERSION = 1


def document_of(image: CardImage) -> dict[str, Any]:
    """The document that stands for an image."""
    return {
        "format": FORMAT,
        "version": VERSION,
        "notice": "A virtual card for tests. Its keys and PINs are no secrets.",
        "atr": image.atr.hex(),
        "label": image.label,
        "holder": {
            "name": image.holder.name,
            "address": image.holder.address,
            "birth_date": image.holder.birth_date.isoformat(),
            "sex": image.holder.sex,
        },
        "issued": image.issued.isoformat(),
        "expires": image.expires.isoformat(),
        "applications": [
            {
                "name": application.name,
                "aid": application.aid.hex(),
                "files": [_file_document(file) for file in application.files],
            }
            for application in image.applications
        ],
    }


def _file_document(file: File) -> dict[str, Any]:
    match file:
        case PinFile():
            return {
                "ef_id": f"{file.ef_id:04x}",
                "type": "pin",
                "name": file.name,
                "value": file.value.decode("latin-1"),
                "tries_left": file.tries_left,
                "max_tries": file.max_tries,
                "min_length": file.min_length,
                "max_length": file.max_length,
                "alphabet": file.alphabet.value,
            }
        case KeyFile():
            return {
                "ef_id": f"{file.ef_id:04x}",
                "type": "key",
                "private_key": base64.b64encode(file.private_key).decode(),
                "use_after": [f"{ef_id:04x}" for ef_id in file.use_after],
            }
        case DataFile():
            return {
                "ef_id": f"{file.ef_id:04x}",
                "type": "data",
                "content": base64.b64encode(file.content).decode(),
                "size": file.size,
                "read_after": [f"{ef_id:04x}" for ef_id in file.read_after],
            }


def image_of(document: dict[str, Any]) -> CardImage:
    """The image that a document stands for.

    Raises:
        ValueError: the document is damaged.
    """
    try:
        return _image(document)
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise ValueError(f"the virtual card is damaged ({type(error).__name__})") from None


def _image(document: dict[str, Any]) -> CardImage:
    holder = document["holder"]
    applications = tuple(
        Application(
            name=_text(entry["name"]),
            aid=bytes.fromhex(entry["aid"]),
            files=tuple(_file(file) for file in entry["files"]),
        )
        for entry in document["applications"]
    )
    if not applications:
        raise ValueError("no application")
    return CardImage(
        atr=bytes.fromhex(document["atr"]),
        label=_text(document["label"]),
        holder=Holder(
            name=_text(holder["name"]),
            address=_text(holder["address"]),
            birth_date=datetime.date.fromisoformat(holder["birth_date"]),
            sex=_text(holder["sex"]),
        ),
        issued=_time(document["issued"]),
        expires=_time(document["expires"]),
        applications=applications,
    )


def _file(entry: dict[str, Any]) -> File:
    ef_id = int(_text(entry["ef_id"]), 16)
    match entry["type"]:
        case "pin":
            return PinFile(
                ef_id=ef_id,
                name=_text(entry["name"]),
                value=entry["value"].encode("latin-1"),
                tries_left=_number(entry["tries_left"], 15),
                max_tries=_number(entry["max_tries"], 15),
                min_length=_number(entry["min_length"], 16),
                max_length=_number(entry["max_length"], 16),
                alphabet=Alphabet(entry["alphabet"]),
            )
        case "key":
            return KeyFile(
                ef_id=ef_id,
                private_key=_binary(entry["private_key"]),
                use_after=tuple(int(name, 16) for name in entry["use_after"]),
            )
        case "data":
            content = _binary(entry["content"])
            return DataFile(
                ef_id=ef_id,
                content=content,
                size=_number(entry["size"], 0x8000, least=len(content)),
                read_after=tuple(int(name, 16) for name in entry["read_after"]),
            )
        case other:
            raise ValueError(f"unknown type of file: {other}")


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("text is wanted")
    return value


def _number(value: object, most: int, *, least: int = 0) -> int:
    if not isinstance(value, int) or not least <= value <= most:
        raise ValueError("a number is out of its range")
    return value


def _binary(value: str) -> bytes:
    try:
        return base64.b64decode(value, validate=True)
    except binascii.Error as error:
        raise ValueError("no base64") from error


def _time(value: str) -> datetime.datetime:
    time = datetime.datetime.fromisoformat(value)
    if time.tzinfo is None:
        raise ValueError("a time without zone")
    return time
