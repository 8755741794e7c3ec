# SPDX-License-Identifier: GPL-2.0-only
"""
No interrupt arrives after S3: the GPU works by its timers, or it is given up.

amdgpu polls the fences of rings that have been silent for half a second, so
work is late but is done. The guest lives, sleeps again, and the driver can be
unbound. no_console_suspend: not used.
"""

from model import FAULTY, ModelSetup

# few rings: each that is tested costs half a second
SETUP = ModelSetup(model=('--xcc', '1', '--sdma', '2', '--fault-later', 'interrupt-lost'),
                   expected_log=FAULTY)


def story(vm):
    vm.power_on_with_driver('SPX')
    vm.use_gpu()
    vm.suspend_and_wake_with_fault()
    vm.suspend_and_wake()
    vm.wait_until_settled()
    if vm.lost():
        vm.expect_lost()
    else:
        vm.expect_gpu_came_back()
