# SPDX-License-Identifier: GPL-2.0-only
"""
S4 onto a GPU that does not take its partition mode: it is given up, and says so.

Upstream does not look whether the mode was restored: the driver says CPX, the
GPU is in SPX, and compute queues are made in the wrong one. The guest lives,
sleeps again, and the driver can be unbound. no_console_suspend: not used.
"""

from model import FAULTY, ModelSetup

SETUP = ModelSetup(later_model=('--fault', 'partition-write-ignored'), expected_log=FAULTY)


def story(vm):
    vm.power_on_with_driver('CPX')
    vm.use_gpu()
    vm.hibernate_and_power_on_again()
    vm.expect_lost()
    vm.expect_no_compute_queue_in('SPX')
    vm.suspend_and_wake()
    vm.expect_lost()
