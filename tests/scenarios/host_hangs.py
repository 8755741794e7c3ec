# SPDX-License-Identifier: GPL-2.0-only
"""
The host hangs: S3 and S4 are refused within the limit, before clients are stopped.

The thread of QEMU that serves the device is stopped, idle at first, then with a flip
that it did not take. The write to /sys/power/state fails with ETIMEDOUT and the
reason, user space was not frozen and the device not reset. When the host goes on, the
picture is there, and the guest sleeps. no_console_suspend: not used.
"""

from vm import DRAIN_TIMEOUT

DEVICES = ('qxl',)
REASON = 'the host does not answer'


def expect_refused(vm):
    for transition, refused in (('suspend', vm.expect_suspend_refused),
                                ('hibernate', vm.expect_hibernation_refused)):
        vm.mark_kernel_log()
        refused('ETIMEDOUT')
        vm.expect_refusal_told(transition, REASON, errno=110)
        vm.expect_not_in_log('Freezing user space')


def story(vm):
    guest = vm.power_on()
    vm.draw_desktop()
    guest.write(DRAIN_TIMEOUT, '2000')
    buffer = guest.create(1, *guest.outputs[0])[0]
    resets = vm.host_log().resets
    with vm.host_hangs():
        expect_refused(vm)
        guest.flip(0, buffer)
        expect_refused(vm)
        vm.expect(vm.host_log().resets == resets, 'the device was reset')
    vm.expect_picture()

    vm.suspend_and_wake()
    vm.expect_same_picture()
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()
