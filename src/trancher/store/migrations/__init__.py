"""Migrations: the steps by which a database came to its present shape, each frozen as it was."""
