"""What a worker decides and what becomes of it, as lines of its log."""

from __future__ import annotations

import logging

from quantcrafter.engine.live.inputs import LiveOutput

log = logging.getLogger("quantcrafter.worker")

_LEVELS = {
    "info": logging.INFO,
    "failure": logging.WARNING,
    "warning": logging.WARNING,
    "refused": logging.WARNING,
    "alarm": logging.ERROR,
}


def log_output(output: LiveOutput) -> None:
    """Write an output into the log: a command, a report of the broker, or a notice."""
    body = output.body
    match output.kind:
        case "notice":
            log.log(_LEVELS.get(str(body.get("level")), logging.INFO), "%s", body.get("text", ""))
        case "submit":
            log.info(
                "Order %s: %s %s %g of %s.",
                output.client_order_id,
                body.get("kind"),
                body.get("side"),
                body.get("quantity"),
                body.get("symbol"),
            )
        case "filled":
            log.info("Order %s: %s lots filled at %g.", output.client_order_id, body.get("lots"), body.get("price"))
        case "accepted" | "amend" | "amended":
            return
        case kind:
            text = str(body.get("reason") or body.get("text") or "")
            log.info("Order %s: %s%s", output.client_order_id, kind, f" ({text})" if text else "")
