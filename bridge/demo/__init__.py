"""A store with a day of made-up data that goes on growing: machines and an HTTP service."""
