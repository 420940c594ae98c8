"""Real servers: fetched once, started for a test session, ended with it."""
