# SPDX-License-Identifier: GPL-2.0-only
"""
The initramfs has the stock driver, as if nobody had updated it: the program says so.

Everything looks installed; update-initramfs, as it says, and a restart mend it.
"""


def story(vm):
    vm.power_on()
    # the modules of the package, out of sight of update-initramfs
    vm.run('cd /lib/modules/$(uname -r) && mv updates /root/ && depmod && '
           'update-initramfs -u && mv /root/updates . && depmod', timeout=3600)
    vm.say('the initramfs is stale')
    vm.reboot()
    vm.expect(not vm.driver_is_ours(), 'the stock driver is not in use')
    said = vm.run('drm-virt-pm-check', check=False)
    vm.expect('the initramfs has the kernel\'s own' in said and 'problem' in said, said)
    vm.run('update-initramfs -u -k $(uname -r)', timeout=3600)
    vm.reboot()
    vm.run('drm-virt-pm-check')
    vm.expect(vm.driver_is_ours(), 'the driver of the package is not in use')
