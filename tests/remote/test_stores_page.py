"""docs/stores.md shows every profile as it is."""

from pathlib import Path

from bridge.model.time import format_duration
from bridge.remote.profiles import PROFILES, Profile

PAGE = Path(__file__).parents[2] / "docs/stores.md"


def cells(profile: Profile) -> list[str]:
    """What the table says of a profile, but for how it is recognised."""
    anchored = "anchored here" if profile.anchor_regex else "as they are"
    return [
        f"`{profile.name}`",
        "yes" if profile.verified else "no",
        ", ".join(profile.response_types),
        "yes" if profile.single_query else "no",
        "exclusive" if profile.end_exclusive else "inclusive",
        f"`{profile.name_matchers}`",
        anchored if profile.regex_matchers else "not sent",
        "empty" if profile.missing_label_ok else "not empty",
        format_duration(profile.max_range) if profile.max_range else "any",
        str(profile.concurrency),
    ]


def test_every_profile_is_shown_as_it_is() -> None:
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    assert [row[:1] + row[2:] for row in rows] == [cells(one) for one in PROFILES.values()]
