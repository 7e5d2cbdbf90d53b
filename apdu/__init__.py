"""Smart card commands, answers and transports after ISO/IEC 7816-4; nothing here knows what a card is for."""
