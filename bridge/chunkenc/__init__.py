"""Prometheus' chunk encodings to and from columns."""
