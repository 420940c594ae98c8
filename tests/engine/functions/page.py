"""`python -m tests.engine.functions.page`: writes the table of functions in docs/promql.md anew."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bridge.engine.function import Function
from bridge.engine.functions import FUNCTIONS
from bridge.promql.ast import Signature

PAGE: Final = Path(__file__).parents[3] / "docs/promql.md"
HEAD: Final = "| Function | Gives | Name | Behind the flag |\n|---|---|---|---|"


def rows() -> Iterator[str]:
    """The table's lines, by the records of the functions."""
    for name in sorted(FUNCTIONS):
        yield _row(FUNCTIONS[name])


def _row(one: Function) -> str:
    signature = one.signature
    named = "kept" if one.keeps_name else "–" if signature.returns == "scalar" else "dropped"
    flag = "experimental" if signature.experimental else ""
    call = f"`{signature.name}({_arguments(signature)})`"
    return f"| {call} | {signature.returns.documented} | {named} | {flag} |"


def _arguments(signature: Signature) -> str:
    """The arguments' types; what may be left out is in brackets, what may go on has dots."""
    kinds = [
        "{labels}" if index == signature.labels_argument else kind.documented
        for index, kind in enumerate(signature.args)
    ]
    if signature.variadic == 0:
        return ", ".join(kinds)
    kept, last = kinds[:-1], kinds[-1]
    dots = ", …" if signature.variadic != 1 else ""
    return ", ".join(kept) + (f"[, {last}{dots}]" if kept else f"[{last}{dots}]")


def with_table(text: str) -> str:
    """The page with the table as it should be."""
    before, _, rest = text.partition(HEAD)
    _, _, after = rest.partition("\n\n")
    return "\n".join((before + HEAD, *rows())) + "\n\n" + after


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text()))
