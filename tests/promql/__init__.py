"""PromQL as text and as tree, against Prometheus' words."""
