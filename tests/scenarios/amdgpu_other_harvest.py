# SPDX-License-Identifier: GPL-2.0-only
"""
S4 onto a GPU of the same kind that lacks a unit: it is given up.

Addresses and tables of the driver are those of the other one, so no access may be made
with them. no_console_suspend: not used.
"""

from model import FAULTY, ModelSetup

SETUP = ModelSetup(later_model=('--harvest',), expected_log=FAULTY)


def story(vm):
    vm.hibernate_onto_another('its discovery table differs')
