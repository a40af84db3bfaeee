"""What belongs to an open strategy beside its text: its run, what explains it, and its log."""
