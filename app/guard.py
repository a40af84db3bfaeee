"""Every method of ours that Qt calls is safe: an exception in it is reported, and Qt gets a plain answer.

Qt cannot deal with a Python exception. By default, PySide raises it in whichever Python code runs next, ends the event
loop with it, or crashes. So each class of `app` that derives from a class of Qt has its overriding methods wrapped as
it is made, whoever writes it: `install` puts the hook on the root of all classes of Qt, before the first one of ours.

Exceptions go to `sys.excepthook`, as those of slots do. See `docs/adr/0008-guarded-overrides.md`.
"""

from __future__ import annotations

import functools
import inspect
import logging
import sys
import traceback
from collections.abc import Callable, Iterator
from importlib.abc import MetaPathFinder
from typing import Any

log = logging.getLogger(__name__)

_PACKAGE = __name__.rpartition(".")[0]
_BINDINGS = ("PySide6", "Shiboken")
_CLOSING = frozenset(("done", "reject"))
"""What has to work even if ours fails, or a dialog could never be closed again."""
_PLAIN: dict[str, Callable[[], Any]] = {"bool": bool, "int": int, "float": float, "str": str, "list": list}


def install() -> None:
    """Wrap the overriding methods of every class of this package that is made from now on.

    Documents are read without Qt, so it is not imported here: the hook is put on when the first module of Qt is.
    """
    if any(name.startswith("PySide6.") for name in sys.modules):
        _put_hook()
    else:
        sys.meta_path.insert(0, _BeforeQt())


class _BeforeQt(MetaPathFinder):
    """Finds nothing: it is asked for the first module of Qt, puts on the hook, and goes."""

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:
        del path, target
        if fullname.startswith("PySide6.Qt"):
            sys.meta_path.remove(self)
            _put_hook()


def _put_hook() -> None:
    from shiboken6 import Shiboken

    def made(cls: type, **options: Any) -> None:
        super(Shiboken.Object, cls).__init_subclass__(**options)  # type: ignore[misc]  # it is one of Qt's
        if cls.__module__.startswith(f"{_PACKAGE}."):
            guard_class(cls)

    Shiboken.Object.__init_subclass__ = classmethod(made)  # type: ignore[assignment, method-assign, arg-type]


def guard_class(cls: type) -> None:
    """Wrap the methods of a class that override one of Qt's."""
    for name in overrides(cls):
        method = vars(cls)[name]
        if not is_guarded(method):
            setattr(cls, name, guarded(cls, name, method))


def overrides(cls: type) -> Iterator[str]:
    """Yield the names of the methods in which a class overrides one of Qt's."""
    bases = [vars(base) for base in cls.__mro__[1:] if base.__module__.partition(".")[0] in _BINDINGS]
    for name, value in list(vars(cls).items()):
        if inspect.isfunction(value) and not name.startswith("__") and any(name in base for base in bases):
            yield name


def is_guarded(method: Any) -> bool:
    """Return whether a method is wrapped."""
    return hasattr(method, "_guards")


def guarded(cls: type, name: str, method: Callable[..., Any]) -> Callable[..., Any]:
    """Return a method with the same parameters that answers even when the given one raises."""

    def failed(error: BaseException, *given: Any, **options: Any) -> Any:
        _report(error)
        return _answer(cls, name, method, (*given, *options.values()))

    code = method.__code__
    plain = not code.co_kwonlyargcount and not code.co_flags & (inspect.CO_VARARGS | inspect.CO_VARKEYWORDS)
    names = code.co_varnames[: code.co_argcount] if plain else ("self", "*arguments", "**options")
    call = functools.wraps(method)(_shell(", ".join(names))(method, failed))
    call.__defaults__ = method.__defaults__  # type: ignore[attr-defined]  # it is a function
    call._guards = cls  # type: ignore[attr-defined]  # noqa: SLF001 - our own mark
    return call


_SHELL = """
def shell(method_, failed_):
    def guarded({names}):
        try:
            return method_({names})
        except BaseException as error_:
            return failed_(error_, {names})
    return guarded
"""


@functools.cache
def _shell(names: str) -> Callable[..., Callable[..., Any]]:
    """Return what wraps a method with parameters of these names.

    It is compiled from text: Qt passes a slot as many values as it has parameters, and a wrapper with `*arguments` in
    their place would get all that a signal carries; it is three times as slow, too.
    """
    made: dict[str, Any] = {}
    exec(compile(_SHELL.format(names=names), "<quantcrafter.app.guard>", "exec"), made)  # noqa: S102 - our own text
    shell: Callable[..., Callable[..., Any]] = made["shell"]
    return shell


def _report(error: BaseException) -> None:
    """Tell of an exception, and release what its frames hold: a painter that lives on would crash Qt."""
    try:
        sys.excepthook(type(error), error, error.__traceback__)
    except BaseException:  # noqa: BLE001 - the report must not do the harm that it reports
        log.warning("An exception could not be reported: %r", error)
    seen: set[int] = set()
    inner: BaseException | None = error
    while inner is not None and id(inner) not in seen:
        seen.add(id(inner))
        traceback.clear_frames(inner.__traceback__)
        inner = inner.__cause__ or inner.__context__


def _answer(cls: type, name: str, method: Callable[..., Any], given: tuple[Any, ...]) -> Any:
    """Return what Qt gets in place of a result: what its own class answers, else an empty value of the type wanted.

    Where nothing is wanted nothing is done, so that no event is dealt with twice.
    """
    wanted = str(method.__annotations__.get("return", "None"))
    if wanted == "None" and name not in _CLOSING:
        return None
    try:
        return getattr(super(cls, given[0]), name)(*given[1:])
    except BaseException:  # noqa: BLE001 - Qt's own is abstract, or does not like the arguments
        return _empty(wanted, method)


def _empty(wanted: str, method: Callable[..., Any]) -> Any:
    """Return an empty value of an annotated type, None where there is none."""
    plain = _PLAIN.get(wanted.partition("[")[0])
    if plain is not None:
        return plain()
    head, *rest = wanted.split(".")
    kind = method.__globals__.get(head) or _of_qt(head)
    for part in rest:
        kind = getattr(kind, part, None)
    for arguments in ((), (0,)):
        try:
            return kind(*arguments) if isinstance(kind, type) else None
        except Exception:  # noqa: BLE001, S112 - an abstract class, or an enumeration that has no such value
            continue
    return None


def _of_qt(name: str) -> Any:
    from PySide6 import QtCore, QtGui, QtWidgets

    return next((vars(module)[name] for module in (QtCore, QtGui, QtWidgets) if name in vars(module)), None)
