# SPDX-License-Identifier: GPL-2.0-only
"""
S4 of the largest GPU, without PSP: 8 XCCs and 16 SDMA engines in QPX mode, MSI-X.

As amdgpu_s4, but the driver loads the firmware and writes the partition
registers itself. no_console_suspend: not used.
"""

from model import ModelSetup

SETUP = ModelSetup(model=('--direct-firmware', '--xcc', '8', '--sdma', '16', '--msix'))


def story(vm):
    vm.power_on_with_driver('QPX')
    vm.use_gpu()
    vm.hibernate_and_power_on_again()
    vm.expect_gpu_came_back()
