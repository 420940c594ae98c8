"""Headers of prombridge's own."""

from typing import Final

# Where an answer comes from, and whether something may be missing in it.
SOURCE_HEADER: Final = "X-Prombridge-Source"
