# SPDX-License-Identifier: GPL-2.0-only
"""
systemctl suspend-then-hibernate: to memory, woken by the clock, then to disk.

The same picture in another QEMU.
"""

from machine import Setup

SETUP = Setup(machine='pc')


def story(vm):
    vm.power_on()
    vm.run('mkdir -p /etc/systemd/sleep.conf.d && '
           'printf "[Sleep]\\nHibernateDelaySec=20\\n" >/etc/systemd/sleep.conf.d/delay.conf')
    vm.start_desktop('weston')
    vm.remember_picture()
    vm.sleep('systemctl suspend-then-hibernate')
    vm.wait_until_hibernated()
    vm.power_on_again()
    vm.expect_same_picture()
    vm.expect_typing_draws()
