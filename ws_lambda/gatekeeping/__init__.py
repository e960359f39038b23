"""Decides which connections may open and which may stay open. Each module answers one question."""
