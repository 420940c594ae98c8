"""One remote-read store as a Querier, and the serving side of the same protocol."""
