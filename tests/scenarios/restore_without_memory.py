# SPDX-License-Identifier: GPL-2.0-only
"""
No memory for what comes back: every allocation fails on behalf of its restore.

What was set aside before has to do, over S3 and over a hibernation, which
restores twice. The failures are injected, so this wants the debug kernel.
no_console_suspend: not used.
"""

from verdict import Skip


def story(vm):
    guest = vm.power_on()
    if not vm.debug:
        raise Skip('the kernel has no fault injection')
    vm.draw_desktop()
    vm.starve('drm_virt_pm_object_restore')
    vm.suspend_and_wake()
    vm.expect_same_picture()
    vm.expect_reserve_used()

    vm.hibernate_with_test_resume()
    vm.feed()
    vm.expect_same_picture()
    guest.flip(0, guest.create(1, *guest.outputs[0])[0])
    vm.expect_picture()
