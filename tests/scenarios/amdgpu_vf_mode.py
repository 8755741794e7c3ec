# SPDX-License-Identifier: GPL-2.0-only
"""
S4 onto a virtual function that its host has put into another partition mode.

The driver cannot change it, and its partitions are those of the first mode: the GPU is
given up. no_console_suspend: not used.
"""

from model import FAULTY, ModelSetup

SETUP = ModelSetup(model=('--vf', '--partition', 'CPX'),
                   later_model=('--vf', '--partition', 'SPX'), expected_log=FAULTY)


def story(vm):
    vm.power_on_with_driver()
    vm.use_gpu()
    vm.hibernate_and_power_on_again()
    vm.expect_lost('the partition mode is not restored')
    vm.expect_no_compute_queue_in('SPX')
