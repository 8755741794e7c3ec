# SPDX-License-Identifier: GPL-2.0-only
"""
The driver of a qxl is unbound after a sleep, with a lit output and buffers.

They live until they are closed. Bound again, it has a picture, and sleeps as well as
before. no_console_suspend: not used.
"""

from vm import Setup

DEVICES = ('qxl',)
SETUP = Setup().over_qxl()


def story(vm):
    guest = vm.power_on()
    vm.draw_desktop()
    vm.suspend_and_wake()
    vm.expect_same_picture()

    name = vm.gpu_name(0)
    guest.write('/sys/bus/pci/drivers/qxl/unbind', name)
    guest.close_cards()
    guest.write('/sys/bus/pci/drivers/qxl/bind', name)
    vm.draw_desktop()
    vm.hibernate_with_test_resume()
    vm.expect_same_picture()
    vm.suspend_and_wake()
    vm.expect_same_picture()
