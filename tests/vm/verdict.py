# SPDX-License-Identifier: GPL-2.0-only
"""How a test says that it did not pass."""
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parents[2] / 'scripts'))
import common       # noqa: E402


class Failure(Exception):
    """What had to hold does not."""


class Skip(Exception):
    """This machine cannot run the test: the reason is announced."""


class Unusable(common.Failure):
    """Nothing can be run at all: one line that says what to do about it."""
