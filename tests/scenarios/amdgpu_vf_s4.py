# SPDX-License-Identifier: GPL-2.0-only
"""
Two hibernations of a virtual function of a GPU, each onto another one like it.

The host of the model checks the order of messages, and what the guest's CPU writes
without exclusive access: only the mailbox, VRAM and doorbells. The driver must not write
the partition mode, which is the host's, and load its firmware from a copy that it made
anew, as that is in VRAM. Buffers, engines and a compute process as in amdgpu_s4.
no_console_suspend: not used.
"""

from model import ModelSetup

SETUP = ModelSetup(cpus=2, model=('--vf', '--partition', 'CPX'))


def story(vm):
    vm.power_on_with_driver()
    vm.use_gpu()
    for _ in range(2):
        vm.hibernate_and_power_on_again()
        vm.expect_gpu_came_back()
