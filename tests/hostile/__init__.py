"""The whole bridge against what stores and clients should not do."""
