"""PromQL as text and as tree."""
