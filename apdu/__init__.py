"""Smart card commands, answers and transports, ISO/IEC 7816-4; of no particular card."""
