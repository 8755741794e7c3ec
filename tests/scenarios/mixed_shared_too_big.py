# SPDX-License-Identifier: GPL-2.0-only
"""
The image does not fit on the disk, and two GPUs share buffers.

Where thaw leaves amdgpu suspended, as from 7.2 on, the virtio-gpu runs before it: what
it shows comes back at once if that is in memory. The other buffers can be used as soon
as user space runs, without an error. no_console_suspend: not used.
"""

from shared import SharedSetup

SETUP = SharedSetup(swap=8)


def story(vm):
    vm.start_sharing('dumb', 'gtt', 'vram')
    vm.expect_hibernation_refused('ENOSPC')
    vm.expect_not_in_log('trying once more')
    vm.expect_same_picture()
    for buffer in vm.shared:
        vm.guest.flip(0, buffer)
        vm.expect_picture()
    vm.expect_shared()
    vm.suspend_and_wake()
    vm.expect_shared()
