"""The engine process, seen from the desktop: jobs go in, Qt signals come out, and the UI thread never waits."""

from quantcrafter.app.services.engine.engine import Engine
from quantcrafter.app.services.engine.job import Job, JobState

__all__ = ["Engine", "Job", "JobState"]
