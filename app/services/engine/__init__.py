"""The engine process, seen from the desktop: jobs go in, Qt signals come out, and the UI thread never waits."""

from app.services.engine.engine import Engine
from app.services.engine.job import Job, JobState

__all__ = ["Engine", "Job", "JobState"]
