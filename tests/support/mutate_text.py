"""Seeded damage to a strategy file, of the kinds that people, merges and enemies do."""

from __future__ import annotations

import random
from collections.abc import Callable

_TOKENS = (
    *(
        "bars",
        "bars.close",
        "bars.nothing",
        "fast",
        "slow",
        "entry",
        "size",
        "null",
        "true",
        "~",
        "''",
        '""',
        "[]",
        "{}",
    ),
    *("-1", "0", "1", "2", "1e308", "-1e400", "nan", ".nan", ".inf", "99999999999999999999999", "0x1F", "1_000", "3.7"),
    *("ta.SMA", "ta.sma", "ta.NOPE", "crossover", "market", "limit", "sample", "csv", "synthetic", "AAPL", "ZZZZ"),
    *("&a", "*a", "!!python/object:os.system", "!x", "<<: *a", "- - - -", "? x", "|", ">", "%YAML 1.1", "---", "..."),
    *("2020-01-01", "9999-99-99", "1d", "1w", "1m", "0d", "é", "名", "🎉", "\u202e", "\x00", "\x1b[31m", "\t", "\r\n"),
    *("{use: ta.RSI, input: bars.close}", "{use: }", "use: use", "blocks/../../etc/passwd", "blocks/trend.yaml"),
)


def mutants(text: str, count: int, seed: int) -> list[str]:
    """Return `count` damaged versions of a text, the same for the same seed; one to four kinds of damage each."""
    rng = random.Random(seed)  # noqa: S311 - damage, not secrets
    results = []
    for _ in range(count):
        mutant = text
        for _ in range(rng.choice((1, 1, 1, 2, 2, 3, 4))):
            mutant = rng.choice(_KINDS)(mutant, rng)
        results.append(mutant)
    return results


def _replace_token(text: str, rng: random.Random) -> str:
    words = text.split(" ")
    if len(words) < 2:
        return text
    words[rng.randrange(len(words))] = rng.choice(_TOKENS)
    return " ".join(words)


def _insert_token(text: str, rng: random.Random) -> str:
    at = rng.randrange(len(text) + 1)
    return text[:at] + rng.choice(_TOKENS) + text[at:]


def _flip_character(text: str, rng: random.Random) -> str:
    if not text:
        return text
    at = rng.randrange(len(text))
    return text[:at] + chr(rng.choice((rng.randrange(32, 127), rng.randrange(1, 0x2FF)))) + text[at + 1 :]


def _drop_span(text: str, rng: random.Random) -> str:
    at = rng.randrange(len(text) + 1)
    return text[:at] + text[at + rng.choice((1, 2, 5, 40)) :]


def _lines(text: str, rng: random.Random, change: Callable[[list[str], int, random.Random], None]) -> str:
    lines = text.split("\n")
    change(lines, rng.randrange(len(lines)), rng)
    return "\n".join(lines)


def _drop_line(text: str, rng: random.Random) -> str:
    return _lines(text, rng, lambda lines, at, _rng: lines.__delitem__(at))


def _double_line(text: str, rng: random.Random) -> str:
    return _lines(text, rng, lambda lines, at, _rng: lines.insert(at, lines[at]))


def _swap_lines(text: str, rng: random.Random) -> str:
    def swap(lines: list[str], at: int, chance: random.Random) -> None:
        other = chance.randrange(len(lines))
        lines[at], lines[other] = lines[other], lines[at]

    return _lines(text, rng, swap)


def _indent_line(text: str, rng: random.Random) -> str:
    def indent(lines: list[str], at: int, chance: random.Random) -> None:
        lines[at] = chance.choice((" ", "  ", "\t", "- ")) + lines[at]

    return _lines(text, rng, indent)


def _truncate(text: str, rng: random.Random) -> str:
    return text[: rng.randrange(len(text) + 1)]


def _bomb(text: str, rng: random.Random) -> str:
    return text + rng.choice(
        (
            "\nlayout: " + "[" * rng.choice((10, 200, 5000)),
            "\na: &a [x, x, x, x, x, x, x, x, x]\n"
            + "".join(f"b{i}: &b{i} [*a, *a, *a, *a, *a, *a]\n" for i in range(9)),
            "\nlayout: {" + ", ".join(f"n{i}: [1, 2]" for i in range(3000)) + "}",
            "\ndescription: " + "x" * 200_000,
            "\nself: &self [*self]",
            "\nlogic: {a: {use: not, input: b}, b: {use: not, input: a}}",
            "\nbig: " + "9" * 10_000,
        )
    )


def _break_number(text: str, rng: random.Random) -> str:
    digits = [at for at, char in enumerate(text) if char.isdigit()]
    if not digits:
        return text
    at = rng.choice(digits)
    return text[:at] + rng.choice(("-", "0", "9999999", "1e", ".", "'", "10000000000000000")) + text[at + 1 :]


_KINDS = (
    *(_replace_token, _replace_token, _insert_token, _flip_character, _drop_span, _drop_line, _double_line),
    *(_swap_lines, _indent_line, _truncate, _bomb, _break_number, _break_number),
)
