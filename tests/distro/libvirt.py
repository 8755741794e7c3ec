# SPDX-License-Identifier: GPL-2.0-only
"""
A guest of libvirt's: virsh dompmsuspend to memory, then to disk; the same picture.

It is woken by virsh dompmwakeup, and resumed by virsh start.
"""

from machine import Setup

# q35 hears nothing after the first of both
SETUP = Setup(machine='pc', libvirt=True)


def story(vm):
    vm.power_on()
    vm.start_desktop('weston')
    vm.remember_picture()
    vm.pm_suspend('mem')
    vm.pm_wakeup()
    vm.expect_same_picture()
    vm.pm_suspend('disk')
    vm.power_on_again()
    vm.expect_same_picture()
    vm.expect_typing_draws()
