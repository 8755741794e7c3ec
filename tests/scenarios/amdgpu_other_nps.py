# SPDX-License-Identifier: GPL-2.0-only
"""
S4 onto a GPU of the same kind that is in another memory partition mode: it is given up.

Addresses and tables of the driver are those of the other one, so no access may be made
with them. no_console_suspend: not used.
"""

from model import FAULTY, ModelSetup

SETUP = ModelSetup(later_model=('--nps', '4'), expected_log=FAULTY)


def story(vm):
    vm.power_on_with_driver('CPX')
    vm.use_gpu()
    vm.hibernate_and_power_on_again()
    vm.expect_lost('it is in another memory partition mode')
    vm.expect_never_accessed()
