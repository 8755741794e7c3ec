# SPDX-License-Identifier: GPL-2.0-only
"""
The package is installed in a running guest: DKMS builds it there, under its eyes.

It is used after a restart, and before that the program says that one is needed.
"""

from machine import Setup

SETUP = Setup(package=False)


def story(vm):
    vm.power_on()
    name = vm.put_package()
    vm.run(f'DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends install '
           f'{name}', timeout=3600)
    vm.say('installed')
    said = vm.run('drm-virt-pm-check', check=False)
    vm.expect('restart' in said and 'problem' in said, said)
    vm.ours = True
    vm.reboot()
    vm.run('drm-virt-pm-check')
    vm.start_desktop('weston')
    vm.remember_picture()
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()
    vm.expect_typing_draws()
