"""The pure part: what is true and what to do. Standard library only, no clock, no I/O."""
