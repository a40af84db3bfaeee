"""Matching and ledger after the bar standard QC-BAR-1."""
