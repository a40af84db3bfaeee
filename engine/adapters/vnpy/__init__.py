"""vnpy behind the engine contract, in a process of its own.

Only `adapter`, `client` and `messages` may be imported outside of that process: importing vnpy writes settings to the
current folder and changes global state.
"""
