"""Every PromQL function, one record each."""
