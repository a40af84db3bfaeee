"""Workers that users write in Python: strategy classes of vnpy and backtrader, and classes around any engine."""
