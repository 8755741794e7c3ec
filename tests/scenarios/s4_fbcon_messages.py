# SPDX-License-Identifier: GPL-2.0-only
"""
S4 while the kernel prints to its text console, up to the moment of power off.

What is drawn after the device was shut down goes nowhere, silently: the log has to
be clean to its last line, which comes after the image was saved. initcall_debug makes
the kernel print a line for each device that it shuts down.
no_console_suspend: not used.
"""

import re

import klog
from vm import Setup

SETUP = Setup(more_command_line='console=tty0 initcall_debug')
LAST = 'reboot: Power down'


def story(vm):
    vm.power_on()
    vm.mark_kernel_log()
    vm.hibernate_and_power_off()
    _, _, log = vm.files.console_text().partition('PM: Image saving done')
    vm.expect(LAST in log, f'the log ends before "{LAST}"')
    after = re.split(r'virtio_gpu virtio\d+: shutdown', log)[-1]
    vm.expect(after != log and ': shutdown' in after,
              'nothing was printed after the GPU was shut down')
    found = klog.problems(log)
    vm.expect(not found, f'after the image was saved: {found[0] if found else ""}')
    vm.power_on_again()
