"""When a market trades: time zones, the exchanges' calendars, and the trading day of each moment."""
