# SPDX-License-Identifier: GPL-2.0-only
"""
S4 in SPX mode, and the restore kernel has loaded amdgpu before it reads the image.

The GPU is not as it is at power-on then: the driver of the restore kernel has
used it and must leave it so that the one of the image can take it over. Then
the same without, and there and back in one boot. no_console_suspend: not used.
"""

from model import ModelSetup

SETUP = ModelSetup()


def story(vm):
    vm.power_on_with_driver('SPX')
    vm.use_gpu()
    vm.hibernate_and_power_off()
    vm.power_on_again_with_driver()
    vm.expect_gpu_came_back()
    vm.hibernate_with_test_resume()
    vm.expect_gpu_came_back()
