# SPDX-License-Identifier: GPL-2.0-only
"""
S4 with buffers of the RESOURCE_CREATE ioctl, whose content the guest transfers.

Nobody transfers it again after the resume: the host must get it by itself, for
the buffer on the screen and for those that are shown later.
no_console_suspend: not used.
"""


def story(vm):
    vm.power_on()
    vm.draw_desktop(kind='resource')
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()
