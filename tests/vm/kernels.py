#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
make test: the kernels, one after the other, and what came out of all.

The first kernel of kernels/table is tested with all that the debug kernel looks at,
but for most scenarios of amdgpu; of the others, whether the hooks fit, the build, the
unit tests, one scenario for each way to sleep, and each of run.VARIATIONS on one of
them, all without debugging, as three debug kernels take too long to build. A kernel that is named is
tested with all of these, with debugging. At last the Debian package is built for the
stock kernels of Debian 13.

make test-amdgpu (--amdgpu): all scenarios of amdgpu on the first kernel and, without
debugging, on the second; or on the one that is named.
"""

import argparse
import dataclasses
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import run
from run import REPO, Outcome, guarded, say, wants_amdgpu

sys.path.insert(0, str(REPO / 'scripts'))
from common import kernels      # noqa: E402

ESSENCE = ['s4', 's3', 'qxl:s4']


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('kernel', nargs='?', help='only this one')
    parser.add_argument('--amdgpu', action='store_true', help='all scenarios of amdgpu')
    parser.add_argument('--scenario', nargs='+', default=[],
                        help='only these')
    return parser.parse_args()


@dataclasses.dataclass
class Plan:
    """What is tested of a kernel."""

    what: str               # in words
    scenarios: list = dataclasses.field(default_factory=list)   # none: the default ones
    debug: bool = True
    unit: bool = False
    variations: bool = True

    @property
    def amdgpu(self):
        """The module takes some minutes to compile: only where it is used."""
        return not self.unit and (not self.scenarios or
                                  any(map(wants_amdgpu, self.scenarios)))


def plan(arguments, number):
    if arguments.scenario:
        return Plan('what was named', arguments.scenario)
    if arguments.amdgpu:
        return Plan('amdgpu', run.amdgpu_scenarios(), debug=not number)
    if arguments.kernel:
        return Plan('all')
    if not number:
        return Plan('all but variations', variations=False)
    others = run.VARIATIONS[number - 1::len(kernels()) - 1]
    return Plan('KUnit, S4, S3, variations', [*ESSENCE, *others], debug=False, unit=True)


def chosen_kernels(arguments):
    if arguments.kernel:
        return [arguments.kernel]
    known = list(kernels())
    return known[:2] if arguments.amdgpu else known


def test(kernel, todo):
    """Outcome of one kernel; one that cannot be built or run is one failure."""
    environment = dict(os.environ, KERNEL=kernel, DEBUG=str(int(todo.debug)), STOCK='0',
                       AMDGPU=str(int(todo.amdgpu)))
    build = subprocess.run([sys.executable, REPO / 'scripts/kernel.py'], env=environment)
    if build.returncode == 130:
        raise KeyboardInterrupt
    if build.returncode:
        say(f'FAIL {kernel}: there is no kernel to test')
        return Outcome(failed=1)
    with tempfile.TemporaryDirectory() as directory:
        total = Path(directory) / 'total'
        command = [sys.executable, REPO / 'tests/vm/run.py', '--kernel', kernel,
                   '--variant', 'debug' if todo.debug else 'normal', '--total', total]
        tested = subprocess.run(command + ['--unit'] * todo.unit +
                                ['--no-variations'] * (not todo.variations) + todo.scenarios)
        if tested.returncode == 130:
            raise KeyboardInterrupt
        if not total.exists():
            say(f'FAIL {kernel}: the tests did not come to an end')
            return Outcome(failed=1)
        return Outcome(**json.loads(total.read_text()))


def test_package():
    """Outcome of the Debian package, for all of its kernels: half a minute each"""
    if subprocess.run([REPO / 'scripts/need-packages', 'deb'], check=False).returncode:
        say('skip package: what it is built with is missing')
        return Outcome(skipped=1)
    with tempfile.TemporaryDirectory() as directory:
        total = Path(directory) / 'total'
        tested = subprocess.run([sys.executable, REPO / 'tests/deb/compile.py', total],
                                check=False)
        if tested.returncode == 130:
            raise KeyboardInterrupt
        if not total.exists():
            say('FAIL package: it was not built')
            return Outcome(failed=1)
        return Outcome(**json.loads(total.read_text()))


def package(kernel):
    """Name and version of the package that it was built from"""
    stamp = REPO / 'build' / kernel / 'work/stock/package'
    if kernel == 'stock':
        return 'linux-headers of Debian 13'
    return stamp.read_text().split()[0] if stamp.exists() else 'not fetched'


def table(outcomes):
    rows = [('kernel', 'package', 'tested', 'passed', 'failed', 'skipped')]
    rows += [(kernel, package(kernel), what, str(outcome.passed), str(outcome.failed),
              str(outcome.skipped)) for kernel, what, outcome in outcomes]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return ['  '.join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip()
            for row in rows]


def main():
    arguments = parse_arguments()
    run.choose(arguments.scenario)
    outcomes = []
    for number, kernel in enumerate(chosen_kernels(arguments)):
        todo = plan(arguments, number)
        outcomes.append((kernel, todo.what, test(kernel, todo)))
    if not (arguments.scenario or arguments.kernel or arguments.amdgpu):
        outcomes.append(('stock', 'compiling the Debian package', test_package()))
    total = Outcome()
    for _, _, outcome in outcomes:
        total += outcome
    say('', *table(outcomes), '', total.sentence())
    return total.status()


if __name__ == '__main__':
    sys.exit(guarded(main))
