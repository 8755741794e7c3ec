# SPDX-License-Identifier: GPL-2.0-only
"""
The initramfs has the stock driver, as if nobody had updated it: the program says so.

Everything looks installed; update-initramfs, as it says, and a restart mend it.
"""

# As update-initramfs made it before there was a package: DKMS keeps the drivers that it
# replaced, each with the path where it was.
MAKE_STALE = '''
set -e
cd /lib/modules/$(uname -r)
mv updates /root/
for origin in /var/lib/dkms/drm-virt-pm/original_module/$(uname -r)/*/*.origin; do
	cp "${origin%.origin}" "$(cat "$origin")"
done
depmod
update-initramfs -u
mv /root/updates .
for origin in /var/lib/dkms/drm-virt-pm/original_module/$(uname -r)/*/*.origin; do
	rm "$(cat "$origin")"
done
depmod
'''


def story(vm):
    vm.power_on()
    vm.run(MAKE_STALE, timeout=3600)
    vm.say('the initramfs is stale')
    vm.reboot()
    vm.expect(not vm.driver_is_ours(), 'the stock driver is not in use')
    said = vm.run('drm-virt-pm-check', check=False)
    told = [line for line in said.splitlines() if line.startswith('problem')]
    vm.expect(any('the initramfs of ' in line and 'update-initramfs -u -k ' in line
                  for line in told), said)
    vm.run('update-initramfs -u -k $(uname -r)', timeout=3600)
    vm.reboot()
    vm.run('drm-virt-pm-check')
    vm.expect(vm.driver_is_ours(), 'the driver of the package is not in use')
