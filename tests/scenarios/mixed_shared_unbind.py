# SPDX-License-Identifier: GPL-2.0-only
"""
Of two GPUs that share buffers amdgpu is unbound, then, when it is back, the virtio-gpu.

The host gives back the pages of amdgpu's buffers before they are freed. What it shows
of them stays until a sleep, after which it is one lost object. Buffers of the
virtio-gpu are memory, which amdgpu reads and writes without it, too.
no_console_suspend: not used.
"""

from shared import SharedSetup
from vm import BUILT_IN

SETUP = SharedSetup(known_lost=1, expected_log=(
    (r'object \d+ is lost \(-19\)', 'the buffer that is shown when its GPU is gone'),
    ('comes back without its buffer', 'likewise'),
))


def story(vm):
    guest = vm.guest
    vm.start_sharing('dumb', 'vram', 'gtt')
    given_back = vm.count_commands('res_back_detach')
    vm.unbind()
    vm.expect(vm.count_commands('res_back_detach') >= given_back + 1,
              'the host has the pages of what it shows')
    vm.expect_revoked()
    vm.expect_same_picture()
    vm.suspend_and_wake()
    vm.expect(vm.virt_pm().lost == 1, 'a buffer without its GPU is not lost')
    dumb = next(buffer for buffer in vm.shared if buffer.kind == 'dumb')
    guest.show(0, dumb)
    vm.expect_picture()

    for buffer in vm.of_gpu():
        guest.destroy(buffer)
    vm.bind()
    vm.share('dumb', 'gtt')
    vm.unbind_gpu(BUILT_IN)
    vm.has_display = False
    for sleep in (vm.suspend_and_wake, vm.hibernate_and_power_on_again):
        vm.move_shared()
        vm.expect_gpu_reads_shared()
        sleep()
        vm.expect_gpu_came_back()
