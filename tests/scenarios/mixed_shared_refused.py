# SPDX-License-Identifier: GPL-2.0-only
"""
Of two GPUs that share buffers one refuses to sleep, then the other.

The virtio-gpu because its host does not answer, amdgpu because its VRAM has more
content than there is memory. Neither is reset, and both work on. Then both sleep.
Not with a hibernation that the host is asleep for: amdgpu moves buffers then, before
anybody can refuse, and a host that does not give back their pages is lost.
no_console_suspend: not used.
"""

from shared import SharedSetup
from vm import DRAIN_TIMEOUT

SETUP = SharedSetup(memory=768, swap=8, expected_log=(
    (r'PM: .*(failed to (suspend|freeze).*: error|returned|returns) -110$',
     'the PM core about the refusal'),
    ('PM: Some devices failed to suspend', 'likewise'),
))
SHORT, LONG = '2000', '60000'           # milliseconds


def count_resets(vm):
    return vm.host_log().resets, len(vm.events().named('reset', by='down'))


def story(vm):
    guest = vm.guest
    vm.start_sharing('dumb', 'vram', 'gtt')

    resets = count_resets(vm)
    guest.write(DRAIN_TIMEOUT, SHORT)
    vm.fault('late:any:0:0:600000')
    vm.expect_suspend_refused('ETIMEDOUT')
    vm.heal()
    vm.expect(count_resets(vm) == resets, 'a GPU was reset')
    guest.write(DRAIN_TIMEOUT, LONG)
    vm.expect_shared(came_back=False)

    guest.gpu_hold(900)
    for refused in (vm.expect_hibernation_refused, vm.expect_suspend_refused):
        refused('ENOMEM')
    vm.expect(count_resets(vm) == resets, 'a GPU was reset')
    guest.gpu_hold(0)
    vm.expect_shared(came_back=False)
    vm.suspend_and_wake()
    vm.expect_shared()
