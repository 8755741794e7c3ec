# SPDX-License-Identifier: GPL-2.0-only
"""The screen is switched off (DPMS) when the guest hibernates; a key brings it back."""


def story(vm):
    vm.power_on()
    vm.start_desktop('xorg')
    vm.remember_picture()
    vm.run('DISPLAY=:0 xset +dpms dpms 0 0 0 && DISPLAY=:0 xset dpms force off')
    vm.wait_for_black()
    vm.hibernate_and_power_on_again()
    vm.expect(vm.screen().is_black(), 'the screen was switched on by itself')
    vm.run('DISPLAY=:0 xset dpms force on')
    vm.expect_same_picture()
    vm.expect_typing_draws()
