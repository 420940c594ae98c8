"""The fixtures that every test may ask for."""

from hypothesis import settings

pytest_plugins = ["tests.servers.fixtures"]

# A kernel's first call compiles it, which says nothing about the example. `make laws` takes many.
settings.register_profile("house", deadline=None, max_examples=40)
settings.register_profile("many", deadline=None, max_examples=1000)
settings.load_profile("house")
