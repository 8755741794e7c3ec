# SPDX-License-Identifier: GPL-2.0-only
"""
What is left in the VRAM of a virtual function cannot be moved: suspends are refused.

Its host takes exclusive access back only with the virtual function given up, so it must
not be asked before. If it fails only after that, the access is given back once, as other
virtual functions wait for it. The GPU is lost, and the guest sleeps and lives.
no_console_suspend: not used.
"""

from model import FAULTY, ModelSetup

SETUP = ModelSetup(model=('--vf', '--partition', 'CPX'), expected_log=FAULTY + (
    ('PM: Some devices failed to suspend', 'the PM core'),
))
# the first call is that of prepare
EVICT = 'amdgpu_device_evict_resources'


def expect_told(vm, before, *messages):
    new = [event.values['message'] for event in vm.events().named('vf-mailbox')[before:]]
    vm.expect(new == list(messages), f'the host was told {new}')


def story(vm):
    vm.power_on_with_driver()
    vm.use_gpu(queue=True)
    before = len(vm.events().named('vf-mailbox'))
    with vm.failing_call(EVICT, 2):
        vm.expect_hibernation_refused('ENOMEM')
    vm.expect_gpu()
    with vm.failing_call(EVICT, 2):
        vm.expect_suspend_refused('ENOMEM')
    vm.expect_gpu()
    expect_told(vm, before)
    vm.suspend_and_wake()
    vm.expect_gpu_came_back()
    before = len(vm.events().named('vf-mailbox'))
    with vm.failing_call(EVICT, 3):
        vm.suspend_and_wake()
    vm.expect_lost('suspend failed half-way')
    expect_told(vm, before, 'request-fini', 'release-fini')
