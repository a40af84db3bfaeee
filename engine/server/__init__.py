"""The API and the web page of an orchestrator, in a process of their own."""
