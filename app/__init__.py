"""Sightline: a desktop assistant that sees what you see."""

__version__ = "0.1.0"
