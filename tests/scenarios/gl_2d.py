# SPDX-License-Identifier: GPL-2.0-only
"""
A GPU that can do 3D, with only 2D in use, sleeps like any other: S3 and S4.

Every user of a buffer has a context on such a host, fbdev included; unused ones
hold nothing and must not keep the system awake. One that was lost is created
again when it gets something to do. no_console_suspend: not used.
"""

from vm import Setup

SETUP = Setup(device='virtio-gpu-gl-pci', gl=True)


def story(vm):
    guest = vm.power_on()
    vm.draw_desktop()
    vm.suspend_and_wake()
    vm.expect_same_picture()

    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()

    created = vm.count_commands('ctx_create')
    resource = guest.create(1, *guest.outputs[0], kind='resource')[0]
    vm.expect_commands('ctx_create', created + 1,
                       'the context of the display was not created again')
    guest.flip(0, resource)
    vm.expect_picture()
