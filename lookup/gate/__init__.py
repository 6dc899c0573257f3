"""Who may ask, and how fast: honest crowds pass, guessers and collectors are slowed and seen."""
