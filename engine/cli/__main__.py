"""`python -m quantcrafter.engine.cli` does what `quantcrafter` does."""

import sys

from quantcrafter.engine.cli.main import main

sys.exit(main())
