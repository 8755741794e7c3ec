# SPDX-License-Identifier: GPL-2.0-only
"""
Of two GPUs in one guest the passed-through one is lost in S4: the screen is not.

The virtio-gpu shows its picture and takes new ones, and goes on doing so over
another S3. no_console_suspend: not used.
"""

from model import FAULTY, ModelSetup

SETUP = ModelSetup(virtio_gpu=True, later_model=('--fault', 'psp-refuses=partition'),
                   expected_log=FAULTY)


def story(vm):
    vm.power_on_with_driver('CPX')
    vm.draw_desktop()
    vm.use_gpu()
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()
    vm.expect_lost()
    vm.suspend_and_wake()
    vm.expect_same_picture()
