# SPDX-License-Identifier: GPL-2.0-only
"""
Of two GPUs that are linked the first does not come back from S4: the hive is the second.

Resets are those of a hive: a reset of the second ends, works, and does not touch the lost
one. A process with a queue on the lost one can end. Another hibernation finds the second
well. no_console_suspend: not used.
"""

from model import FAULTY, ModelSetup

# one XCC each: a queue of a process with more would run on all of them
FIRST = ('--xcc', '1', '--hive', '0/2')
SETUP = ModelSetup(model=FIRST, second=('--xcc', '1', '--hive', '1/2'),
                   later_model=(*FIRST, '--fault', 'psp-refuses=invoke'),
                   expected_log=FAULTY)


def story(vm):
    vm.power_on_with_driver('SPX')
    vm.use_gpu(which=1, queue=True)
    vm.hibernate_and_power_on_again()
    vm.expect_only_first_lost('the XGMI topology is not set')
    vm.stop_using_gpu()
    vm.reset_second()
    vm.expect_topology(vm.second_logs[-1], nodes=1)
    vm.use_gpu(kfd=False)
    vm.hibernate_and_power_on_again()
    vm.expect_second_well()
    vm.expect_topology(vm.second_logs[-1], nodes=1)
