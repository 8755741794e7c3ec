# SPDX-License-Identifier: GPL-2.0-only
"""
The host of a virtual function grants exclusive access never again: the GPU is given up.

The guest lives and sleeps, and the driver is unbound without asking the host, which
would take more than a minute. no_console_suspend: not used.
"""

import time

from model import FAULTY, ModelSetup

SETUP = ModelSetup(model=('--vf', '--partition', 'CPX', '--fault-later', 'host-ignores'),
                   expected_log=FAULTY)


def story(vm):
    vm.power_on_with_driver()
    vm.use_gpu()
    vm.suspend_and_wake_with_fault()
    vm.expect_lost('the host grants no access')
    asked = len(vm.events().named('vf-mailbox'))
    vm.suspend_and_wake()
    vm.expect_lost('the host grants no access')
    start = time.monotonic()
    vm.unbind()
    vm.expect(time.monotonic() - start < 30, 'the driver was unbound too slowly')
    vm.expect(len(vm.events().named('vf-mailbox')) == asked,
              'the host was asked for a GPU that is lost')
