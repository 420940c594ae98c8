"""`prombridge replay`: answers a recorded query offline; says whether the answer is the same."""

import argparse
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bridge.cli import recordings
from bridge.cli.differences import difference
from bridge.cli.record import replayed
from bridge.cli.terminal import answer_lines

if TYPE_CHECKING:
    from bridge.cli.flags import Commands


def register(commands: "Commands") -> None:
    """Adds the command."""
    parser = commands.add_parser(
        "replay",
        help="answer a recorded query offline",
        description="Answers a query from what prombridge query --record kept, without any store."
        " The exit code is 1 if the answer is not the recorded one.",
    )
    parser.add_argument("folder", metavar="DIR", type=Path, help="the recording")
    parser.set_defaults(run=_run)


def _run(asked: argparse.Namespace) -> int:
    recording = recordings.read(asked.folder)
    print(recording.expr)
    answer = replayed(recording)
    for kind in ("warnings", "infos"):
        for text in answer.get(kind, ()):
            sys.stderr.write(f"{kind.removesuffix('s')}: {text}\n")
    if answer.get("status") == "success":
        for line in answer_lines(answer["data"], shutil.get_terminal_size().columns):
            print(line)
    else:
        print(f"{answer.get('errorType')}: {answer.get('error')}")
    said = difference(recording.answer, answer)
    made = f"recorded by prombridge {recording.version}"
    print(f"{made}: another answer: {said}" if said else f"{made}: the same answer")
    return 1 if said else 0
