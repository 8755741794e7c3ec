# SPDX-License-Identifier: GPL-2.0-only
"""
No memory when the GPU resumes, for its queues or for the picture: it is late only.

The first try fails, in S3, and in a hibernation both when it is thawed and when it
is restored. The second, when tasks run again and there is memory, brings the
picture. Where that has none either, the device is lost and the system goes on and
sleeps. The failures are injected, so this wants the debug kernel.
no_console_suspend: not used.
"""

from verdict import Skip
from vm import Setup

SETUP = Setup(expected_log=(
    (r'virtio.*\*ERROR\* (resume failed|device is lost)', 'the GPU about its resume'),
    (r'virtio.*(failed to (resume|thaw|restore).*|returned|returns) -12$',
     'the PM core about it'),
))


def story(vm):
    guest = vm.power_on()
    if not vm.debug:
        raise Skip('the kernel has no fault injection')
    vm.draw_desktop()
    for function, sleep, failures in (
            ('virtio_gpu_find_vqs', vm.suspend_and_wake, 1),
            ('virtio_gpu_pm_restore_object', vm.hibernate_with_test_resume, 2)):
        vm.mark_kernel_log()
        vm.starve(function, only_first_try=True)
        sleep()
        vm.feed()
        vm.expect_same_picture()
        vm.expect_tried_again(failures)
        guest.flip(0, guest.create(1, *guest.outputs[0])[0])
        vm.expect_picture()

    vm.starve('virtio_gpu_find_vqs')
    vm.suspend_and_wake()
    vm.give_up_display()
    vm.feed()
    vm.suspend_and_wake()
