"""Sightline: a desktop assistant that sees what you see."""

__version__ = "0.1.0"

# by which desktops know the program, and the name of its desktop file; portals want one with dots
APP_ID = "app.sightline.Sightline"
