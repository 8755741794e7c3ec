# SPDX-License-Identifier: GPL-2.0-only
"""
Another device fails after both GPUs, which share buffers, were suspended.

In freeze, in S3 and in poweroff: each time the host shows what amdgpu drew before, and
amdgpu has the same bytes. no_console_suspend: not used.
"""

from shared import SharedSetup

SETUP = SharedSetup(expected_log=(
    ('pm_fail.*: error -16$', 'the device that is made to fail'),
))


def story(vm):
    vm.start_sharing('dumb', 'vram', 'gtt')

    vm.let_others_fail('freeze')
    vm.expect_hibernation_refused('EBUSY')
    vm.expect_shared()

    vm.let_others_fail('suspend')
    vm.expect_suspend_refused('EBUSY')
    vm.expect_shared()

    # a platform hibernation is the one that calls poweroff
    vm.let_others_fail('poweroff')
    vm.hibernate_but_stay_up('platform')
    vm.expect_shared()
