# SPDX-License-Identifier: GPL-2.0-only
"""
Weston is killed after it was resumed, and started again: it works as before.

Where it puts the window is its own choice, so the second picture is another one.
"""


def story(vm):
    vm.power_on()
    vm.start_desktop('weston')
    vm.remember_picture()
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()
    vm.run('systemctl kill -s KILL weston; sleep 2; systemctl reset-failed weston')
    vm.start_desktop('weston')
    vm.expect_typing_draws()
