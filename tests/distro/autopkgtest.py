# SPDX-License-Identifier: GPL-2.0-only
"""The autopkgtest of the package, in the guest; without a module of it, it fails."""

from machine import REPO

TEST = REPO / 'packaging/debian/tests/installs'


def story(vm):
    vm.power_on()
    vm.put('/root/installs', TEST.read_bytes())
    vm.say(vm.run('sh /root/installs').strip().splitlines()[-1])
    vm.run('rm /lib/modules/$(uname -r)/updates/dkms/virtio-gpu.ko*')
    said = vm.run('sh /root/installs && echo passed', check=False)
    vm.expect('virtio-gpu is not there' in said, said)
