"""What the system and the virtual card say of files and addresses, as ``{detail}`` of a message.

They are looked up when an error is described; here they only stand to be translated.
"""

from typing import Final

from cli.translation import N_

TEXTS: Final = (
    N_("No such file or directory"),
    N_("Permission denied"),
    N_("Operation not permitted"),
    N_("Is a directory"),
    N_("Not a directory"),
    N_("File exists"),
    N_("File name too long"),
    N_("Too many levels of symbolic links"),
    N_("Read-only file system"),
    N_("No space left on device"),
    N_("Input/output error"),
    N_("Bad file descriptor"),
    N_("Address already in use"),
    N_("Cannot assign requested address"),
    N_("Name or service not known"),
    N_("Connection refused"),
    N_("this is not a virtual card"),
    N_("this is not a virtual card (no JSON)"),
    N_("this is not a virtual card (too large)"),
)
