# SPDX-License-Identifier: GPL-2.0-only
"""
S4, then eight threads use the same lost buffer at the same moment.

It must be created exactly once, and each of them must find it usable. A buffer
that was exported and imported again must be the same object as before.
no_console_suspend: not used.
"""

from verdict import Failure
from vm import Setup

SETUP = Setup(cpus=2)


def story(vm):
    guest = vm.power_on()
    vm.draw_desktop()
    crowded, shared = guest.create(2, *guest.outputs[0], kind='resource')
    guest.share(shared)
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()

    before = vm.host_log().last_line
    guest.stampede(crowded, 8)
    names = [command.name for command in vm.host_log().after(before)]
    if names.count('res_create_2d') != 1:
        raise Failure(f'created {names.count("res_create_2d")} times for eight users')
    guest.share(shared)
    guest.flip(0, shared)
    vm.expect_picture()
