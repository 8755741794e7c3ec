#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""
Many sleeps of one guest, with buffers and programs that come and go in between.

Each cycle is a hibernation within one boot, every fifth an S3 as well; the picture
is compared after each, everything else at the end, leaks among it. Two models of an
MI300X are on PCIe ports, so their machine is a q35, which has no second S3. A cycle
takes about 20 seconds in the debug kernel, and a minute and a half with two models.
"""

import argparse
import dataclasses
import random
import sys
import time
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / 'vm'))

import qemu                             # noqa: E402
from model import ModelSetup            # noqa: E402
from run import Bench, guarded, say     # noqa: E402
from verdict import Failure             # noqa: E402
from vm import Setup                    # noqa: E402


def start_display(vm):
    vm.power_on()
    vm.draw_desktop()


def start_gpus(vm):
    vm.power_on_with_driver('SPX')
    vm.use_gpu()


def sleep_of_gpus(vm, number, _):
    vm.hibernate_with_test_resume()
    vm.expect_gpu_came_back()
    if number % 5 == 0:
        vm.stop_using_gpu()
        vm.use_gpu()


def sleep_of_display(vm, number, chance):
    guest = vm.guest
    width, height = guest.outputs[0]
    guest.create(chance.randint(1, 6), 64, 64)
    idle = [b for b in guest.buffers if (b.width, b.height) == (64, 64)
            and b.kind == 'dumb']
    for buffer in chance.sample(idle, len(idle) // 2):
        guest.destroy(buffer)
    guest.flip(0, guest.create(1, width, height)[0])
    vm.hibernate_with_test_resume()
    vm.expect_same_picture()
    if number % 5 == 0:
        vm.suspend_and_wake()
        vm.expect_same_picture()
    # one that was not shown since before the sleep
    guest.flip(0, chance.choice([b for b in guest.buffers
                                 if (b.width, b.height) == (width, height)]))
    vm.expect_picture()
    old = [b for b in guest.buffers if b is not guest.shown[0]
           and (b.width, b.height) == (width, height)]
    for buffer in old[:-8]:
        guest.destroy(buffer)


# pc: on q35, SeaBIOS lets no kernel into S3 twice
PC = Setup(machine='pc')
MACHINES = {
    'qemu': (PC, start_display, sleep_of_display),
    'own': (dataclasses.replace(PC, host='own'), start_display, sleep_of_display),
    'qxl': (PC.over_qxl(), start_display, sleep_of_display),
    'gpus': (ModelSetup(second=()), start_gpus, sleep_of_gpus),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument('--kernel', default='6.12')
    parser.add_argument('--variant', default='debug')
    parser.add_argument('--cycles', type=int, default=100)
    parser.add_argument('--seed', type=int, default=1)
    parser.add_argument('--cpus', type=int, default=2,
                        help='of the guest; beside other work one is twice as fast')
    parser.add_argument('--over', choices=MACHINES, default='qemu',
                        help="QEMU's virtio-gpu, the host of our own, a qxl, or two models "
                        'of an MI300X')
    arguments = parser.parse_args()
    qemu.binary()
    bench = Bench(arguments.kernel, arguments.variant, False)
    chance = random.Random(arguments.seed)
    done, start = 0, time.monotonic()
    setup, start_guest, one_cycle = MACHINES[arguments.over]
    # KASAN slows down the compression of an image, and takes memory for itself
    setup = dataclasses.replace(setup, cpus=arguments.cpus, memory=1280,
                                more_command_line=setup.more_command_line +
                                ' hibernate=nocompress')
    with bench.files(f'soak_{arguments.over}') as files:
        vm = bench.vm(setup, files)
        try:
            start_guest(vm)
            for number in range(1, arguments.cycles + 1):
                one_cycle(vm, number, chance)
                done = number
                if number % 5 == 0:
                    say(f'{number} of {arguments.cycles} cycles, '
                        f'{time.monotonic() - start:.0f} s')
            vm.final_check()
        except Failure as error:
            say(f'FAIL soak after {done} cycles: {error}', f'    see {files.directory}',
                f'{done} passed, 1 failed')
            return 1
        finally:
            vm.close()
    say(f'{done} passed, 0 failed')
    return 0


if __name__ == '__main__':
    sys.exit(guarded(main))
