"""vnpy behind the engine contract, in a separate process.

Only `adapter`, `client` and `messages` may be imported outside of that process: importing vnpy writes settings to the
current folder and changes global state.
"""
