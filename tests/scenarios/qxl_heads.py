# SPDX-License-Identifier: GPL-2.0-only
"""
Two heads of one qxl over S3 and S4: both pictures come back, side by side.

The host has one surface for both, and the driver has to know where in it each head
is before it draws the first. The second head is forced on the command line, as there
is no SPICE client that asks for it. One of them is switched on and off within a frame.
A qxl has one cursor for all heads, so there is none here. no_console_suspend: not used.
"""

from vm import QXL_SIZE, Setup

DEVICES = ('qxl',)
SETUP = Setup(device='qxl-vga', outputs=(QXL_SIZE, QXL_SIZE),
              more_command_line='qxl.num_heads=2 video=Virtual-2:1024x768e')


def story(vm):
    guest = vm.power_on()
    guest.open_cards()
    vm.expect(guest.outputs == vm.setup.sizes, f'the guest sees outputs {guest.outputs}')
    for output, size in enumerate(guest.outputs):
        first, second = guest.create(2, *size)
        guest.show(output, first)
        guest.flip(output, second)
    vm.expect_picture()
    vm.suspend_and_wake()
    vm.expect_same_picture()

    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()
    for output, size in enumerate(guest.outputs):
        guest.flip(output, guest.create(1, *size)[0])
    vm.expect_picture()
    # final_check() sees the warning of a worker that waits for a vblank
    guest.do('blink 0')
    vm.expect_picture()
    for buffer in guest.buffers:
        guest.check(buffer)
    # what final_check() does with cursors is not for one that is shared
    vm.has_display = False
