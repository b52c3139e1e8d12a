"""Running: bots on paper, beside each other in any number of processes on one database."""
