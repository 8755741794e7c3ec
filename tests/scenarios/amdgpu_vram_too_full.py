# SPDX-License-Identifier: GPL-2.0-only
"""
VRAM has more content than memory and swap are free: refused beforehand, with numbers.

Nothing happens to the GPU: it is neither reset nor are its buffers moved. With less in
VRAM the guest sleeps. no_console_suspend: not used.
"""

import re

from model import ModelSetup

SETUP = ModelSetup(memory=768, swap=8)
TOLD = r'refused: content of VRAM needs (\d+) MiB, memory and swap have (\d+) MiB'


def story(vm):
    vm.power_on_with_driver('CPX')
    vm.use_gpu()
    vm.guest.gpu_hold(900)
    for refused in (vm.expect_hibernation_refused, vm.expect_suspend_refused):
        vm.mark_kernel_log()
        refused('ENOMEM')
        told = [match for match in (re.search(TOLD, line) for line in vm.kernel_log())
                if match]
        vm.expect(len(told) == 1, f'{len(told)} lines tell of a refusal')
        need, have = map(int, told[0].groups())
        vm.expect(900 < need < 1024, f'the content of VRAM is said to need {need} MiB')
        vm.expect(have < 900, f'{have} MiB of memory and swap are said to be free')
    vm.expect_gpu()
    vm.expect(not vm.events().named('reset', by='down'), 'the GPU was reset')
    vm.guest.gpu_hold(0)
    vm.suspend_and_wake()
    vm.expect_gpu_came_back()
