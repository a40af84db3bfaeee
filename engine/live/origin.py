"""Where a worker's bars and fills came from when its log began, and what becomes of a log that has others now.

Bars of another feed don't continue those of the log, and another broker doesn't have its positions.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from quantcrafter.engine.api import Broker, Feed, RunError
from quantcrafter.engine.api.message import Message
from quantcrafter.engine.api.wording import shown_path
from quantcrafter.engine.live.input_log import LOG, InputLog, has_log
from quantcrafter.engine.live.worker_folder import put_aside

log = logging.getLogger("quantcrafter.live")

_SIMULATED = "simulated"


def origin_of(feed: Feed, broker: Broker | None = None) -> dict[str, Any]:
    """Return what a log says of its feed and broker: their names and options, without those of `changeable`.

    Options that have their default are left out, so that a later version can have more of them.
    """
    found = {"feed": _written(feed)}
    return found if broker is None else found | {"broker": _written(broker)}


def _written(source: Feed | Broker) -> dict[str, Any]:
    fields = type(source).model_fields
    plain = {name: _plain(value) for name, value in source if name not in source.changeable}
    options = {
        name: value
        for name, value in plain.items()
        if value is not None and name in fields and value != _plain(fields[name].default)
    }
    return {"name": type(source).name, "options": options}


def _plain(value: Any) -> Any:
    """Return a value of an option as JSON has it; None for what has no such form."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, Mapping):
        return {str(name): _plain(each) for name, each in value.items()}
    return str(value) if type(value).__module__.startswith("quantcrafter.engine.") else None


def why_begins_anew(folder: Path, feed: Feed, broker: Broker | None = None) -> str:
    """Return why a worker can't go on with its log: it is of another feed or broker; '' if it can.

    Feed and broker are those that the worker is to have, with relative paths resolved (`beside`).

    Raises:
        RunError: the log's broker is outside, where it may have positions; or the log can't be read.
    """
    if not has_log(folder / LOG):
        return ""
    with InputLog.read(folder / LOG) as opened:
        if not opened.has_anchor:
            return ""
        meta = opened.meta()
    why = elsewhere(meta, feed, broker)
    if not why:
        return ""
    if meta.get("venue") == "external":
        raise RunError(
            Message(
                "The worker '{key}' can't go on: {why}. It may have positions and orders at its broker, which only its "
                "log knows. Start it with the feed and the broker that it had, or start the strategy under another "
                "key: in a file of another name.",
                key=folder.name,
                why=why,
            )
        )
    return why


def begin_anew_if_elsewhere(
    folder: Path, feed: Feed, broker: Broker | None = None, *, check: Callable[[], object]
) -> None:
    """Move away what a worker's folder holds if `why_begins_anew`, and log it.

    `check` is called before, and raises if the new feed can't be had: then nothing is moved.

    Raises:
        RunError: as `why_begins_anew` and `put_aside`, and all that `check` raises.
    """
    if why := why_begins_anew(folder, feed, broker):
        check()
        put_aside(folder)
        log.warning("The worker begins anew: %s. Its files are in %s.", why, shown_path(folder / "previous"))


def elsewhere(meta: Mapping[str, Any], feed: Feed, broker: Broker | None = None) -> str:
    """Return what differs between the feed and the broker of a log and those of now, in a clause; '' for nothing.

    A log of an earlier version says only whether its broker was a simulated one.
    """
    now = origin_of(feed, broker)
    for kind in now:
        before = meta.get(kind)
        if before is not None and before != now[kind]:
            was, is_now = _shown(before, now[kind]), _shown(now[kind], before)
            if kind == "feed":
                return str(Message("its feed was {was} and is {now}", was=was, now=is_now))
            return str(Message("its broker was {was} and is {now}", was=was, now=is_now))
    if broker is not None and meta.get("broker") is None and meta.get("venue") != broker.venue:
        if broker.venue == _SIMULATED:
            return str(Message("its broker was one outside and is '{name}'", name=type(broker).name))
        return str(Message("its broker was a simulated one and is '{name}'", name=type(broker).name))
    return ""


def _shown(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """Return the name of a feed or a broker, with the options in which it differs from another one."""
    own = one["options"]
    others = other["options"] if one["name"] == other["name"] else {}
    differing = [name for name in sorted({*own, *others}) if own.get(name) != others.get(name)]
    return f"'{one['name']}" + "".join(f",{name}={own.get(name, 'default')}" for name in differing) + "'"
