"""vnpy behind the engine contract, in a separate process.

Importing vnpy writes settings to the current folder and changes global state. Outside of that process it is imported
after `place.prepare` only: for gateways (`gateway_feed`, `gateway_broker`) and for classes that run as workers.
"""
