# SPDX-License-Identifier: GPL-2.0-only
"""
S4 with guest blobs: dumb buffers are blobs too on a device that has them.

On the host of our own: QEMU's virtio-gpu wants /dev/udmabuf for blobs.
no_console_suspend: not used.
"""

from vm import Setup

SETUP = Setup(device_options='blob=on', host='own')


def story(vm):
    guest = vm.power_on()
    vm.draw_desktop()
    guest.create(2, *guest.outputs[0], kind='blob')
    known = vm.count_commands('res_create_2d')
    vm.expect(not known, f'{known} resources are not blobs')
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()
