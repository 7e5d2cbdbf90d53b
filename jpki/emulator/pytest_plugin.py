"""A stub until the emulator is written."""
