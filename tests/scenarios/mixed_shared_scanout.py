# SPDX-License-Identifier: GPL-2.0-only
"""
A virtio-gpu shows buffers of amdgpu, in memory and in VRAM: S4, then S3.

At the same time amdgpu uses buffers of the virtio-gpu. The picture is the one that the
GPU drew, and the GPU has the same bytes. no_console_suspend: not used.
"""

from shared import SharedSetup

SETUP = SharedSetup()


def story(vm):
    vm.start_sharing('dumb', 'vram', 'gtt')
    vm.hibernate_and_power_on_again()
    vm.expect_shared()
    vm.suspend_and_wake_in_order()
    vm.expect_shared()
