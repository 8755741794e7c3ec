# SPDX-License-Identifier: GPL-2.0-only
"""
Two hibernations of a passed-through GPU in CPX mode, each onto another device.

Firmware by PSP. Buffers in VRAM and in GTT, one of them a compute process's,
must be whole, engines and IB tests must work, the model must be in the
partition mode that was set, and of each hub the fault interrupt must have been
armed before its first access: also the second time, which a reference that was
not given back would prevent. no_console_suspend: not used.
"""

from model import ModelSetup

SETUP = ModelSetup(cpus=2)


def story(vm):
    vm.power_on_with_driver('CPX')
    vm.use_gpu()
    vm.hibernate_and_power_on_again()
    vm.expect_gpu_came_back()
    vm.hibernate_and_power_on_again()
    vm.expect_gpu_came_back()
