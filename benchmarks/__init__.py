"""Comparisons of prombridge with what people run today: one module a benchmark."""
