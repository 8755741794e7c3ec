# SPDX-License-Identifier: GPL-2.0-only
"""
A boot splash and virtio-vga: the boot kernel draws with the GPU before it resumes.

The same picture afterwards, as with any other use by the boot kernel.
"""

from machine import Setup

SETUP = Setup(device='virtio-vga')
# plymouth shows only text where a serial console is one of the kernel's
SPLASH = 'quiet splash plymouth.ignore-serial-consoles'


def story(vm):
    vm.power_on()
    there = vm.run('lsinitramfs /initrd.img | grep updates/dkms/virtio-gpu', check=False)
    vm.expect(there, 'the driver of the package is not in the initramfs')
    vm.run(f'sed -i "s/ plymouth.enable=0/ {SPLASH}/" /boot/grub/grub.cfg')
    vm.reboot()
    vm.start_desktop('weston')
    vm.remember_picture()
    vm.hibernate()
    vm.power_on_again(splash=True)
    vm.expect_same_picture()
    vm.expect_typing_draws()
