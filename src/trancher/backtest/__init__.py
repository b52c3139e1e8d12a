"""Runs over candles: the exact replay."""
