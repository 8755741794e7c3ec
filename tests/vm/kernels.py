#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
make test: the kernels, one after the other, and what came out of all.

Everything runs on the first kernel of kernels/table, with all that the debug kernel
looks at; of the others, whether the hooks fit, the build, the unit tests, and one
scenario for each way to sleep, without, as three debug kernels take too long to
build. A kernel that is named is tested in full. At last the Debian package is built
for the stock kernels of Debian 13.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import run
from run import REPO, Outcome, guarded, say

sys.path.insert(0, str(REPO / 'scripts'))
from common import kernels      # noqa: E402

ESSENCE = ['s4', 's3']


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('kernel', nargs='?', help='only this one, and all of it')
    parser.add_argument('--scenario', nargs='+', default=[],
                        help='only these')
    return parser.parse_args()


def wants_amdgpu(scenarios, unit):
    """Its module takes some minutes to compile: where all is tested, or what needs it."""
    return not unit and (not scenarios or any(
        Path(name).name.startswith(('amdgpu_', 'mixed_')) for name in scenarios))


def test(kernel, scenarios, unit):
    """Outcome of one kernel; one that cannot be built or run is one failure."""
    environment = dict(os.environ, KERNEL=kernel, DEBUG='0' if unit else '1', STOCK='0',
                       AMDGPU=str(int(wants_amdgpu(scenarios, unit))))
    build = subprocess.run([sys.executable, REPO / 'scripts/kernel.py'], env=environment)
    if build.returncode == 130:
        raise KeyboardInterrupt
    if build.returncode:
        say(f'FAIL {kernel}: there is no kernel to test')
        return Outcome(failed=1)
    with tempfile.TemporaryDirectory() as directory:
        total = Path(directory) / 'total'
        command = [sys.executable, REPO / 'tests/vm/run.py', '--kernel', kernel,
                   '--variant', 'normal' if unit else 'debug', '--total', total]
        tested = subprocess.run(command + ['--unit'] * unit + scenarios)
        if tested.returncode == 130:
            raise KeyboardInterrupt
        if not total.exists():
            say(f'FAIL {kernel}: the tests did not come to an end')
            return Outcome(failed=1)
        return Outcome(**json.loads(total.read_text()))


def test_package():
    """Outcome of the Debian package, for all kernels that it is for"""
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
    for number, kernel in enumerate([arguments.kernel] if arguments.kernel else kernels()):
        if arguments.scenario:
            what, scenarios, unit = 'what was named', arguments.scenario, False
        elif arguments.kernel or not number:
            what, scenarios, unit = 'all', [], False
        else:
            what, scenarios, unit = 'KUnit, ' + ', '.join(ESSENCE), ESSENCE, True
        outcomes.append((kernel, what, test(kernel, scenarios, unit)))
    if not (arguments.scenario or arguments.kernel):
        outcomes.append(('stock', 'compiling the Debian package', test_package()))
    total = Outcome()
    for _, _, outcome in outcomes:
        total += outcome
    say('', *table(outcomes), '', total.sentence())
    return total.status()


if __name__ == '__main__':
    sys.exit(guarded(main))
