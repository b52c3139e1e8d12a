"""Where orders go: the paper exchange."""
