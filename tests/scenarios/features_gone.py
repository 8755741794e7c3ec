# SPDX-License-Identifier: GPL-2.0-only
"""
S4 onto a host whose GPU has fewer features: the GPU is lost, with a reason.

The driver goes on with what it has negotiated at boot, and QEMU accepts that though it
has less. The system goes on without the GPU, and sleeps.
no_console_suspend: not used.
"""

import dataclasses

from vm import Setup

SETUP = Setup(expected_log=(
    (r'virtio.*\*ERROR\* (resume failed|device is lost)', 'the GPU about its resume'),
    (r'virtio.*\*ERROR\* the host has fewer features than before$', 'what it lacks'),
    (r'virtio.*(failed to restore.*|returned|returns) -19$', 'the PM core about it'),
))


def story(vm):
    vm.power_on()
    vm.draw_desktop()
    vm.mark_kernel_log()
    vm.setup = dataclasses.replace(vm.setup, device_options='edid=off')
    vm.hibernate_and_power_on_again()
    vm.give_up_display()
    vm.expect_tried_again()
    found = sum('the host has fewer features' in line for line in vm.kernel_log())
    vm.expect(found == 2, f'the reason is told {found} times')
    vm.hibernate_and_power_on_again()
    vm.suspend_and_wake()
