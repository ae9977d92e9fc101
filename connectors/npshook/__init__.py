"""Answers to surveys as any tool sends them: a source that only receives."""
