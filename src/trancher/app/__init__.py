"""The shell that people and programs meet: settings, command line, documents, tables."""
