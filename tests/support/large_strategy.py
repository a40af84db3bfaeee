"""A strategy of many nodes that runs: averages, comparisons of them, logic over those, a rule and filters."""

from __future__ import annotations

WIDTH, HEIGHT = 260, 130


def large_strategy(count: int, *, bars: int = 2_000) -> str:
    """Return the text of a strategy with about `count` nodes, laid out in columns."""
    third = max(2, -(-(count - 6) // 3))
    indicators = [
        f"  line{n}: {{use: ta.{'SMA' if n % 2 else 'EMA'}, input: bars.close, timeperiod: {3 + n}}}"
        for n in range(third)
    ]
    tests = [
        f'  test{n}: {{use: compare, left: line{n}, op: "{">" if n % 3 else "<"}", right: line{(n * 7 + 1) % third}}}'
        for n in range(third)
    ]
    gates = [
        f"  gate{n}: {{use: {'or' if n % 2 else 'and'}, conditions: [test{n}, test{(n * 5 + 2) % third}"
        f"{f', gate{n - 1}' if n % 4 == 3 else ''}]}}"
        for n in range(third)
    ]
    entries = ", ".join(f"gate{n}" for n in range(0, third, 9))
    exits = ", ".join(f"gate{n}" for n in range(1, third, 12))
    layout = []
    for column, kind in enumerate(("line", "test", "gate")):
        layout += [
            f"  {kind}{n}: [{column * WIDTH + (n // 10) * 4 * WIDTH}, {(n % 10) * HEIGHT}]" for n in range(third)
        ]
    right = (third // 10 + 1) * 4 * WIDTH
    names = ("go", "trend", "calm", "stop", "size", "entry")
    layout += [f"  {name}: [{right + 260 * (name == 'entry')}, {n * HEIGHT}]" for n, name in enumerate(names)]
    parts = {
        "indicators": indicators,
        "logic": tests + gates,
        "advisors": [f"  go: {{use: rule, enter_long: [{entries}], combine: all, exit_long: [{exits}]}}"],
        "filters": [
            "  trend: {use: trend, average: line1}",
            "  calm: {use: condition, input: gate2, group: block}",
        ],
        "risk": ["  stop: {use: percent_stop, percent: 5}"],
        "money": ["  size: {use: fixed_quantity, quantity: 1}"],
        "execution": ["  entry: {use: market, signals: [go], filters: [trend, calm], risk: [stop], money: size}"],
        "layout": layout,
    }
    body = "\n".join(f"{section}:\n" + "\n".join(lines) for section, lines in parts.items())
    return (
        "quantcrafter: 1\nname: Large\n"
        f"instruments: [{{symbol: TEST, data: synthetic, timeframe: 1h, seed: 5, bars: {bars}}}]\n{body}\n"
    )
