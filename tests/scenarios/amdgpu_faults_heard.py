# SPDX-License-Identifier: GPL-2.0-only
"""
Page faults are heard from the start of a resume on, and of clients afterwards.

On the device that comes after S4 a memory hub accesses what is not mapped, as soon as
PSP has its ring: the driver must report that. Then a client's commands do, in a hub of
each kind. no_console_suspend: not used.
"""

from model import ModelSetup

SETUP = ModelSetup(later_model=('--fault', 'stray-access'))


def story(vm):
    vm.power_on_with_driver('CPX')
    vm.use_gpu()
    vm.expect_faults_heard()
    vm.mark_kernel_log()
    vm.hibernate_and_power_on_again()
    vm.expect_stray_heard()
    vm.expect_gpu_came_back()
    vm.expect_faults_heard()
