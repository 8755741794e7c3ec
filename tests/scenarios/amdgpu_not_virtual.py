# SPDX-License-Identifier: GPL-2.0-only
"""
amdgpu does not see that it is in a virtual machine, as on bare metal.

A hibernation is refused after the GPU was suspended for the image: it must be resumed,
also where thaw leaves it suspended, as from 7.2 on, and sleep in S3 then.
no_console_suspend: not used.
"""

from model import ModelSetup

SETUP = ModelSetup(swap=8, more_options=('-cpu', 'max,la57=off,hypervisor=off'))


def story(vm):
    vm.power_on_with_driver('CPX')
    flags = vm.guest.read('/proc/cpuinfo').split()
    vm.expect('hypervisor' not in flags, 'the processor says that it is virtual')
    vm.use_gpu()
    vm.expect_hibernation_refused('ENOSPC')
    vm.expect_gpu_came_back()
    vm.suspend_and_wake()
    vm.expect_gpu_came_back()
