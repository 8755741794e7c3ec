# SPDX-License-Identifier: GPL-2.0-only
"""
A flip waits for a fence that nobody signals: refused within the limit, not a hang.

S3 and S4 fail with EBUSY and the reason, nothing has changed, other outputs work.
When the fence is signalled the flip is done. A fence that is signalled while the
suspend waits lets it go on, and S4 of the same client, up to the devices, works.
no_console_suspend: not used.
"""

from vm import DRAIN_TIMEOUT, TAINT_SOFTLOCKUP, Setup

DEVICES = ('virtio-gpu', 'qxl')
SETUP = Setup(outputs=((640, 480), (320, 240)), expected_log=(
    (r'PM: .*(failed to (suspend|freeze).*: error|returned|returns) -16$',
     'the PM core about the refusal'),
    ('PM: Some devices failed to suspend', 'likewise'),
), known_taints=TAINT_SOFTLOCKUP)       # by sw_sync, since 7.2
REASON = 'a commit waits for a fence'
SHORT, LONG = '2000', '60000'           # milliseconds


def story(vm):
    guest = vm.power_on()
    vm.draw_desktop()
    guest.write(DRAIN_TIMEOUT, SHORT)
    _, buffer = vm.flip_behind_fence(0)
    resets = vm.host_log().resets
    for transition, expect_refused in (('suspend', vm.expect_suspend_refused),
                                       ('hibernate', vm.expect_hibernation_refused)):
        vm.mark_kernel_log()
        expect_refused('EBUSY')
        vm.expect_refusal_told(transition, REASON)
        vm.expect_same_picture()
    vm.expect(vm.host_log().resets == resets, 'the device was reset')
    guest.flip(1, guest.create(1, *guest.outputs[1], card=vm.setup.heads[1][0])[0])
    vm.expect_picture()
    guest.signal_fence()
    guest.wait_for_flip(0, buffer)
    vm.expect_picture()

    guest.write(DRAIN_TIMEOUT, LONG)
    fence, buffer = vm.flip_behind_fence(0)
    vm.signal_during_suspend(fence)
    vm.suspend_and_wake()
    vm.expect_signalled_during_suspend()
    guest.wait_for_flip(0, buffer)
    vm.expect_picture()

    vm.sleep_up_to('devices', 'disk')
    vm.expect_same_picture()
