# SPDX-License-Identifier: GPL-2.0-only
"""
Of two passed-through GPUs the first does not come back from S4: the second goes on.

So do its buffers and its compute process, in this cycle, in another hibernation and in
S3. The process of the lost GPU can end. no_console_suspend: not used.
"""

from model import FAULTY, ModelSetup

SETUP = ModelSetup(second=(), later_model=('--fault', 'ring-test-fails=sdma0'),
                   expected_log=FAULTY)


def story(vm):
    vm.power_on_with_driver('SPX')
    vm.use_gpu(which=1)
    for way in (vm.hibernate_and_power_on_again, vm.hibernate_and_power_on_again,
                vm.suspend_and_wake):
        way()
        vm.expect_only_first_lost()
