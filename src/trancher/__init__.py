"""Trancher: a position engine for spot trading bots."""
