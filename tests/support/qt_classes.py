"""All classes of the program that derive from Qt's."""

from __future__ import annotations

import importlib
import inspect
import pkgutil

from shiboken6 import Shiboken

from quantcrafter import app


def qt_classes() -> list[type]:
    """Return every class of `app` that derives from one of Qt's, those within other classes too, by name."""
    found: dict[str, type] = {}
    for module in pkgutil.walk_packages(app.__path__, "quantcrafter.app."):
        importlib.import_module(module.name)
    waiting: list[type] = [Shiboken.Object]
    while waiting:
        cls = waiting.pop()
        derived: type
        for derived in type.__subclasses__(cls):
            if id(derived) not in {id(each) for each in waiting}:
                waiting.append(derived)
        if inspect.isclass(cls) and cls.__module__.startswith("quantcrafter.app."):
            found[f"{cls.__module__}.{cls.__qualname__}"] = cls
    return [found[name] for name in sorted(found)]
