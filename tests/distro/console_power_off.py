# SPDX-License-Identifier: GPL-2.0-only
"""
Hibernation in shutdown mode while the kernel prints to its text console.

The log is clean up to the moment of power off, which comes after the image was saved.
A module, built in the guest, lets the kernel draw after the GPU was shut down.
"""

import klog
from machine import REPO

READS = (REPO / 'tests/guest/modules/pm_fail.c').read_bytes()


def story(vm):
    vm.power_on()
    vm.run('mkdir -p /etc/systemd/sleep.conf.d /root/module && '
           'printf "[Sleep]\\nHibernateMode=shutdown\\n" >/etc/systemd/sleep.conf.d/mode.conf')
    vm.put('/root/module/pm_fail.c', READS)
    vm.put('/root/module/Kbuild', b'obj-m := pm_fail.o\n')
    vm.run('make -C /lib/modules/$(uname -r)/build M=/root/module modules', timeout=1800)
    vm.run('insmod /root/module/pm_fail.ko last_words=1; dmesg -n 8; chvt 1')
    vm.hibernate()
    _, _, log = vm.console.read_text(errors='replace').partition('PM: Image saving done')
    for line in ('pm_fail: last words', 'reboot: Power down'):
        vm.expect(line in log, f'the log has no "{line}"')
    found = klog.problems(log)
    vm.expect(not found, f'after the image was saved: {found[0] if found else ""}')
    vm.power_on_again()
