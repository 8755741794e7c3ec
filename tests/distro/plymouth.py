# SPDX-License-Identifier: GPL-2.0-only
"""
A boot splash and virtio-vga: the boot kernel draws with the GPU before it resumes.

The same picture afterwards, as with any other use by the boot kernel.
"""

from machine import Setup

SETUP = Setup(device='virtio-vga')


def story(vm):
    vm.power_on()
    there = vm.run('lsinitramfs /initrd.img | grep updates/dkms/virtio-gpu', check=False)
    vm.expect(there, 'the driver of the package is not in the initramfs')
    vm.run('sed -i "s/ plymouth.enable=0/ quiet splash/" /boot/grub/grub.cfg')
    vm.reboot()
    vm.start_desktop('weston')
    vm.remember_picture()
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()
    vm.expect_typing_draws()
