# SPDX-License-Identifier: GPL-2.0-only
"""
The boot kernel finds an image, and cannot resume from it.

Once because the image is damaged, once because a device does not go to sleep,
after ours did: the boot kernel's own picture must be there afterwards, and the
system usable. The same image, undamaged, resumes after all, although a flip of the
boot kernel's waits for a fence: nothing may be refused there, so that is dropped.
no_console_suspend: not used.
"""

from vm import DRAIN_TIMEOUT, Setup

DEVICES = ('virtio-gpu', 'qxl')
SETUP = Setup(expected_log=(
    ('pm_fail.*: error -16$', 'the device that is made to fail'),
))


def story(vm):
    vm.power_on()
    vm.draw_desktop()
    vm.hibernate_and_power_off()
    with vm.in_boot_kernel():
        vm.draw_desktop()
        with vm.damaged_image():
            vm.expect_no_resume()
        vm.expect_same_picture()

        resets = vm.host_log().resets
        vm.let_others_fail('freeze')
        vm.expect_no_resume()
        vm.expect(vm.host_log().resets > resets, 'the device was not reset')
        vm.expect_same_picture()

        vm.let_others_fail('none')
        vm.guest.write(DRAIN_TIMEOUT, '2000')
        vm.flip_behind_fence(0)
        vm.resume_from_boot_kernel()
    vm.expect_same_picture()
