# SPDX-License-Identifier: GPL-2.0-only
"""
Of two GPUs in one guest one refuses to hibernate, then the other: both work on.

Each runs out of memory on its way down: the virtio-gpu for the state of its display,
amdgpu while it moves its buffers out of VRAM. The failures are injected, so this wants
the debug kernel. Then both hibernate. no_console_suspend: not used.
"""

from model import ModelSetup
from verdict import Skip

SETUP = ModelSetup(virtio_gpu=True, expected_log=(
    (r'virtio.*(failed to freeze.*|returns|returned) -12$', 'the PM core'),
    (r'amdgpu.*([Ff]ail|\*ERROR\*|returned? -?\d+|error -12)', 'amdgpu, when it has no memory'),
))


def story(vm):
    if not vm.debug:
        raise Skip('the kernel has no fault injection')
    vm.power_on_with_driver('CPX')
    vm.draw_desktop()
    vm.use_gpu()
    for function in ('drm_atomic_helper_suspend', 'amdgpu_device_evict_resources'):
        vm.starve(function)
        vm.expect_hibernation_refused('ENOMEM')
        vm.feed()
        vm.expect_same_picture()
        vm.expect_gpu()
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()
    vm.expect_gpu_came_back()
