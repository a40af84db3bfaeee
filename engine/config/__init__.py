"""The configuration: files, environment and keyring, and where each value comes from."""
