#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
What a hibernation costs with few and with many buffers.

Times are the kernel's own ("PM: freeze of devices complete after ..."), each
the median of several runs that alternate between few and many, so that a busy
machine falls on both. Commands are counted by the host and exact.
"""

import argparse
import re
import statistics
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'vm'))

import qemu                             # noqa: E402
from run import Bench, guarded, say     # noqa: E402
from vm import Setup                    # noqa: E402

PHASES = ('freeze', 'thaw', 'restore')
TIME = re.compile(r'PM: (\w+) of devices complete after (\d+\.\d+) msecs')


def one_run(bench, buffers):
    """{phase: ms} of one hibernation, and the host's commands up to its first frame."""
    with bench.files(f'figures-{buffers}') as files:
        vm = bench.vm(Setup(memory=1024, swap=1536, more_command_line='loglevel=8'),
                      files)
        try:
            guest = vm.power_on()
            vm.draw_desktop()
            left = buffers
            while left:
                now = min(left, 1000)
                guest.create(now, 64, 64)
                left -= now
            guest.write('/sys/power/pm_debug_messages', '1')
            vm.hibernate_with_test_resume()
            vm.expect_same_picture()
            vm.close_kernel_log()
            times = {}
            for phase, ms in TIME.findall(files.console_text()):
                times.setdefault(phase, float(ms))
            return times, len(vm.host_log().until_first_flush())
        finally:
            vm.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--kernel', default='6.12')
    parser.add_argument('--variant', default='normal')
    parser.add_argument('--few', type=int, default=4)
    parser.add_argument('--many', type=int, default=10000)
    parser.add_argument('--runs', type=int, default=5)
    arguments = parser.parse_args()
    qemu.binary()
    bench = Bench(arguments.kernel, arguments.variant, False)
    counts = (arguments.few, arguments.many)
    times = {count: {phase: [] for phase in PHASES} for count in counts}
    commands = {count: set() for count in counts}
    for number in range(1, arguments.runs + 1):
        for count in counts:
            found, seen = one_run(bench, count)
            for phase in PHASES:
                times[count][phase].append(found[phase])
            commands[count].add(seen)
            say(f'run {number} of {arguments.runs}, {count} buffers: ' +
                ', '.join(f'{phase} {found[phase]:.0f} ms' for phase in PHASES) +
                f', {seen} commands to the first frame')
    few, many = counts
    say('', f'{"devices, median ms":24} {few:>10} {many:>10} {"ratio":>8}')
    for phase in PHASES:
        a, b = (statistics.median(times[count][phase]) for count in counts)
        say(f'{phase:24} {a:10.1f} {b:10.1f} {b / a:8.2f}')
    a, b = ('/'.join(map(str, sorted(commands[count]))) for count in counts)
    say(f'{"commands to first frame":24} {a:>10} {b:>10}')
    return 0


if __name__ == '__main__':
    sys.exit(guarded(main))
