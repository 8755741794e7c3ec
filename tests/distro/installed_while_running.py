# SPDX-License-Identifier: GPL-2.0-only
"""
The three lines of the README, word for word, in a running Debian 13 as it is.

DKMS builds in the guest. Before the restart the program says that one is needed.
"""

import re

from machine import REPO, Setup

SETUP = Setup(package=False)
READS = [line.partition('#')[0].strip() for line in re.search(
    '```sh\n(apt update [^`]*)```', (REPO / 'README.md').read_text())[1].splitlines()]


def story(vm):
    install, restart, sleep = READS
    vm.power_on()
    vm.put_package()
    vm.run(f'cd /root && export DEBIAN_FRONTEND=noninteractive && echo y | {{ {install}; }}',
           timeout=3600)
    vm.say('installed')
    said = vm.run('drm-virt-pm-check', check=False)
    vm.expect('restart' in said and 'problem' in said, said)
    vm.expect(restart == 'reboot', restart)
    vm.ours = True
    vm.reboot()
    vm.start_desktop('weston')
    vm.remember_picture()
    vm.hibernate(sleep)
    vm.power_on_again()
    vm.expect_same_picture()
    vm.expect_typing_draws()
