# SPDX-License-Identifier: GPL-2.0-only
"""
Two GPUs that are linked by XGMI, each with a compute process and its queue: S4, S3, S4.

Each is told its place in the hive again, before a process has a queue on it.
no_console_suspend: not used.
"""

from model import ModelSetup

# one XCC each: a queue of a process with more would run on all of them
SETUP = ModelSetup(model=('--xcc', '1', '--hive', '0/2'),
                   second=('--xcc', '1', '--hive', '1/2'))


def story(vm):
    vm.power_on_with_driver('SPX')
    vm.use_gpu(queue=True)
    vm.expect_topology(vm.model_logs[-1], vm.second_logs[-1], nodes=2)
    for way in (vm.hibernate_and_power_on_again, vm.suspend_and_wake,
                vm.hibernate_and_power_on_again):
        way()
        vm.expect_gpu_came_back()
        vm.expect_user_queue()
        vm.guest.kfd_check(1)
        vm.expect_topology(vm.model_logs[-1], vm.second_logs[-1], nodes=2)
