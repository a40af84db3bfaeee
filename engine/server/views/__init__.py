"""What the page of a worker shows, made from the worker's log in a process of its own."""
