"""Jobs that the engine process executes: each a request, a function and a result.

Each module in this folder contains a job: a frozen, picklable `Request`, the function that takes it with a
`JobContext`, and the picklable result. The desktop imports these modules for their requests and results, so they import
heavy libraries inside their functions. `table.py` lists the jobs by kind.
"""

from quantcrafter.engine.runtime.compute_process.jobs.contract import Failure, JobContext, LogLine, Request

__all__ = ["Failure", "JobContext", "LogLine", "Request"]
