# SPDX-License-Identifier: GPL-2.0-only
"""
amdgpu does not come back from S4: the virtio-gpu goes on showing its last picture.

That is in memory, and stays there, whoever made it. Buffers of the virtio-gpu that
amdgpu has imported are as before, also over an S3. no_console_suspend: not used.
"""

from model import FAULTY
from shared import SharedSetup

SETUP = SharedSetup(later_model=('--fault', 'psp-refuses=partition'), expected_log=FAULTY)


def story(vm):
    vm.start_sharing('dumb', 'vram', 'gtt')
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()
    vm.expect_lost()
    vm.expect_same_picture()
    for buffer in vm.shared:
        vm.guest.flip(0, buffer)
        vm.expect_picture()
    vm.suspend_and_wake()
    vm.expect_same_picture()
