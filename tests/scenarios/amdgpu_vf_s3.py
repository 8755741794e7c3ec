# SPDX-License-Identifier: GPL-2.0-only
"""
S3 of a virtual function, which its bus resets on the way, twice; then test_resume.

no_console_suspend: not used.
"""

from model import ModelSetup

SETUP = ModelSetup(model=('--vf', '--partition', 'CPX'))


def story(vm):
    vm.power_on_with_driver()
    vm.use_gpu()
    for _ in range(2):
        vm.suspend_and_wake()
        vm.expect_gpu_came_back()
    vm.hibernate_with_test_resume()
    vm.expect_gpu_came_back()
