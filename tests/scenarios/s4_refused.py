# SPDX-License-Identifier: GPL-2.0-only
"""
Another PM notifier refuses the hibernation after ours accepted it.

The injector has a lower priority than ours, so it is asked later. Writing to
/sys/power/state must give EBUSY, nothing may have changed, and a hibernation
must work once nobody objects. no_console_suspend: not used.
"""

from vm import Setup

DEVICES = ('virtio-gpu', 'qxl')
SETUP = Setup(more_command_line='pm-notifier-error-inject.priority=-1')
REFUSAL = '/sys/kernel/debug/notifier-error-inject/pm/actions/PM_HIBERNATION_PREPARE/error'


def story(vm):
    guest = vm.power_on()
    vm.draw_desktop()
    guest.write(REFUSAL, '-16')
    vm.expect_hibernation_refused('EBUSY')
    vm.expect_same_picture()
    guest.flip(0, guest.create(1, *guest.outputs[0])[0])
    vm.expect_picture()

    guest.write(REFUSAL, '0')
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()
