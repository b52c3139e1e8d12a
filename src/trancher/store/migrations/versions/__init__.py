"""Revisions, oldest first by name. What stands here is never changed, only added to."""
