"""A Querier around a Querier: raw samples that were read before need no reading again."""
