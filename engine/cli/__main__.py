"""`python -m engine.cli` does what `quantcrafter` does."""

import sys

from engine.cli.main import main

sys.exit(main())
