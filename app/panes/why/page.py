"""The text of the pane, as HTML with links to nodes and bars. No Qt."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from urllib.parse import quote

from quantcrafter.app.services.event_texts import (
    blocked_text,
    ended_text,
    filled_text,
    held_text,
    ordered_text,
    way_title,
)
from quantcrafter.app.services.explanation_texts import cause_text, moment_text, obstacle_text
from quantcrafter.app.services.i18n import tr
from quantcrafter.app.services.value_texts import number_text
from quantcrafter.app.theme.colors import Theme
from quantcrafter.engine.runtime.explain import Facts, Obstacle, Way, Why

NODE, BAR = "node:", "bar:"
OTHERS = 2
"""So many other smallest sets are told of."""


def page(facts: Facts, why: Why, theme: Theme) -> str:
    """Return what happened at a bar and why, or what stood in the way."""
    parts = [_head(facts, why, theme)]
    parts += _happened(facts, why, theme)
    parts += [_way(way, facts, theme) for way in why.ways]
    if not why.ways and not why.ordered and not why.blocked:
        parts.append(_text(tr("Nothing that this strategy could do at this bar depends on conditions."), theme))
    return "".join(parts)


def empty_page(theme: Theme, *, has_run: bool) -> str:
    """Return what to do so that there is something to explain."""
    if has_run:
        text = tr("Select a bar in the chart or a row in a table. This pane shows why the strategy "
"traded there, or what prevented a trade.")  # fmt: skip
    else:
        text = tr("Run the strategy, then select a bar. This pane shows why the strategy traded there, or why not.")
    return f"<p style='color:{theme.text_dim}'>{escape(text)}</p>"


def _head(facts: Facts, why: Why, theme: Theme) -> str:
    bars, bar = facts.bars, why.bar
    title = tr("{symbol}, close of {when}", symbol=bars.symbol, when=moment_text(facts, bar, named=True))
    prices = tr(
        "bar {bar}   open {open}   high {high}   low {low}   close {close}",
        bar=f"{bar:,}",
        open=number_text(float(bars.open[bar])),
        high=number_text(float(bars.high[bar])),
        low=number_text(float(bars.low[bar])),
        close=number_text(float(bars.close[bar])),
    )
    dim = f"<span style='color:{theme.text_dim}'>{escape(prices).replace('   ', ' &nbsp; ')}</span>"
    return f"<p style='margin:0 0 6px 0'><b>{escape(title)}</b><br>{dim}</p>"


def _happened(facts: Facts, why: Why, theme: Theme) -> list[str]:
    parts = []
    for fill in why.filled:
        text = filled_text(fill, facts)
        link = fill.decided if fill.decided != why.bar and not fill.node else None
        parts.append(_line(escape(text), "", theme, bar=link))
    for order in why.ordered:
        text = f"{ordered_text(order)}. {ended_text(order, facts)}"
        parts.append(_line(escape(text), theme.error if order.status == "rejected" else theme.done, theme))
    parts += [_line(_linked(blocked_text(each), each.nodes, theme), theme.error, theme) for each in why.blocked]
    if why.position is not None:
        lot = facts.run.instruments[facts.instrument].lot_size
        when = moment_text(facts, why.position.since)
        text = held_text(why.position.lots * lot, when, why.position.price)
        parts.append(_line(escape(text), "", theme))
    if why.causes:
        parts.append(_title(tr("What led to this"), theme))
        parts.append(_list(_cause(cause, theme) for cause in why.causes))
    return parts


def _cause(cause: Obstacle, theme: Theme) -> str:
    return f"{_node(cause.source or cause.node, theme)}: {escape(cause_text(cause))}"


def _way(way: Way, facts: Facts, theme: Theme) -> str:
    first, *others = way.sets
    title = way_title(way.flag)
    if len(facts.run.decisions) > 1:
        title = f"{title} ({way.node})"
    parts = [_title(title, theme)]
    parts.append(_list(_obstacles(first, facts, theme)))
    if len(first) > 1:
        parts.append(_text(tr("All of these blocked the order. Without them, it would have been placed."), theme))
    for chosen in others[:OTHERS]:
        parts.append(_text(tr("Or instead:"), theme))
        parts.append(_list(_obstacles(chosen, facts, theme)))
    left = len(others) - OTHERS
    if left > 0:
        parts.append(_text(tr("{count} more equally short explanations.", count=left), theme))
    if not way.exact:
        parts.append(_text(tr("There may be a shorter explanation: not all were checked."), theme))
    return "".join(parts)


def _obstacles(chosen: Iterable[Obstacle], facts: Facts, theme: Theme) -> dict[str, None]:
    """Return a line for each obstacle; two flags that lack the same make one."""
    return {f"{_node(each.source or each.node, theme)}: {escape(obstacle_text(each, facts))}": None for each in chosen}


def _node(node: str, theme: Theme) -> str:
    return f"<a href='{NODE}{quote(node)}' style='color:{theme.accent}'>{escape(node)}</a>"


def _linked(text: str, nodes: Iterable[str], theme: Theme) -> str:
    shown = escape(text, quote=False)
    for node in nodes:
        shown = shown.replace(f"'{escape(node)}'", _node(node, theme))
    return shown


def _line(text: str, color: str, theme: Theme, *, bar: int | None = None) -> str:
    mark = f"<span style='color:{color}'>\N{BLACK CIRCLE}</span>&nbsp; " if color else ""
    link = ""
    if bar is not None:
        shown = escape(tr("show that bar"))
        link = f" &nbsp;<a href='{BAR}{bar}' style='color:{theme.accent}'>{shown}</a>"
    return f"<p style='margin:2px 0'>{mark}{text}{link}</p>"


def _title(text: str, theme: Theme) -> str:
    return f"<p style='margin:10px 0 2px 0; color:{theme.text_dim}'><b>{escape(text)}</b></p>"


def _text(text: str, theme: Theme) -> str:
    return f"<p style='margin:4px 0 2px 0; color:{theme.text_dim}'>{escape(text)}</p>"


def _list(items: Iterable[str]) -> str:
    rows = "".join(f"<li style='margin:2px 0'>{item}</li>" for item in items)
    return f"<ul style='margin:0 0 0 0; -qt-list-indent:0'>{rows}</ul>".replace(
        "-qt-list-indent:0", "margin-left:-22px"
    )
