"""Many runs of one strategy: sweeps and the look-ahead check."""
