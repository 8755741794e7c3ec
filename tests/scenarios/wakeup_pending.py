# SPDX-License-Identifier: GPL-2.0-only
"""
Something happened that the system should wake for, while it was going to sleep.

The suspend is aborted before any device was touched, and the next one works.
no_console_suspend: not used.
"""

DEVICES = ('virtio-gpu', 'qxl')


def story(vm):
    guest = vm.power_on()
    vm.draw_desktop()
    resets = vm.host_log().resets
    seen = guest.read('/sys/power/wakeup_count').strip()
    guest.write('/sys/power/wakeup_count', seen)
    vm.wake_up_event()
    vm.expect_suspend_refused('EBUSY')
    vm.expect(vm.host_log().resets == resets, 'the device was reset')
    vm.expect_same_picture()

    vm.suspend_and_wake()
    vm.expect_same_picture()
