"""The SSH agent: the card as a key, the desk where it is used, and what a person is told."""

__all__: list[str] = []
