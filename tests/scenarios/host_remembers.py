# SPDX-License-Identifier: GPL-2.0-only
"""
A host that does not forget resources over a reset: QEMU's vhost-user-gpu.

It refuses to create what it still has. The picture and each buffer must come back
all the same, over S3, over a hibernation that another device rolls back and over
one that ends in a new process, which knows nothing; without an error in the guest's
log. The host refuses one creation; from then on the guest knows its way.
no_console_suspend: not used.
"""

from vhost_user import KNOWN, UNKNOWN, VhostUserSetup

SETUP = VhostUserSetup(expected_log=(
    ('pm_fail.*: error -16$', 'the device that is made to fail'),
))


def use_all(vm):
    """Also those that nobody shows."""
    guest = vm.guest
    vm.expect_same_picture()
    for buffer in guest.buffers:
        if buffer.kind == 'resource':
            guest.transfer(buffer)
        elif buffer.kind == 'dumb':
            guest.flip(0, buffer)
            vm.expect_picture()
    lost = vm.virt_pm().lost
    vm.expect(not lost, f'{lost} objects are lost')


def story(vm):
    guest = vm.power_on()
    vm.draw_desktop()
    guest.create(4, 64, 64, kind='resource')
    vm.expect_back_end_errors(KNOWN, 0)

    vm.suspend_and_wake()
    use_all(vm)
    vm.expect_back_end_errors(KNOWN, 1)

    vm.let_others_fail('freeze')
    vm.expect_hibernation_refused('EBUSY')
    vm.let_others_fail('none')
    use_all(vm)
    vm.expect_back_end_errors(KNOWN, 1)

    vm.hibernate_and_power_on_again()
    use_all(vm)
    vm.expect_back_end_errors(UNKNOWN)
