"""Calls into the third-party code: plugins, components, data providers, engines, strategy classes.

The effects of such code are reported with its name and end with the call:
1. Its exceptions are raised as errors; `sys.exit`, and a KeyboardInterrupt without Ctrl-C, as `EscapedError`.
2. The folder, locale, warning filters, error state of numpy, recursion limit, signal handlers and standard streams are
   restored afterwards. It can't end or replace the process (`quantcrafter.engine.api.foreign_process`).
3. Its output and warnings are passed with its name to the program's listener, and never mixed with the program's
   results.
4. Calls that take long are reported. A call with a time limit is ended as soon as it executes Python code; in the main
   thread, and if the platform has a timer for that, also while it waits for the system.

Without a listener, as in a script, output and warnings are not changed.
"""

from __future__ import annotations

import contextlib
import ctypes
import locale
import os
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import FrameType, TracebackType
from typing import Any, Protocol, Self, TextIO
from weakref import WeakKeyDictionary

import numpy as np

from quantcrafter.engine.api.errors import QuantCrafterError, RunCancelledError, SpecError
from quantcrafter.engine.api.foreign_output import LineStream
from quantcrafter.engine.api.foreign_process import guard_process, leave_fork, release_process, set_handler
from quantcrafter.engine.api.home import node_folder
from quantcrafter.engine.api.message import Message, without_stop
from quantcrafter.engine.api.os_errors import os_error_text
from quantcrafter.engine.api.wording import shortened

LOAD_SLOW_S = 3.0
"""Time after which the import of a plugin is reported as slow."""
LOAD_LIMIT_S = 60.0
"""Maximum time for the import of a plugin and for its hooks."""
CALL_SLOW_S = 30.0
"""Time after which any other call is reported as slow."""
MOST_LINES = 1_000
"""How many lines of one plugin or node are shown."""
_LOOK_S = 0.25

_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGALRM", "SIGHUP", "SIGPIPE") if hasattr(signal, name)
)


class EscapedError(Exception):
    """An exception that would have ended the program: SystemExit, GeneratorExit, or another non-error."""


class TooLongError(EscapedError):
    """A call took longer than it may, and was ended."""


class TimeLimitError(BaseException):
    """Raised within a call at its time limit."""


class Listener(Protocol):
    """A listener of the calling program for the output and the duration of third-party code."""

    def printed(self, call: ForeignCall | None, text: str, *, warning: bool) -> None:
        """Handle a printed line or a warning; without a call, it came from a thread that outlived its call."""
        ...

    def slow(self, call: ForeignCall, seconds: float) -> None:
        """Handle a call that has taken this long and is still running."""
        ...

    def interrupted(self) -> bool:
        """Return whether the user pressed Ctrl-C and the call must end."""
        ...

    def restore(self) -> None:
        """Restore what the program itself has set up in the process; called after each call."""
        ...


@dataclass
class ForeignCall:
    """A call into third-party code.

    Args:
        who: whose code, such as `Node 'p' (mine.spread of plugin 'mine')`.
        doing: what it does, such as `computing`. node: id of the node, if it is one. slow_s: after how many seconds it
            is reported.
    """

    who: str
    doing: str
    node: str = ""
    slow_s: float = CALL_SLOW_S
    since: float = field(default_factory=time.monotonic)
    reports: int = 0

    def turn_to(self, who: str, node: str) -> None:
        """Go on with another component within the same call."""
        self.who, self.node, self.since, self.reports = who, node, time.monotonic(), 0


# ---------------------------------------------------------------------- whose a class is

_owners: WeakKeyDictionary[type, tuple[str, bool]] = WeakKeyDictionary()


def claim(cls: type, plugin: str, *, builtin: bool) -> None:
    """Store the plugin of a class."""
    _owners[cls] = plugin, builtin


def is_own(thing: object) -> bool:
    """Return whether a class, or that of an object, is part of QuantCrafter."""
    return _owners.get(thing if isinstance(thing, type) else type(thing), ("", False))[1]


def with_origin(what: str, thing: object) -> str:
    """Return the name of an object or class for messages, with its plugin, if any."""
    plugin, builtin = _owners.get(thing if isinstance(thing, type) else type(thing), ("", True))
    return what if builtin or not plugin else Message("{what} of plugin '{plugin}'", what=what, plugin=plugin)


def use_of(component: Any) -> str:
    """Return a component's name with its plugin: `mine.spread of plugin 'mine'`."""
    return with_origin(component.name, component)


def node_label(node: str, component: Any) -> Message:
    """Return the name of a node for messages: its id, its component, and the component's plugin."""
    return Message("Node '{node}' ({use})", node=node, use=use_of(component))


# ---------------------------------------------------------------------- the program's side

_listener: Listener | None = None
_stream: LineStream | None = None
_home_stream: TextIO | None = None
_calls: dict[int, list[ForeignCall]] = {}
_lock = threading.RLock()


def listen(listener: Listener | None) -> None:
    """Set the listener for the output and the duration of third-party code; None for no listener. Starts the watch."""
    global _listener, _stream, _home_stream  # noqa: PLW0603 - one for the process, as standard output is
    _listener = listener
    if listener is None:
        _stream = _home_stream = None
        release_process()
        return
    _stream = LineStream(lambda line: listener.printed(current(), line, warning=False))
    _home_stream = sys.stdout
    warnings.showwarning = _show_warning
    guard_process(_who)
    threading.Thread(target=_watch, args=(listener,), name="watch", daemon=True).start()


def current() -> ForeignCall | None:
    """Return the call that this thread is in, or any other call."""
    own = _calls.get(threading.get_ident())
    if own:
        return own[-1]
    with contextlib.suppress(RuntimeError):  # calls begin and end in other threads
        return next((calls[-1] for calls in _calls.values() if calls), None)
    return None


def _who(any_thread: bool) -> str:  # noqa: FBT001 - one thing to say
    call = current() if any_thread else own_call()
    return call.who if call is not None else ""


def _show_warning(
    message: Warning | str,
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,
    line: str | None = None,
) -> None:
    if _listener is None or file is not None:
        (file or sys.stderr).write(warnings.formatwarning(message, category, filename, lineno, line))
        return
    place = f"{os.path.basename(filename)}:{lineno}"  # noqa: PTH119 - a warning may name no path at all
    _listener.printed(current(), f"{category.__name__}: {' '.join(str(message).split())} ({place})", warning=True)


def _watch(listener: Listener) -> None:
    while _listener is listener:
        time.sleep(_LOOK_S)
        for call in [call for calls in list(_calls.values()) for call in calls[-1:]]:
            passed = time.monotonic() - call.since
            if passed >= call.slow_s * 2**call.reports:
                call.reports += 1
                listener.slow(call, passed)


# ---------------------------------------------------------------------- the call


class foreign:  # noqa: N801 - used as a function: with foreign("Plugin 'x'", "importing")
    """Be in a call into third-party code.

    Args:
        who: whose code it is, as messages name it.
        doing: what it does, such as `computing`.
        node: id of the node, if it is one.
        slow_s: after how many seconds it is reported as slow.
        limit_s: after how many seconds it is ended, as far as that can be done; None for never.

    Raises:
        EscapedError: it raised an exception that would have ended the program.
        KeyboardInterrupt: the user pressed Ctrl-C.
    """

    def __init__(
        self, who: str, doing: str, *, node: str = "", slow_s: float = CALL_SLOW_S, limit_s: float | None = None
    ) -> None:
        self.call = ForeignCall(who, doing, node, slow_s)
        self._limit_s = limit_s
        self._state = _State()

    def __enter__(self) -> Self:
        self._process = os.getpid()
        self._state.take()
        if _listener is None:
            self._state.listen_for_key()
        self.call.since = time.monotonic()
        with _lock:
            _calls.setdefault(threading.get_ident(), []).append(self.call)
            if _stream is not None:
                sys.stdout = _stream
        if self._limit_s is not None:
            self._state.start_timer(self._limit_s)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            self._state.end_timer()
        except TimeLimitError:  # it came between the end of the call and that of the timer
            self._state.end_timer()
        leave_fork(self._process)
        self._state.restore()
        if _stream is not None and _listener is not None:
            with contextlib.suppress(Exception):
                _listener.restore()
                _stream.end_line()
        with _lock:
            calls = _calls[threading.get_ident()]
            calls.remove(self.call)
            if not calls:
                del _calls[threading.get_ident()]
            if _home_stream is not None:
                sys.stdout = _stream if _calls and _stream is not None else _home_stream
        try:
            if _is_interrupted() and not isinstance(error, RunCancelledError):
                raise KeyboardInterrupt
            if isinstance(error, TimeLimitError):
                raise TooLongError(Message("took longer than {seconds:.0f} s", seconds=self._limit_s)) from None
            if error is not None and not isinstance(error, Exception):
                raise settled(error) from error
        finally:
            self._state.forget_key()


class _State:
    """What third-party code may change in the process, to be restored."""

    def take(self) -> None:
        self._streams = sys.stdin, sys.stdout, sys.stderr
        self._folder = _folder()
        self._locale = locale.setlocale(locale.LC_ALL)
        self._errors = np.geterr()
        self._depth = sys.getrecursionlimit()
        self._filters, self._show = warnings.filters[:], warnings.showwarning
        self._is_main = threading.current_thread() is threading.main_thread()
        self._handlers = {each: signal.getsignal(each) for each in _SIGNALS} if self._is_main else {}
        self._is_timed = self._has_key = False
        self._limit: _ThreadLimit | None = None

    def listen_for_key(self) -> None:
        """Tell the user's Ctrl-C from a KeyboardInterrupt raised by the code, if Python's own handler is installed."""
        if self._is_main and self._handlers.get(signal.SIGINT) is signal.default_int_handler:
            _keys.pressed = False
            set_handler(signal.SIGINT, _on_key)
            self._has_key = True

    def forget_key(self) -> None:
        """Undo `listen_for_key`."""
        if self._has_key:
            _keys.pressed = None

    def start_timer(self, seconds: float) -> None:
        """Raise the time limit error after this many seconds, and again each second."""
        if self._is_main and hasattr(signal, "setitimer"):
            signal.signal(signal.SIGALRM, _raise_limit)
            signal.setitimer(signal.ITIMER_REAL, seconds, 1.0)
            self._is_timed = True
        else:
            self._limit = _ThreadLimit(threading.get_ident(), seconds)
            self._limit.start()

    def end_timer(self) -> None:
        """Raise the time limit error no more."""
        if self._is_timed:
            signal.setitimer(signal.ITIMER_REAL, 0.0)
        if self._limit is not None:
            self._limit.end()

    def restore(self) -> None:
        for number, handler in self._handlers.items():
            if signal.getsignal(number) is not handler and handler is not None:
                set_handler(number, handler)
        sys.stdin, sys.stdout, sys.stderr = self._streams
        if sys.getrecursionlimit() != self._depth:
            sys.setrecursionlimit(self._depth)
        if np.geterr() != self._errors:
            np.seterr(**self._errors)
        if warnings.filters != self._filters:
            warnings.filters[:] = self._filters  # type: ignore[index]  # it is a list
            warnings._filters_mutated()  # type: ignore[attr-defined]  # noqa: SLF001 - as catch_warnings does
        warnings.showwarning = self._show
        if locale.setlocale(locale.LC_ALL) != self._locale:
            with contextlib.suppress(locale.Error):
                locale.setlocale(locale.LC_ALL, self._locale)
        if self._folder and _folder() != self._folder:
            with contextlib.suppress(OSError):
                os.chdir(self._folder)


class _ThreadLimit(threading.Thread):
    """Raises the time limit error in another thread after some seconds, and again each second until it is ended."""

    def __init__(self, thread: int, seconds: float) -> None:
        super().__init__(name="time-limit", daemon=True)
        self._thread = ctypes.c_ulong(thread)
        self._seconds = seconds
        self._over = threading.Event()
        self._raising = threading.Lock()

    def run(self) -> None:
        """Wait, then raise."""
        wait_s = self._seconds
        while not self._over.wait(wait_s):
            with self._raising:
                if not self._over.is_set():
                    ctypes.pythonapi.PyThreadState_SetAsyncExc(self._thread, ctypes.py_object(TimeLimitError))
            wait_s = 1.0

    def end(self) -> None:
        """Raise no more. Called in the limited thread: an error that is on its way ends here.

        It is received and not taken back: one that is taken back leaves the interpreter's flag for it set for good, and
        then a debugger or another trace function stops the program (CPython 3.11).
        """
        has_ended = False
        while not has_ended:
            try:
                with self._raising:
                    self._over.set()
                _receive()
                has_ended = True
            except TimeLimitError:
                continue


def _receive() -> None:
    """Do nothing: at the begin of a function, Python raises what another thread has sent to this one."""


def _folder() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - it is compared at every call
    except OSError:
        return ""


def _raise_limit(_number: int, _frame: FrameType | None) -> None:
    raise TimeLimitError


class _Keys:
    pressed: bool | None = None
    """Whether Ctrl-C was pressed in this call from a script; None if this is not monitored."""


_keys = _Keys()


def _on_key(number: int, frame: FrameType | None) -> None:
    _keys.pressed = True
    signal.default_int_handler(number, frame)


def _is_interrupted() -> bool:
    return _listener.interrupted() if _listener is not None else bool(_keys.pressed) and _is_main_thread()


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


# ---------------------------------------------------------------------- what went wrong


def settled(error: BaseException) -> Exception:
    """Return what third-party code raised as an exception that does not end the program.

    Raises:
        KeyboardInterrupt: the user pressed Ctrl-C. Outside of a call in a script, every KeyboardInterrupt means this.
    """
    if isinstance(error, Exception):
        return error
    unwatched = _listener is None and _keys.pressed is None and _ends_by_key()
    if isinstance(error, KeyboardInterrupt) and (unwatched or _is_interrupted()):
        raise error
    escaped = EscapedError(described(error))
    escaped.__cause__ = error
    return escaped


def _ends_by_key() -> bool:
    return _is_main_thread() and signal.getsignal(signal.SIGINT) is signal.default_int_handler


def own_call() -> ForeignCall | None:
    """Return the call that this thread is in."""
    calls = _calls.get(threading.get_ident())
    return calls[-1] if calls else None


def described(error: BaseException) -> str:
    """Return an error's class and text, in one line."""
    text = text_of(error)
    if isinstance(text, Message):
        return Message("{type}: {text}", type=type(error).__name__, text=text)
    text = " ".join(text.split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def text_of(error: BaseException) -> str:
    """Return an error's text, whatever its `__str__` does.

    Raises:
        KeyboardInterrupt: the user pressed Ctrl-C.
    """
    try:
        return str(error)
    except BaseException as failure:  # noqa: BLE001 - an error of somebody's own that cannot even be printed
        if isinstance(failure, KeyboardInterrupt):
            settled(failure)
        return Message("(it can't be printed)")


MOST_TEXT = 1_000
"""Maximum length of an error's text in a message."""


def reason_of(error: BaseException) -> str:
    """Return what went wrong in third-party code, in one line without a full stop."""
    text = text_of(error)
    reason: str
    if isinstance(error, EscapedError):
        reason = Message(
            "{text}. A component must return or raise an error, and not end the program", text=" ".join(text.split())
        )
    elif "read-only" in text or "readonly" in text:
        reason = Message(
            "it writes into its input, which is read-only ({type}). "
            "It must copy the column first, such as 'values = values.copy()'",
            type=type(error).__name__,
        )
    elif isinstance(error, MemoryError):
        reason = Message("there is not enough memory")
    elif isinstance(error, OSError) and error.errno:
        reason = os_error_text(error)
    else:
        reason = described(error)
    place = _place_in_node_file(error)
    if place is not None:
        reason = Message(
            "{reason} ({file}, line {line})",
            reason=without_stop(shortened(reason, MOST_TEXT)),
            file=place[0],
            line=place[1],
        )
        return reason
    return without_stop(shortened(reason, MOST_TEXT))


def _place_in_node_file(error: BaseException) -> tuple[str, int] | None:
    """Return the node file and the line that raised an error, or that called what raised it; None for other code."""
    folder = str(node_folder())
    while isinstance(error, EscapedError) and error.__cause__ is not None:
        error = error.__cause__
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        place, name = os.path.split(frame.filename)
        if place == folder:
            return name, frame.lineno or 0
    return None


def is_plain(error: QuantCrafterError) -> bool:
    """Return whether one of our errors that a component raised can be reported unchanged.

    This is not possible if it is about the program (the run was cancelled, the file is wrong) or has no text.
    """
    return bool(text_of(error).strip()) and not isinstance(error, (RunCancelledError, SpecError))


@contextlib.contextmanager
def calling(who: str, doing: str, component: object, node: str = "") -> Iterator[ForeignCall | None]:
    """Call a component's method as third-party code; our own components are called directly."""
    if is_own(component):
        yield None
        return
    with foreign(who, doing, node=node) as within:
        yield within.call
