"""Running a strategy: from its file to a prepared job and an engine."""
