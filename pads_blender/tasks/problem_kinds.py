"""What can be wrong with a take: the words alone, for lists that are there before anything is worked out."""

KINDS = ("jitter", "pop", "frozen", "missing", "swap", "slide", "penetration")
