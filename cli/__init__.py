"""The ``jpki`` command: it parses, asks, calls the library and renders, and decides nothing."""

__all__: list[str] = []
