"""Ways to reach a card: PC/SC, a card in this process, a recording."""
