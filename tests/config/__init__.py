"""Configuration as users write it, right and wrong."""
