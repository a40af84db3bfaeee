"""A node file that is saved while the application runs: allowed by a click, broken, repaired, and run."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.real_window import RealWindow, center, need_screen, real_window, screen, until

pytestmark = pytest.mark.slow

LINE = '''\
from quantcrafter import FloatColumn, Indicator, SeriesInput, port


class Double(Indicator):
    """Give twice the value of a line. Known at the bar's close."""

    name = "my.double"
    line: SeriesInput = port("The line.", default="bars.close")

    def compute(self, line: FloatColumn) -> FloatColumn:
        return line * 2.0
'''
STRATEGY = """\
quantcrafter: 1
instruments: [{symbol: X, data: synthetic, timeframe: 1h, bars: 300, seed: 3}]
indicators:
  twice: {use: my.double}
  slow: {use: ta.SMA, input: twice, timeperiod: 10}
advisors: {cross: {use: crossover, fast: twice, slow: slow, direction: long}}
money: {size: {use: fixed_quantity, quantity: 1}}
execution: {entry: {use: market, signals: [cross], money: size}}
"""


def bar(window: RealWindow) -> str:
    """Return what the bar above the canvas says, '' if there is none."""
    return " ".join(label["text"] for label in window.ask("find", "QLabel") if "node file “" in label["text"])


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_node_file_is_allowed_broken_repaired_and_run(tmp_path: Path, theme: str) -> None:
    need_screen()
    home = tmp_path / "home"
    home.mkdir()
    (home / "desktop.json").write_text(f'{{"tour_done": true, "theme": "{theme}"}}', encoding="utf-8")
    file = tmp_path / "files" / "doubled.yaml"
    file.parent.mkdir()
    file.write_text(STRATEGY, encoding="utf-8")
    nodes = home / "nodes"
    with screen() as display, real_window(display, home, file) as window:
        until(lambda: window.ask("nodes"), "the strategy")
        nodes.mkdir(parents=True)
        (nodes / "lines.py").write_text(LINE, encoding="utf-8")
        until(lambda: "“lines.py” is not used yet" in bar(window), "the bar about the new file")
        window.picture(tmp_path / f"allow-{theme}.png")
        window.press("Allow")
        until(lambda: not bar(window), "the file to be used")
        window.select("slow")
        (nodes / "lines.py").write_text(LINE + "\nbroken\n", encoding="utf-8")
        line = len(LINE.splitlines()) + 2
        until(lambda: f"lines.py, line {line}: NameError" in bar(window), "the error")
        assert window.ask("selection") == ["slow"]
        window.click(center(window.ask("node", "twice")))
        until(lambda: window.ask("selection") == ["twice"], "the node at fault")
        window.picture(tmp_path / f"broken-{theme}.png")
        (nodes / "lines.py").write_text(LINE, encoding="utf-8")
        until(lambda: not bar(window), "the repaired file")
        window.key("F5")
        until(lambda: window.ask("runs")["run"], "the run")
        window.picture(tmp_path / f"ran-{theme}.png")
        window.menu("Help", "Plugins...")
        window.click(center(window.wait("row", "lines", "Installed plugins")))
        window.picture(tmp_path / f"plugins-{theme}.png")
        window.press("Close")
