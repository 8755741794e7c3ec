# SPDX-License-Identifier: GPL-2.0-only
"""What make fail-nth has tried, kept from one run to the next."""

import hashlib
import json
import shutil
from pathlib import Path

from nth_stage import MACHINES, SLEEPS

REPO = Path(__file__).resolve().parents[2]
PROGRAMS = ('nth.py', 'nth_stage.py', 'nth_progress.py', 'fail_nth.py')
ENDED = 2                       # so many n that were not there, one after the other
ILLEGAL = 'not legal'


class Series:
    """One machine, one way to sleep, one kind of failure."""

    def __init__(self, machine, sleep, kind, kept):
        self.machine, self.sleep, self.kind = machine, sleep, kind
        self.tried = kept.setdefault(str(self), [])     # [n, outcome, what] each

    def __str__(self):
        return f'{self.machine} {self.sleep} {self.kind}'

    @property
    def next(self):
        return len(self.tried) + 1

    @property
    def ended(self):
        last = self.tried[-ENDED:]
        return len(last) == ENDED and all(outcome is None for _, outcome, _ in last)

    def record(self, outcome, what):
        """None for an n that was not there"""
        self.tried.append([self.next, outcome, what])
        return self.tried[-1]

    @property
    def outcomes(self):
        return [outcome for _, outcome, _ in self.tried if outcome]


class Progress:
    """What was tried, of this kernel by these programs."""

    def __init__(self, bench, chosen):
        self.directory = REPO / 'build/fail-nth' / f'{bench.kernel}-{bench.variant}'
        self.file = self.directory / 'progress.json'
        kept = {}
        stamp = self._stamp(bench)
        if self.file.exists():
            kept = json.loads(self.file.read_text())
        if kept.get('stamp') != stamp:
            shutil.rmtree(self.directory, ignore_errors=True)
            kept = {'stamp': stamp, 'series': {}}
        self.kept = kept
        self.series = [Series(name, sleep, kind, kept['series'])
                       for name, (stage, _) in MACHINES.items()
                       for kind in stage.KINDS for sleep in SLEEPS
                       if not chosen or any(word in (name, f'{name}:{kind}',
                                                     f'{name}:{sleep}:{kind}')
                                            for word in chosen)]

    @staticmethod
    def _stamp(bench):
        digest = hashlib.sha256(bench.image.read_bytes())
        for name in PROGRAMS:
            digest.update((REPO / 'tests/vm' / name).read_bytes())
        return digest.hexdigest()

    def start_anew_if_ended(self):
        if all(series.ended for series in self.series):
            for series in self.series:
                series.tried.clear()

    def save(self):
        self.directory.mkdir(parents=True, exist_ok=True)
        new = self.file.with_suffix('.new')
        new.write_text(json.dumps(self.kept, indent=1))
        new.replace(self.file)

    def keep_logs(self, name, files):
        to = self.directory / name.replace(' ', '-')
        shutil.rmtree(to, ignore_errors=True)
        shutil.copytree(files.directory, to, ignore=shutil.ignore_patterns(
            'bzImage', 'swap.img', '*.png'))
        return to.relative_to(REPO)
