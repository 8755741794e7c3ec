# SPDX-License-Identifier: GPL-2.0-only
"""
Of two GPUs in one guest the virtio-gpu is lost in S3: the passed-through one is not.

There is no memory for the virtio-gpu's queues when it resumes, nor when that is
tried once more. The other GPU is as it was, also over a hibernation. The failures
are injected, so this wants the debug kernel. no_console_suspend: not used.
"""

from model import ModelSetup
from verdict import Skip

SETUP = ModelSetup(virtio_gpu=True, expected_log=(
    (r'virtio.*(device is lost|resume failed|\*ERROR\*)', 'the lost device'),
    (r'virtio.*(failed to resume|returned? -12|returns -12)', 'the PM core about it'),
))


def story(vm):
    if not vm.debug:
        raise Skip('the kernel has no fault injection')
    vm.power_on_with_driver('CPX')
    vm.draw_desktop()
    vm.use_gpu()
    vm.starve('virtio_gpu_find_vqs')
    vm.suspend_and_wake()
    vm.give_up_display()
    vm.feed()
    vm.expect_gpu_came_back()
    vm.hibernate_and_power_on_again()
    vm.expect_gpu_came_back()
