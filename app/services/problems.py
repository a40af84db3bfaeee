"""What validation finds, in the language in use. No Qt."""

from __future__ import annotations

from app.services.i18n import said
from engine.api import Problem


def problem_text(problem: Problem) -> str:
    """Return what is wrong and what to do about it."""
    return f"{said(problem.message)} {said(problem.remedy)}".strip()
