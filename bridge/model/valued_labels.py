"""Label sets that share all but the value of one label: as many as there are values, made late."""

from collections.abc import Sequence

import numpy as np

from bridge.model.arrays import Int64s
from bridge.model.labels import Labels, LabelTable, Pairs


class ValuedLabels(LabelTable):
    """Rows of a group's labels and one label more; no `Labels` is made before it is asked for.

    Row r is the label set `group_of[r]` of `groups`, which lacks the label `name`, and with it
    `texts[text_of[r]]`, which is not empty. `texts` ascend, and all rows are distinct.
    """

    __slots__ = ("group_of", "groups", "name", "text_of", "texts")

    def __init__(
        self, groups: LabelTable, name: str, texts: Sequence[str], group_of: Int64s, text_of: Int64s
    ) -> None:
        super().__init__(None)
        self.groups, self.name, self.texts = groups, name, texts
        self.group_of, self.text_of = group_of, text_of

    def __len__(self) -> int:
        return len(self.text_of)

    def take(self, rows: Int64s) -> "ValuedLabels":
        """The rows of these indices, in their order."""
        return ValuedLabels(
            self.groups, self.name, self.texts, self.group_of[rows], self.text_of[rows]
        )

    def order(self) -> Int64s:
        """Row indices in label order."""
        halves = self.halves()
        # The value is looked at only where all before it is equal, what is behind it decides last.
        before = _ranks([(*half, (self.name, "")) for half, _ in halves])
        behind = _ranks([half for _, half in halves])
        keys = (behind[self.group_of], self.text_of, before[self.group_of])
        order: Int64s = np.lexsort(keys)
        return order

    def distinct(self) -> bool:
        """Always so."""
        return True

    def halves(self) -> list[tuple[Pairs, Pairs]]:
        """Each group's labels before and behind the one that holds the value."""
        return [
            (
                tuple(pair for pair in group.pairs if pair[0] < self.name),
                tuple(pair for pair in group.pairs if pair[0] > self.name),
            )
            for group in self.groups
        ]

    def _made(self) -> tuple[Labels, ...]:
        # One tuple a row, not two label sets: there may be as many rows as samples.
        halves, texts = self.halves(), self.texts
        return tuple(
            Labels.of_sorted((*halves[group][0], (self.name, texts[text]), *halves[group][1]))
            for group, text in zip(self.group_of.tolist(), self.text_of.tolist(), strict=True)
        )


def _ranks(items: Sequence[Pairs]) -> Int64s:
    """Each one's place among them in order; equal ones have the same."""
    places = {one: place for place, one in enumerate(sorted(set(items)))}
    return np.fromiter(map(places.__getitem__, items), np.int64, len(items))
