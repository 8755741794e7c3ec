# SPDX-License-Identifier: GPL-2.0-only
"""
In freeze, and in the suspend of S3, amdgpu cannot move what is left in VRAM: refused.

Displays and KFD are down by then. The GPU must work on, with all buffers and its compute
process, and the next hibernation must work. no_console_suspend: not used.
"""

from model import ModelSetup

SETUP = ModelSetup(expected_log=(
    (r'amdgpu.*([Ff]ail|returned? -?\d+|error -12)', 'amdgpu and the PM core'),
    ('PM: Some devices failed to suspend', 'the PM core'),
))
# the first call is that of prepare
SECOND = ('amdgpu_device_evict_resources', 2)


def story(vm):
    vm.power_on_with_driver('CPX')
    vm.use_gpu(queue=True)
    with vm.failing_call(*SECOND):
        vm.expect_hibernation_refused('ENOMEM')
    vm.expect_gpu()
    with vm.failing_call(*SECOND):
        vm.expect_suspend_refused('ENOMEM')
    vm.expect_gpu()
    vm.hibernate_and_power_on_again()
    vm.expect_gpu_came_back()
