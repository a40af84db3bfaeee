"""`quantcrafter schema`: the JSON Schema of strategy files, for editors."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from engine.cli.catalog import registry_with_warnings
from engine.cli.console import note, print_json, write_text


def schema(
    out: Annotated[Path | None, typer.Option("--out", "-o", help="Write to this file instead of stdout.")] = None,
) -> None:
    """Print the JSON Schema of strategy files with everything that is installed, so that editors complete and check."""
    from engine.spec.schema import json_schema

    document = json_schema(registry_with_warnings())
    if out is None:
        print_json(document)
        return
    write_text(out, json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False) + "\n")
    note(f"Wrote {out}")
