"""Market data: candles from files, indicators on them, and a simulated market."""
