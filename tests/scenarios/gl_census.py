# SPDX-License-Identifier: GPL-2.0-only
"""
What a 3D program holds on a real host is told: in debugfs, and in the refusal.

The program is one of raw commands, which virglrenderer carries out. With virgl_census
the device says what of it could not come back, and as long as that is so the refusal
names it; else it is refused in the words of today. The GPU works on meanwhile. When the
program has ended, the guest hibernates.
no_console_suspend: not used.
"""

from vm import Setup

SIZE = (640, 480)
SETUP = Setup(device='virtio-gpu-gl-pci', gl=True, outputs=(SIZE,),
              more_command_line='virtio_gpu.virgl_census=1')
CREATE_OBJECT, BIND_OBJECT, DESTROY_OBJECT, BEGIN_QUERY, END_QUERY = 1, 2, 3, 19, 20
CREATE_SUB_CONTEXT, DESTROY_SUB_CONTEXT, UNKNOWN = 29, 30, 100
BLEND, QUERY = 1, 9
BUFFER, TEXTURE = 0, 2                  # targets
R8, B8G8R8X8 = 64, 2                    # formats
CUSTOM, SAMPLED = 1 << 17, 1 << 3       # what a resource is for


def command(number, *payload, kind=0):
    return (number | kind << 8 | len(payload) << 16, *payload)


def story(vm):
    guest = vm.power_on()
    vm.draw_desktop()
    desktop = guest.shown[0]
    vm.expect(not vm.virt_pm().virgl, 'a program without 3D work is counted')
    guest.do('render-open')
    painted = guest.render(*SIZE, 0x336699)
    guest.flip(0, painted)
    vm.expect_picture()

    def submit(*commands):
        guest.do('virgl ' + ' '.join(str(word) for each in commands for word in each))

    def resource(*about):
        return map(int, guest.do('virgl-resource ' + ' '.join(map(str, about))).split())

    def expect_refused(reason, buffers):
        vm.expect_answers(f'init[1]: {reason}, {buffers} whose content only the host has')

    def expect_told(line):
        told = vm.virt_pm().virgl
        vm.expect(f'init[1]: {line}' in told, f'no "{line}" in {told}')

    expect_refused('1 context with 3D work', '1 buffer')
    expect_told('objects: nothing')
    expect_told('in the way: nothing')

    submit(command(CREATE_SUB_CONTEXT, 1), command(CREATE_OBJECT, 5, *[0] * 10, kind=BLEND),
           command(BIND_OBJECT, 5, kind=BLEND))
    expect_refused('1 context with 3D work', '1 buffer')
    expect_told('objects: a blend')
    vm.expect('sub-contexts: 2, bindings: 2,' in vm.virt_pm().virgl[0],
              f'not 2 and 2: {vm.virt_pm().virgl[0]}')

    samples, _ = resource(TEXTURE, B8G8R8X8, SAMPLED, 64, 64, 4)
    expect_refused('a multisampled texture', '2 buffers')
    counter, name = resource(BUFFER, R8, CUSTOM, 64, 1, 0)
    submit(command(CREATE_OBJECT, 6, 0, 0, name, kind=QUERY), command(BEGIN_QUERY, 6))
    reason = 'a multisampled texture and 1 more'
    expect_refused(reason, '3 buffers')
    expect_told('objects: a blend, a query')
    expect_told('in the way: a multisampled texture, a running query')

    resets = vm.host_log().resets
    vm.mark_kernel_log()
    vm.expect_hibernation_refused('EBUSY')
    vm.expect_refusal_told('hibernate',
                           f'init[1]: {reason}, 3 buffers whose content only the host has')
    vm.expect(vm.host_log().resets == resets, 'the GPU was reset')
    vm.expect_same_picture()

    guest.do(f'virgl-drop {samples}')
    expect_refused('a running query', '2 buffers')
    submit(command(END_QUERY, 6))
    expect_refused('1 context with 3D work', '2 buffers')
    submit(command(BEGIN_QUERY, 6), command(DESTROY_SUB_CONTEXT, 1))
    expect_refused('1 context with 3D work', '2 buffers')
    expect_told('objects: nothing')
    more = guest.render(*SIZE, 0x339966)
    guest.flip(0, more)
    vm.expect_picture()

    submit(command(UNKNOWN, 1, 2))
    expect_refused(f'an unknown command ({UNKNOWN})', '3 buffers')

    guest.flip(0, desktop)
    guest.do(f'virgl-drop {counter}')
    for buffer in (painted, more):
        guest.destroy(buffer)
    guest.do('render-close')
    vm.expect_answers(None)
    vm.expect(not vm.virt_pm().virgl, 'a program that has ended is counted')
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()
