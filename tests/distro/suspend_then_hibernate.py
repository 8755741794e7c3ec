# SPDX-License-Identifier: GPL-2.0-only
"""
systemctl suspend-then-hibernate: to memory, woken by the clock, then to disk.

The same picture in another QEMU. The real-time clock rings in whole seconds, and if that
is a moment before systemd's timer, systemd takes it for a user and stays awake.
"""

from machine import Setup
from verdict import Failure

TRIES = 6

SETUP = Setup(machine='pc')


def story(vm):
    vm.power_on()
    vm.run('mkdir -p /etc/systemd/sleep.conf.d && '
           'printf "[Sleep]\\nHibernateDelaySec=20\\n" >/etc/systemd/sleep.conf.d/delay.conf')
    vm.start_desktop('weston')
    vm.remember_picture()
    for _ in range(TRIES):
        vm.sleep('systemctl suspend-then-hibernate')
        if vm.hibernates_when_woken():
            break
        vm.expect_same_picture()
    else:
        raise Failure(f'the guest woke {TRIES} times and did not hibernate')
    vm.power_on_again()
    vm.expect_same_picture()
    vm.expect_typing_draws()
