# SPDX-License-Identifier: GPL-2.0-only
"""
A host is slow while the guest runs: no command is lost, however long it takes.

A program moves the cursor more often than the ring has room for, while the thread of
QEMU that serves the device is stopped for many times the limit of a suspend. When it
goes on, it gets each of these commands. no_console_suspend: not used.
"""

import time

from vm import DRAIN_TIMEOUT, Setup

DEVICES = ('qxl',)
SETUP = Setup().over_qxl()
MOVES = 50                      # the ring has room for 32
LIMIT_MS, SECONDS = 100, 3


def story(vm):
    guest = vm.power_on()
    vm.draw_desktop()
    guest.write(DRAIN_TIMEOUT, str(LIMIT_MS))
    before = len(vm.host_log().commands)
    with vm.host_hangs():
        guest.start(f'time-cursor 0 {MOVES}')
        time.sleep(SECONDS)
    guest.answer()
    # the program's own, to which the checks of the picture compare
    guest.move_cursor(0, (150, 120))
    vm.expect_picture()
    moves = [command for command in vm.host_log().commands[before:]
             if command.name == 'cursor' and command.fields[0] == 'move']
    vm.expect(len(moves) == MOVES + 1, f'the host got {len(moves)} of {MOVES + 1} moves')

    guest.write(DRAIN_TIMEOUT, '5000')
    vm.suspend_and_wake()
    vm.expect_same_picture()
