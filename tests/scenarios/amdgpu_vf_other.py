# SPDX-License-Identifier: GPL-2.0-only
"""
S4 onto a virtual function of another physical GPU, whose VRAM has another address.

Addresses of the driver are those of the first one, so it is given up before any access
is made with them. no_console_suspend: not used.
"""

from model import FAULTY, ModelSetup

VF = ('--vf', '--partition', 'CPX')
SETUP = ModelSetup(model=VF, later_model=(*VF, '--fb-location', '0x9000'),
                   expected_log=FAULTY)


def story(vm):
    vm.hibernate_onto_another('its VRAM has another address')
