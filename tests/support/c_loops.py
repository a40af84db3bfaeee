"""Two strategies, each as one fused loop in C: the least that the work can cost."""

from __future__ import annotations

import ctypes
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

SOURCE = r"""
#include <math.h>
#include <stddef.h>

/* SMA cross, long only, market orders at the next open, commission in percent; writes the equity of every bar. */
long run_cross(const double *open, const double *close, ptrdiff_t n, int fast, int slow, double cash, double percent,
               double quantity, double *equity) {
    double sum_fast = 0, sum_slow = 0, held = 0;
    int above = 0, known = 0, order = 0;
    long fills = 0;
    for (ptrdiff_t t = 0; t < n; t++) {
        if (order) {
            double notional = quantity * open[t];
            cash -= order * notional + notional * percent / 100;
            held += order * quantity;
            order = 0;
            fills++;
        }
        equity[t] = cash + held * close[t];
        sum_fast += close[t];
        sum_slow += close[t];
        double mean_fast = sum_fast / fast, mean_slow = sum_slow / slow;
        if (t >= fast - 1) sum_fast -= close[t - fast + 1];
        if (t >= slow - 1) {
            sum_slow -= close[t - slow + 1];
            int now = mean_fast > mean_slow;
            if (known && now != above) {
                if (now && held == 0) order = 1;
                if (!now && held > 0) order = -1;
            }
            above = now;
            known = 1;
        }
    }
    return fills;
}

static double on_tick(double price) { return floor(price * 100 * (1 + 1e-12) + 0.5) / 100; }

/* Buys at the next open while Wilder's RSI is below a level; leaves at a stop or a target, in percent of the entry. */
long run_rsi(const double *open, const double *high, const double *low, const double *close, ptrdiff_t n, int period,
             double level, double stop_percent, double target_percent, double cash, double percent, double quantity,
             double *equity) {
    double gain = 0, loss = 0, held = 0, stop = 0, target = 0, kept = (period - 1.0) / period, part = 1.0 / period;
    int order = 0;
    long fills = 0;
    for (ptrdiff_t t = 0; t < n; t++) {
        if (order) {
            double notional = quantity * open[t];
            cash -= notional + notional * percent / 100;
            held = quantity;
            stop = on_tick(open[t] - open[t] * stop_percent / 100);
            target = on_tick(open[t] + open[t] * target_percent / 100);
            order = 0;
            fills++;
        }
        if (held > 0 && (low[t] <= stop || high[t] >= target)) {
            double price = open[t] <= stop || open[t] >= target ? open[t] : low[t] <= stop ? stop : target;
            double notional = quantity * price;
            cash += notional - notional * percent / 100;
            held = 0;
            fills++;
        }
        equity[t] = cash + held * close[t];
        if (t == 0) continue;
        double move = close[t] - close[t - 1];
        /* Without a branch, which the processor would guess wrong at every other bar. */
        double up = (fabs(move) + move) * 0.5, down = (fabs(move) - move) * 0.5;
        if (t <= period) {
            gain += up * part;
            loss += down * part;
        } else {
            gain = gain * kept + up * part;
            loss = loss * kept + down * part;
        }
        if (t >= period && held == 0 && 100 * gain < level * (gain + loss)) order = 1;
    }
    return fills;
}
"""
_PRICES = ctypes.POINTER(ctypes.c_double)


def _compiled(folder: Path) -> ctypes.CDLL:
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or os.name == "nt":
        pytest.skip("There is no C compiler to compare with. Install gcc.")
    source, library = folder / "loops.c", folder / "loops.so"
    source.write_text(SOURCE, encoding="utf-8")
    subprocess.run([compiler, "-O3", "-shared", "-fPIC", "-o", str(library), str(source), "-lm"], check=True)
    return ctypes.CDLL(str(library))


def cross_in_c(folder: Path) -> Callable[..., int]:
    """Return the loop for the cross: opens, closes, n, periods, cash, commission, quantity, equity."""
    run = _compiled(folder).run_cross
    run.argtypes = [_PRICES, _PRICES, ctypes.c_ssize_t, *[ctypes.c_int] * 2, *[ctypes.c_double] * 3, _PRICES]
    run.restype = ctypes.c_long
    return run


def rsi_in_c(folder: Path) -> Callable[..., int]:
    """Return the loop for the RSI: the four prices, n, period, level, stop, target, cash, commission, quantity, equity.

    Stop, target and commission are in percent; prices have ticks of 0.01.
    """
    run = _compiled(folder).run_rsi
    run.argtypes = [*[_PRICES] * 4, ctypes.c_ssize_t, ctypes.c_int, *[ctypes.c_double] * 6, _PRICES]
    run.restype = ctypes.c_long
    return run
