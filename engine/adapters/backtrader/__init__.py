"""backtrader behind the engine contract. Only `adapter` may be imported where backtrader is not installed."""
