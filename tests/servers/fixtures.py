"""Real servers as session fixtures."""
