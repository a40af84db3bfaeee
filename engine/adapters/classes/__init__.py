"""Strategy classes written for another engine: their import, and a ledger of their engine's fills."""
