# SPDX-License-Identifier: GPL-2.0-only
"""The autopkgtest of the package, in the guest; without a module of it, it fails."""

from machine import REPO

READS = (REPO / 'packaging/debian/tests/installs').read_bytes()


def story(vm):
    vm.power_on()
    vm.put('/root/installs', READS)
    vm.say(vm.run('sh /root/installs').strip().splitlines()[-1])
    vm.run('rm /lib/modules/$(uname -r)/updates/dkms/virtio-gpu.ko*')
    said = vm.run('sh /root/installs && echo passed', check=False)
    vm.expect('virtio-gpu is not there' in said, said)
