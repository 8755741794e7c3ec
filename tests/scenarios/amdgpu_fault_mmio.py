# SPDX-License-Identifier: GPL-2.0-only
"""
The registers read as ones after S3, though config space is there: the GPU is given up.

At once, without a wait for registers. The guest lives, sleeps again, and the driver can
be unbound. no_console_suspend: not used.
"""

from model import FAULTY, ModelSetup

SETUP = ModelSetup(model=('--fault-later', 'mmio-dead'), expected_log=FAULTY)


def story(vm):
    vm.power_on_with_driver('CPX')
    vm.use_gpu()
    vm.suspend_and_wake_with_fault()
    vm.expect_lost('its registers do not answer')
    vm.suspend_and_wake()
    vm.expect_lost()
