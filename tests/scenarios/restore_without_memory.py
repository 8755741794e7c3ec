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

DEVICES = ('virtio-gpu', 'qxl')
SETUP = Setup(expected_log=(
    (r'(virtio|qxl).*\*ERROR\* (resume failed|device is lost)', 'the GPU about its resume'),
    (r'(virtio|qxl).*(failed to (resume|thaw|restore).*|returned|returns) -12$',
     'the PM core about it'),
    (r'qxl_\w+.*\*ERROR\* (Out of memory|failed to allocate)', 'a picture that is not drawn'),
))
# for which function there is none: what a resume begins with, and what brings the picture
FUNCTIONS = {'virtio': ('virtio_gpu_find_vqs', 'virtio_gpu_pm_restore_object'),
             'qxl': ('qxl_primary_atomic_update', 'qxl_primary_atomic_update')}


def story(vm):
    guest = vm.power_on()
    if not vm.debug:
        raise Skip('the kernel has no fault injection')
    vm.trace_fences()
    vm.draw_desktop()
    first, second = FUNCTIONS[vm.setup.driver]
    for function, sleep, failures in ((first, vm.suspend_and_wake, 1),
                                      (second, vm.hibernate_with_test_resume, 2)):
        vm.mark_kernel_log()
        vm.starve(function, only_first_try=True)
        sleep()
        vm.feed()
        vm.expect_same_picture()
        vm.expect_tried_again(failures)
        guest.flip(0, guest.create(1, *guest.outputs[0])[0])
        vm.expect_picture()

    # what the first try drew was never given back
    if vm.setup.qxl:
        vm.expect_fences_signalled('qxl', 'release')

    name = vm.gpu_name(0)
    vm.starve(first)
    vm.suspend_and_wake()
    vm.give_up_display()
    vm.feed()
    vm.suspend_and_wake()
    # nothing of a lost one stays behind, its releases and its picture to come neither
    if vm.setup.qxl:
        guest.close_cards()
        guest.write('/sys/bus/pci/drivers/qxl/unbind', name)
