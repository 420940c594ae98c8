"""The fixtures that every test may ask for."""

from hypothesis import settings

pytest_plugins = ["tests.servers.fixtures"]

# A kernel's first call compiles it, which says nothing about the example.
settings.register_profile("house", deadline=None)
settings.load_profile("house")
