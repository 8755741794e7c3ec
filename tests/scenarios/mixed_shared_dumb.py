# SPDX-License-Identifier: GPL-2.0-only
"""
amdgpu reads and writes dumb buffers of a virtio-gpu, which shows them: S4, then S3.

The picture is the one that the GPU drew, and the GPU has the same bytes.
no_console_suspend: not used.
"""

from shared import SharedSetup

SETUP = SharedSetup(host_options=())


def story(vm):
    vm.start_sharing('dumb')
    vm.hibernate_and_power_on_again()
    vm.expect_shared()
    vm.suspend_and_wake()
    vm.expect_shared()
