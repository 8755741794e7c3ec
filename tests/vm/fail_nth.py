#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
make fail-nth: sleeps in which the n-th thing goes wrong, for n = 1 until none is left.

A series is a machine, a way to sleep and a kind of failure: the n-th allocation of the
driver (slab, page), the n-th answer of the host (error, late, never), the n-th command
of the secure processor. They take turns, many n in one boot. What was tried is kept in
build/fail-nth/ with the log of each n whose outcome is not legal; an interrupted run, or
one that reached its limit, goes on there, unless the kernel or these programs changed.
"""

import argparse
import sys
import time
from collections import Counter

import qemu
import run
from nth_progress import ILLEGAL, Progress
from nth_stage import MACHINES, OUTCOMES
from run import Bench, guarded, say
from verdict import Failure, Skip

BATCH = 40                      # sleeps of one boot
TIMEOUT = 150                   # seconds for one answer of the guest


def say_tried(name, tried):
    what = f' ({tried.what})' if tried.what else ''
    say(f'{name}: {tried.outcome if tried.happened else "there is none"}{what}')


class Run:
    """As many boots as fit into the time."""

    def __init__(self, bench, progress, minutes):
        self.bench, self.progress = bench, progress
        self.deadline = time.monotonic() + 60 * minutes
        self.skipped = set()
        self.failed_boots = 0

    def time_left(self):
        return time.monotonic() < self.deadline

    def open_series(self, machine=None):
        return [series for series in self.progress.series
                if not series.ended and series.machine not in self.skipped and
                machine in (None, series.machine)]

    def all(self):
        while self.time_left() and self.open_series():
            for machine in MACHINES:
                if self.time_left() and self.open_series(machine):
                    self._boot(machine)

    def only(self, machine, sleep, kind, numbers):
        """These n in one boot, whether they were tried or not; nothing of it is kept."""
        make_stage, setup = MACHINES[machine]
        with self.bench.files(f'fail_nth_{machine}') as files:
            vm = self.bench.vm(setup, files, timeout=TIMEOUT)
            try:
                stage = make_stage(vm)
                stage.start()
                for n in numbers:
                    tried = stage.attempt(sleep, kind, n)
                    say_tried(f'{machine} {sleep} {kind} {n}', tried)
                    if stage.over:
                        break
                stage.end()
            except Failure as error:
                say(f'FAIL {error}', f'    see {files.directory.relative_to(run.REPO)}')
                return 1
            finally:
                vm.close()
        return 0

    def _boot(self, machine):
        make_stage, setup = MACHINES[machine]
        series = None
        with self.bench.files(f'fail_nth_{machine}') as files:
            vm = None
            try:
                vm = self.bench.vm(setup, files, timeout=TIMEOUT)
                stage = make_stage(vm)
                stage.start()
                first = True
                for _ in range(BATCH):
                    left = self.open_series(machine)
                    if not left or stage.over or not (first or self.time_left()):
                        break
                    first = False
                    series = min(left, key=lambda s: s.next)
                    self._attempt(stage, series)
                series = None
                stage.end()
            except Skip as why:
                say(f'skip {machine}: {why}')
                self.skipped.add(machine)
            except Failure as error:
                self._failed(machine, series, files, error)
            finally:
                if vm:
                    vm.close()

    def _attempt(self, stage, series):
        n = series.next
        tried = stage.attempt(series.sleep, series.kind, n)
        series.record(tried.outcome if tried.happened else None, tried.what)
        self.progress.save()
        say_tried(f'{series} {n}', tried)

    def _failed(self, machine, series, files, error):
        """Of one n; or of a boot, at its start or in what is looked at when it ends."""
        if qemu.stopping():
            raise KeyboardInterrupt
        if series:
            name = f'{series} {series.next}'
            series.record(ILLEGAL, str(error))
        else:
            self.failed_boots += 1
            name = f'{machine} boot {self.failed_boots}'
            if self.failed_boots > 2:
                self.skipped.add(machine)
        self.progress.save()
        say(f'FAIL {name}: {error}', f'    see {self.progress.keep_logs(name, files)}')


def table(progress):
    """How many were tried, how far each series came, and which outcome how many had."""
    lines = []
    for series in progress.series:
        end = 'to its end' if series.ended else 'not to its end'
        lines.append(f'{str(series):28} {len(series.outcomes):4} {end}')
    counts = Counter(outcome for series in progress.series for outcome in series.outcomes)
    lines.append('')
    lines += [f'{outcome:44} {counts[outcome]:4}' for outcome in (*OUTCOMES, ILLEGAL)]
    return lines, sum(counts.values()), counts[ILLEGAL]


def range_of(text):
    first, _, last = text.partition('-')
    return range(int(first), int(last or first) + 1)


def main():
    parser = argparse.ArgumentParser(description='The n-th thing goes wrong in a sleep.')
    parser.add_argument('--kernel', default='6.12')
    parser.add_argument('--variant', default='debug')
    parser.add_argument('--minutes', type=float, default=60,
                        help='the limit of this run (default: 60)')
    parser.add_argument('series', nargs='*',
                        help='MACHINE, MACHINE:KIND or MACHINE:SLEEP:KIND (default: all); '
                             'MACHINE:SLEEP:KIND:N or :N-M is only to look at these n')
    arguments = parser.parse_args()
    qemu.binary()
    bench = Bench(arguments.kernel, arguments.variant, keep=False)
    only = [word.rpartition(':') for word in arguments.series if word.count(':') == 3]
    progress = Progress(bench, [which for which, _, _ in only] or arguments.series)
    if not progress.series:
        raise run.Unusable('there is no such series')
    todo = Run(bench, progress, arguments.minutes)
    if only:
        return max(todo.only(*which.split(':'), range_of(numbers))
                   for which, _, numbers in only)
    progress.start_anew_if_ended()
    todo.all()
    lines, tried, illegal = table(progress)
    say('', *lines, '')
    if todo.open_series():
        say(f'the limit of {arguments.minutes:g} minutes: another run goes on from here')
    bad = illegal + todo.failed_boots
    say(f'{tried} tried, {tried - illegal} with a legal outcome, {bad} failed'
        f'{f", skipped: {chr(32).join(sorted(todo.skipped))}" if todo.skipped else ""}')
    return 1 if bad or not tried else 0


if __name__ == '__main__':
    sys.exit(guarded(main))
