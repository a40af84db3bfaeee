"""The desktop's compute process: its protocol and its jobs."""
