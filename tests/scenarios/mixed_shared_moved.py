# SPDX-License-Identifier: GPL-2.0-only
"""
amdgpu moves buffers that a virtio-gpu shows, right after a resume and during a restore.

All that can be moved goes from the GPU's memory and from the memory that it reaches to
somewhere else, and comes back by use. One client flips between two of them meanwhile.
The picture is the one that the GPU drew, and the GPU has the same bytes.
no_console_suspend: not used.
"""

from shared import SharedSetup

SETUP = SharedSetup(cpus=2)


def story(vm):
    guest = vm.guest
    vm.start_sharing('dumb', 'vram', 'gtt')
    vm.suspend_and_wake()
    vm.move_shared()
    vm.expect_shared()

    for sleep in (vm.suspend_and_wake, vm.hibernate_and_power_on_again):
        guest.be_busy_flipping(0, *vm.shared[-2:])
        sleep()
        for _ in range(20):
            vm.move_shared()
        done = guest.be_idle()
        vm.expect(done > 10, f'only {done} flips were done')
        guest.flip(0, vm.shared[-1])
        vm.expect_shared()
