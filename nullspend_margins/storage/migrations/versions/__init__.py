"""One module a step, oldest first. A released step never changes."""
