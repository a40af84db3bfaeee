"""Units of series: what a number is an amount of, as powers of a price and of a volume."""

from __future__ import annotations

from dataclasses import dataclass

from quantcrafter.engine.api.message import Message


@dataclass(frozen=True, slots=True)
class SeriesUnit:
    """The unit of a series: `price` and `volume` are powers, so that a turnover has 1 and 1, a ratio 0 and 0."""

    price: float = 0.0
    volume: float = 0.0

    def times(self, other: SeriesUnit, power: float = 1.0) -> SeriesUnit:
        """Return the unit of a product with a power of another series; -1 for a quotient."""
        return SeriesUnit(self.price + power * other.price, self.volume + power * other.volume)

    def to_the(self, power: float) -> SeriesUnit:
        """Return the unit of a power."""
        return SeriesUnit(self.price * power, self.volume * power)

    def __str__(self) -> str:
        """Return it in words for a message."""
        if self == NUMBER:
            return Message("a plain number")
        if self == PRICE:
            return Message("a price")
        if self == VOLUME:
            return Message("a volume")
        powers = {"price": self.price, "volume": self.volume}
        return " x ".join(name if power == 1.0 else f"{name}^{power:g}" for name, power in powers.items() if power)


NUMBER, PRICE, VOLUME = SeriesUnit(), SeriesUnit(price=1.0), SeriesUnit(volume=1.0)
