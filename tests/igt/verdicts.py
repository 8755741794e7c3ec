# SPDX-License-Identifier: GPL-2.0-only
"""What came out of IGT's subtests with two kernels, and what to say about it."""

import dataclasses
import re

import klog

PASS, SKIP, FAIL, TIMEOUT, CRASH, HANG = 'pass', 'skip', 'fail', 'timeout', 'crash', 'hang'
# of the program; timeout(1) has 124, and 137 if its first signal was not enough
STATUS = {0: PASS, 77: SKIP, 98: FAIL, 124: TIMEOUT, 137: TIMEOUT}
# how often a subtest is run in all, if the two kernels differ
TRIES = 3
REASONS = {SKIP: re.compile(r'Test requirement: (.*)'),
           FAIL: re.compile(r'Failed assertion: (.*)|Test abort .*'),
           CRASH: re.compile(r'Received signal \w+')}
REASON = 80                     # an ioctl of IGT is a long macro
SKIPPED = re.compile(r'^Subtest \S+: SKIP', re.M)
DYNAMIC = re.compile(r'^Dynamic subtest (\S+): FAIL', re.M)
NUMBERS = re.compile(r'\b(0x)?[0-9a-f]*\d[0-9a-f]*\b')
# what the list of the kernel's CI says
NOT_RUN, FAILS, FLAKY = 'not run', 'fails', 'flaky'


def outcome(status, output):
    """(what came out, why) of a subtest whose program ended so"""
    what = STATUS.get(status, CRASH)
    if what == SKIP:            # other subtests of the program have requirements, too
        output = SKIPPED.split(output)[0]
    found = [*REASONS[what].finditer(output)] if what in REASONS else []
    if what == SKIP:
        found = found[-1:]
    why = (found[0][found[0].lastindex or 0] if found else
           f'status {status}' if what == CRASH else '')
    where = ' '.join(sorted(set(DYNAMIC.findall(output)))) if what == FAIL else ''
    why = f'{where}: {why}' if where else why
    return what, why if len(why) <= REASON else f'{why[:REASON]}...'


class Expected:
    """The lists of the kernel's own CI: drivers/gpu/drm/ci/xfails/DRIVER-*.txt."""

    def __init__(self, directory, driver='virtio_gpu'):
        self.files = sorted(directory.glob(f'{driver}-*-*.txt'))
        self.fails = {line.split(',')[0] for line in self._lines('fails')}
        self.skips = [re.compile(line) for line in self._lines('skips')]
        self.flakes = [re.compile(line) for line in self._lines('flakes')]

    def _lines(self, kind):
        return [line.strip() for path in self.files if path.stem.endswith(f'-{kind}')
                for line in path.read_text().splitlines()
                if line.strip() and not line.startswith('#')]

    def of(self, test):
        """What they say of BINARY@SUBTEST; nothing if it should pass."""
        if any(pattern.match(test) for pattern in self.skips):
            return NOT_RUN
        if test in self.fails:
            return FAILS
        return FLAKY if any(pattern.match(test) for pattern in self.flakes) else ''


@dataclasses.dataclass
class Pair:
    """What came out of one subtest with both kernels, each time that it was run."""

    test: str
    ours: list
    stock: list
    listed: str = ''            # what the lists say
    why: str = ''               # it does not pass with ours, or else with stock

    @property
    def differs(self):
        return bool(self.ours and self.stock) and len({*self.ours, *self.stock}) > 1

    @property
    def to_repeat(self):
        """It is open what the difference is worth."""
        return self.differs and min(len(self.ours), len(self.stock)) < TRIES

    @property
    def whole(self):
        return bool(self.ours and self.stock) and not self.to_repeat

    @property
    def unsteady(self):
        """Each kernel can do what the other did."""
        return self.differs and bool(set(self.ours) & set(self.stock))

    @property
    def worse(self):
        return self.differs and not self.unsteady and PASS in self.stock

    @property
    def better(self):
        return self.differs and not self.unsteady and PASS in self.ours

    @property
    def neither(self):
        """No kernel passes, nor skips it."""
        return not {PASS, SKIP} & {*self.ours, *self.stock} and self.whole

    def __str__(self):
        listed = f'; listed: {self.listed}' if self.listed else ''
        why = f'; {self.why}' if self.why else ''
        return f'{self.test}: ours {counted(self.ours)}, stock {counted(self.stock)}{listed}{why}'


def counted(outcomes):
    """'pass', or 'pass 2 and fail 1'"""
    if len(outcomes) < 2:
        return ''.join(outcomes) or 'not done'
    kinds = {kind: outcomes.count(kind) for kind in outcomes}
    return ' and '.join(f'{kind} {count}' for kind, count in kinds.items())


def summary(outcomes):
    """'pass/fail/skip' of [[outcome of each try] of each subtest]; any failure counts"""
    passed = sum(set(tries) == {PASS} for tries in outcomes)
    skipped = sum(set(tries) == {SKIP} for tries in outcomes)
    return f'{passed}/{sum(bool(tries) for tries in outcomes) - passed - skipped}/{skipped}'


def table(pairs):
    """Lines, a binary each"""
    lines = ['| binary | subtests | ours: pass/fail/skip | stock | listed |',
             '|---|---|---|---|---|']
    binaries = dict.fromkeys(pair.test.partition('@')[0] for pair in pairs)
    for binary in [*binaries, 'all']:
        some = [pair for pair in pairs
                if binary in ('all', pair.test.partition('@')[0])]
        notes = [(sum(pair.listed == what for pair in some), what) for what in (FAILS, NOT_RUN)]
        left = sum(not pair.whole for pair in some)
        lines.append(f'| `{binary}` | {len(some)}{f", {left} not done" if left else ""} '
                     f'| {summary([pair.ours for pair in some])} '
                     f'| {summary([pair.stock for pair in some])} '
                     f'| {", ".join(f"{count} {what}" for count, what in notes if count)} |')
    return lines


def _named(title, pairs):
    return [f'{title}: {len(pairs)}', *(f'    {pair}' for pair in pairs)]


def differences(pairs):
    """Lines: each subtest of which there is something to say"""
    return [
        *_named('stock passes, ours does not', [p for p in pairs if p.worse]),
        *_named('ours passes, stock does not', [p for p in pairs if p.better]),
        *_named('they differ otherwise', [p for p in pairs if p.differs and not (
            p.worse or p.better or p.unsteady)]),
        *_named('differs from run to run', [p for p in pairs if p.unsteady]),
        *_named('neither passes, and it is not listed',
                [p for p in pairs if p.neither and not p.listed]),
        *_named('neither passes, as listed', [p for p in pairs if p.neither and p.listed]),
        *_named('listed to fail, and ours passes',
                [p for p in pairs if p.listed == FAILS and set(p.ours) == {PASS}]),
    ]


def _alike(line):
    """A line of the log without what is another in each boot or kernel"""
    return NUMBERS.sub('#', line.partition('] ')[2])


def splats(ours, stock):
    """Lines of the log of ours that no kernel should say; if stock does, it is not of ours."""
    known = {_alike(line) for line in klog.splats(stock)}
    return [line for line in klog.splats(ours) if _alike(line) not in known]


def status(pairs, more):
    """Of the program's exit; @more are the lines of splats(). Nothing passed is no success."""
    bad = more or any(pair.worse or not pair.whole for pair in pairs)
    return 1 if bad or not any(set(pair.ours) == {PASS} for pair in pairs) else 0
