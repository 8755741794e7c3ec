# SPDX-License-Identifier: GPL-2.0-only
"""
The virtio-gpu does not come back from S3: amdgpu has its own buffers and the shared ones.

The host answers nothing after the reset, twice. What was shared is memory, so amdgpu
reads and writes it as before, over a hibernation, too. no_console_suspend: not used.
"""

from shared import SharedSetup
from vm import DRAIN_TIMEOUT

SETUP = SharedSetup(expected_log=(
    (r'virtio.*(device is lost|resume failed|\*ERROR\*)', 'the lost device'),
    (r'virtio.*(failed to resume|returned? -110|returns -110)', 'the PM core about it'),
))
SHORT = '2000'                          # milliseconds


def story(vm):
    vm.start_sharing('dumb', 'vram', 'gtt')
    vm.guest.write(DRAIN_TIMEOUT, SHORT)
    vm.suspend_and_wake(meanwhile=lambda: vm.fault('never:any'))
    vm.give_up_display()
    vm.expect_gpu_came_back()
    vm.expect_gpu_reads_shared()
    vm.hibernate_and_power_on_again()
    vm.expect_gpu_came_back()
    vm.expect_gpu_reads_shared()
