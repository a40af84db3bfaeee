"""`strategy-manager` and `python -m strategy_manager.cli`: the commands of `quantcrafter`."""

from quantcrafter.engine.cli.main import main

__all__ = ["main"]

if __name__ == "__main__":
    main()
