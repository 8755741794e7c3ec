# SPDX-License-Identifier: GPL-2.0-only
"""
S4 onto a GPU of the same kind that is linked as another node: it is given up.

Addresses and tables of the driver are those of the other one, so no access may be made
with them. no_console_suspend: not used.
"""

from model import FAULTY, ModelSetup

SETUP = ModelSetup(later_model=('--hive', '3/8'), expected_log=FAULTY)


def story(vm):
    vm.hibernate_onto_another('its place among linked GPUs is another')
