# SPDX-License-Identifier: GPL-2.0-only
"""Five times systemctl hibernate, each resumed in another QEMU: one picture."""


def story(vm):
    vm.power_on()
    vm.start_desktop('weston')
    vm.remember_picture()
    for number in range(1, 6):
        vm.hibernate_and_power_on_again()
        vm.expect_same_picture()
        vm.say(f'{number} of 5')
    vm.expect(vm.account().lost == 0, 'objects were lost')
    vm.expect_typing_draws()
