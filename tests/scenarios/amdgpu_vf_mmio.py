# SPDX-License-Identifier: GPL-2.0-only
"""
The registers of a virtual function read as ones after S3: the GPU is given up.

The driver would wait for the mailbox without a limit. no_console_suspend: not used.
"""

from model import FAULTY, ModelSetup

SETUP = ModelSetup(model=('--vf', '--partition', 'CPX', '--fault-later', 'mmio-dead'),
                   expected_log=FAULTY)


def story(vm):
    vm.power_on_with_driver()
    vm.use_gpu()
    vm.suspend_and_wake_with_fault()
    vm.expect_lost('its registers do not answer')
