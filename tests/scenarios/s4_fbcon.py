# SPDX-License-Identifier: GPL-2.0-only
"""
S4 with nothing but the kernel's own text console on the screen.

No program owns the display: what must come back is the framebuffer of fbcon.
The text cursor is off, as a blinking one never gives the same picture twice.
no_console_suspend: not used.
"""

from verdict import Failure

DEVICES = ('virtio-gpu', 'qxl')


def story(vm):
    guest = vm.power_on()
    guest.write('/dev/tty1', '\n'.join(f'line {n} of a text console' for n in range(12)))
    before = vm.screens()
    if before[0].colours() < 2:
        raise Failure('there is no text console on the screen to begin with')
    vm.save_screens('before')
    vm.hibernate_and_power_on_again()
    vm.expect_screens(before)
