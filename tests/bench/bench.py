#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Our driver beside the kernel's own, in one run: stock, ours, stock, ours, ...

Leaves bench.txt (the table), bench.json (every single number) and bench.svg in
build/bench/. doc/measurements.md says what each figure means.
"""

import argparse
import json
import platform
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'vm'))

import measure                          # noqa: E402
import qemu                             # noqa: E402
import report                           # noqa: E402
from run import REPO, Bench, guarded, say       # noqa: E402
from verdict import Failure, Unusable   # noqa: E402

COUNTS = (4, 100, 1000, 10000, 30000)
VARIANTS = {'stock': 'stock', 'ours': 'normal'}
PARTS = ('sleeps', 'wakes', 'reset', 'again', 'qxl', 'frames', 'awake', 'virgl', 'memory',
         'sizes', 'amdgpu')
WITH_COUNTS = ('sleeps', 'wakes')
ONCE = ('memory', 'sizes')              # nothing in them varies


def one(part, bench, counts):
    """[(name of a figure, number)] of one run."""
    if part in WITH_COUNTS:
        return [(f'{name} @{count}', number)
                for count, numbers in getattr(measure, part)(bench, counts).items()
                for name, number in numbers.items()]
    return list(getattr(measure, part)(bench).items())


def collect(benches, counts, runs):
    """{figure: {who: [number of each run]}} of {part: {who: bench}}, the variants in turn."""
    results = {}
    for part, variants in benches.items():
        times = 1 if part in ONCE else runs
        for number in range(1, times + 1):
            for who, bench in variants.items():
                started = time.monotonic()
                try:
                    figures = one(part, bench, counts)
                except Failure as error:
                    if bench.hooked:
                        raise
                    say(f'{part}, {who}: cannot be measured: {error}')
                    continue
                for name, value in figures:
                    results.setdefault(name, {}).setdefault(who, []).append(value)
                say(f'{part}, run {number} of {times}, {who}: '
                    f'{time.monotonic() - started:.0f} s')
    return results


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.strip().splitlines()[0])
    parser.add_argument('--kernel', default='7.3')
    parser.add_argument('--amdgpu-kernel', default='7.2')
    parser.add_argument('--runs', type=int, default=5)
    parser.add_argument('--counts', type=int, nargs='+', default=COUNTS,
                        help='numbers of buffers')
    parser.add_argument('--parts', nargs='+', choices=PARTS, default=PARTS)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    if arguments.runs < 1:
        raise Unusable('--runs wants a number from 1 on')
    qemu.binary()
    kernels = {part: arguments.amdgpu_kernel if part == 'amdgpu' else arguments.kernel
               for part in arguments.parts}
    benches = {part: {who: Bench(kernel, variant, False)
                      for who, variant in VARIANTS.items()}
               for part, kernel in kernels.items()}
    counts = sorted(set(arguments.counts))
    results = collect(benches, counts, arguments.runs)
    out = REPO / 'build/bench'
    out.mkdir(parents=True, exist_ok=True)
    about = {'kernels': kernels, 'runs': arguments.runs,
             'buffers': counts, 'host': platform.machine()}
    (out / 'bench.json').write_text(
        json.dumps({'about': about, 'results': results}, indent=1) + '\n')
    text = report.table(about, results)
    (out / 'bench.txt').write_text(text)
    (out / 'bench.svg').write_text(report.plot(counts, results))
    say(text, f'{out.relative_to(REPO)}/bench.txt, bench.json and bench.svg are written')
    return 0


if __name__ == '__main__':
    sys.exit(guarded(main))
