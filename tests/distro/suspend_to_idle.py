# SPDX-License-Identifier: GPL-2.0-only
"""systemctl suspend to idle, woken by a key: the same picture."""


def story(vm):
    vm.power_on()
    vm.start_desktop('weston')
    vm.remember_picture()
    vm.suspend_to_idle()
    vm.expect_same_picture()
    vm.expect_typing_draws()
