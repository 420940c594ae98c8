"""Files and flags to frozen settings."""
