"""The names under which users of the first generation know QuantCrafter's orchestrator."""
