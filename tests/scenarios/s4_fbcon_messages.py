# SPDX-License-Identifier: GPL-2.0-only
"""
S4 while the kernel prints to its text console, up to the moment of power off.

What is drawn after the GPU was shut down goes nowhere, silently: the log has to be
clean to its last line, which comes after the image was saved.
no_console_suspend: not used.
"""

import klog
from vm import Setup

SETUP = Setup(more_command_line='console=tty0')
AFTER_THE_GPU, LAST = 'pm_fail: last words', 'reboot: Power down'


def story(vm):
    vm.power_on()
    vm.have_last_words()
    vm.hibernate_and_power_off()
    _, _, log = vm.files.console_text().partition('PM: Image saving done')
    for line in (AFTER_THE_GPU, LAST):
        vm.expect(line in log, f'the log has no "{line}"')
    found = klog.problems(log)
    vm.expect(not found, f'after the image was saved: {found[0] if found else ""}')
    vm.power_on_again()
