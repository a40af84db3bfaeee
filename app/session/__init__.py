"""What belongs to an open strategy beside its text: its run and what explains it, and its recovery files."""
