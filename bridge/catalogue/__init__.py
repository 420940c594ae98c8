"""Names, values and series of stores that have no label API."""
