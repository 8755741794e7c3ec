# SPDX-License-Identifier: GPL-2.0-only
"""
S4 with 1,000 buffers: all can be shown again, and resume does not pay for them.

Only what is on the screen comes back at once, so the number of host commands
until the picture is there must not grow with the buffers: 16 is a desktop's
share (create, attach, transfer, scanout, flush, cursor; a few more for display
info), 1,000 buffers would take 2,000. no_console_suspend: not used.
"""

DEVICES = ('virtio-gpu', 'qxl')


def story(vm):
    guest = vm.power_on()
    vm.draw_desktop()
    guest.create(1000, 64, 64)
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()
    vm.expect_few_commands_until_picture(12)
