# SPDX-License-Identifier: GPL-2.0-only
"""
The package is removed: after a restart the stock driver is back, and its failure.

Nothing of the package is left in the initramfs.
"""


def story(vm):
    vm.power_on()
    vm.expect(vm.driver_is_ours(), 'the driver in use is not that of the package')
    vm.run('DEBIAN_FRONTEND=noninteractive apt-get -q -y remove drm-virt-pm-dkms',
           timeout=3600)
    vm.say('removed')
    left = vm.run('lsinitramfs /initrd.img | grep -e drm_virt_pm -e updates/', check=False)
    vm.expect(not left, f'left in the initramfs: {left}')
    there = vm.run('lsinitramfs /initrd.img | grep virtio-gpu', check=False)
    vm.expect(there, 'the stock driver is not in the initramfs, as it was before')
    vm.ours = False
    vm.reboot()
    vm.expect(not vm.driver_is_ours(), 'the driver of the package is still in use')
    vm.start_desktop('weston')
    vm.remember_picture()
    vm.hibernate_and_power_on_again()
    vm.expect_no_picture()
