# SPDX-License-Identifier: GPL-2.0-only
"""
A host that answers in bursts, late, not at all, or with an error, and one that does
not forget resources: the picture comes back over S3 and S4 all the same.

A host that says nothing is a reason to refuse, before anything was done. What it
does not create again is one lost object, which is named; the others are there. What
it does not show, or answers once too often, is shown by the second try. Outputs that
it does not tell are still there.
no_console_suspend: not used.
"""

from guest import Refused
from vm import DRAIN_TIMEOUT, Setup

# One processor: with QEMU 11.1 under TCG the second one, back from an S3 and started
# again in a hibernation, begins at 0x10000, where SeaBIOS once started it.
SETUP = Setup(outputs=((640, 480), (320, 240)), host='own', known_lost=1, cpus=1,
              expected_log=(
    (r'PM: .*(failed to (suspend|freeze).*: error|returned|returns) -110$',
     'the PM core about the refusal'),
    ('PM: Some devices failed to suspend', 'likewise'),
    (r'\*ERROR\* response 0x1200 \(command 0x10[0a]\)', 'outputs that are not told'),
    (r'\*ERROR\* response 0x1203 \(command 0x104\)', 'what is not shown'),
    (r'id \d+ is not a head', 'the virtio core about an answer too many'),
    (r'resume failed \(-5\), trying once more', 'after these two'),
    (r'PM: .*(failed to resume.*: error|returns) -5$', 'likewise'),
    (r'\*ERROR\* response 0x1200 \(command 0x101\)', 'what the host does not create'),
    (r'\*ERROR\* response 0x1203 \(command 0x10[56]\)', 'what follows of it in the ring'),
    (r'object \d+ is lost', 'likewise'),
))
SHORT, LONG = '2000', '60000'           # milliseconds
NO_END = 0


def refused(vm):
    guest, resets = vm.guest, vm.host_log().resets
    guest.write(DRAIN_TIMEOUT, SHORT)
    vm.fault(f'late:any:0:{NO_END}:600000')
    vm.expect_hibernation_refused('ETIMEDOUT')
    vm.heal()
    guest.write(DRAIN_TIMEOUT, LONG)
    vm.expect(vm.host_log().resets == resets, 'the device was reset')
    vm.expect_same_picture()


def lost(vm):
    """The buffer that is not shown is the one: it is restored after the reset."""
    guest = vm.guest
    buffer = guest.create(1, 64, 64, kind='resource')[0]
    vm.suspend_and_wake()
    vm.fault('error:res_create_2d:0:1')
    try:
        guest.transfer(buffer)
    except Refused as error:
        vm.expect(error.errno == 'EIO', f'a lost buffer is answered with {error.errno}')
    vm.heal()
    vm.expect(vm.virt_pm().lost == 1, f'{vm.virt_pm().lost} objects are lost, not 1')
    vm.expect(any('is lost' in line for line in vm.kernel_log()), 'nothing names it')
    guest.destroy(buffer)
    vm.expect_same_picture()


def not_shown(vm):
    for fault in 'unknown', 'twice':
        tried = any('trying once more' in line for line in vm.kernel_log())
        vm.expect(not tried, 'there was a second try before')
        vm.fault(f'{fault}:res_flush:0:1')
        vm.suspend_and_wake()
        vm.expect_same_picture()
        tried = any('trying once more' in line for line in vm.kernel_log())
        vm.expect(tried, f'no second try after an answer "{fault}"')
        vm.mark_kernel_log()


def not_told(vm):
    outputs = vm.guest.outputs
    vm.fault(f'error:get_display_info:0:{NO_END}')
    vm.fault(f'error:get_edid:0:{NO_END}')
    vm.suspend_and_wake()
    vm.expect_same_picture()
    vm.expect_outputs(list(outputs))
    vm.heal()


def story(vm):
    guest = vm.power_on()
    vm.draw_desktop()
    guest.create(3, 64, 64, kind='resource')

    vm.answer_in_bursts(100)
    vm.suspend_and_wake()
    vm.expect_same_picture()
    vm.answer_in_bursts(0)

    vm.fault('late:any:3:4:1000')
    vm.suspend_and_wake()
    vm.expect_same_picture()

    not_shown(vm)
    not_told(vm)
    refused(vm)
    lost(vm)

    vm.next_host('--keep')
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()
    vm.suspend_and_wake()
    vm.expect_same_picture()
    for buffer in guest.buffers:
        if buffer.kind == 'resource':
            guest.transfer(buffer)
