# SPDX-License-Identifier: GPL-2.0-only
"""
A compute process's buffer of 64 MiB in VRAM is copied once until the image is made.

From 7.2 on it is evicted before kernel threads are frozen, and KFD would move it back
while the PM core counts memory. The model counts what its engines copy. 6.12 thaws
the GPU to write the image, and moves it back for that: skipped there.
no_console_suspend: not used.
"""

from model import ModelSetup
from verdict import Skip

SETUP = ModelSetup(cpus=2)
BUFFER = 64                     # MiB


def story(vm):
    guest = vm.power_on_with_driver('CPX')
    if not vm.kernel_has('pm_hibernation_mode_is_suspend'):
        raise Skip('this kernel thaws the GPU while the image is written')
    vm.use_gpu(kfd=False)
    content = (sum(buffer.size for buffer in guest.gpu_buffers) >> 20) + BUFFER
    guest.kfd_open(BUFFER)
    vm.kfd = True
    vm.hibernate_and_power_on_again()
    copied = vm.events(0).bytes_copied() >> 20
    vm.expect(BUFFER <= copied < content * 3 // 2,
              f'of {content} MiB, {copied} MiB were copied')
    vm.expect_gpu_came_back()
