"""`quantcrafter schema`: the JSON Schema of strategy files, for editors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from quantcrafter.engine.api.message import Message
from quantcrafter.engine.cli.console import note, print_json
from quantcrafter.engine.cli.installed import registry_with_warnings


def schema(
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write to this file instead of stdout.")] = None,
) -> None:
    """Print the JSON Schema of strategy files, including installed plugins, for completion and checks in editors."""
    from quantcrafter.engine.spec.schema import json_schema
    from quantcrafter.engine.stats.whole_files import write_whole

    document = json_schema(registry_with_warnings())
    if out is None:
        print_json(document)
        return
    text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    write_whole(out, text.encode(), Message("The schema"))
    note(f"Wrote {out}")
