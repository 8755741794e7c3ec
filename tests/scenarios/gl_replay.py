# SPDX-License-Identifier: GPL-2.0-only
"""
A program of OpenGL draws on after S4, in another QEMU process, with one command.

With virgl_restore the program, of raw commands, does not keep the guest from
hibernating. What it has drawn is shown again without its help. Then it sends nothing
but "clear" and "draw", which needs each of its objects, all state, and the content of a
texture and of a buffer of vertices: the same picture as before. So does a second
sub-context, whose shaders came in parts. A third has bound what it destroyed, and whose
buffers are gone. Nothing of that is said again, the host's renderer has no complaint, and
new things can be made.
no_console_suspend: not used.
"""

import virgl
from virgl import BUFFER, R8, SAMPLED, TEXTURE, VERTICES, clear, command
from vm import Setup

SIZE = (640, 480)
SETUP = Setup(device='virtio-gpu-gl-pci', gl=True, outputs=(SIZE,),
              more_command_line='virtio_gpu.virgl_restore=1')
SIDE = 16
BACKGROUND = clear(0, 0, 0.5, 1)


class Client:
    """The program in the guest"""

    def __init__(self, vm):
        self.vm, self.guest = vm, vm.guest

    def submit(self, *words):
        self.guest.do('virgl ' + ' '.join(str(word) for word in words))

    def resource(self, *about):
        return map(int, self.guest.do('virgl-resource ' + ' '.join(map(str, about))).split())

    def materials(self, light, dark, corner):
        """A texture and vertices: handles and names"""
        texture = tuple(self.resource(TEXTURE, virgl.BGRX, SAMPLED, SIDE, SIDE, 0))
        vertices = tuple(self.resource(BUFFER, R8, VERTICES, 128, 1, 0))
        self.submit(*virgl.write(texture[1], SIDE, SIDE, virgl.checkers(SIDE, light, dark)))
        self.submit(*virgl.write(vertices[1], 128, 1,
                                 virgl.quad(-corner, -corner, corner, corner)))
        return texture, vertices

    def show(self, target, *words):
        """What comes of it, on the screen"""
        if words:
            self.submit(*words)
        self.guest.do(f'virgl-wait {target.handle}')
        if self.guest.shown[0] != target:
            self.guest.flip(0, target)
        self.guest.dirty(target)
        return self.vm.take_picture(target)


def colours(picture):
    return len({picture.rgb[i:i + 3] for i in range(0, len(picture.rgb), 3)})


def use(number):
    return command(virgl.SET_SUB, number)


def story(vm):
    guest = vm.power_on()
    vm.draw_desktop()
    guest.do('render-open')
    client = Client(vm)
    target, other = guest.target(*SIZE), guest.target(*SIZE)

    third = client.materials(0, 0, 1)
    client.submit(*command(virgl.CREATE_SUB, 3),
                  *virgl.scene(other.name, third[0][1], third[1][1], SIZE, (1, 1, 1, 1)),
                  *(word for name in (1, 2, 4, 5, 6) for word in command(virgl.DESTROY, name)))
    for handle, _ in third:
        guest.do(f'virgl-drop {handle}')

    texture, vertices = client.materials(0xffffff, 0x808080, 0.5)
    client.submit(*command(virgl.CREATE_SUB, 1),
                  *virgl.scene(target.name, texture[1], vertices[1], SIZE, (1, 0.5, 0, 1)))
    texture, vertices = client.materials(0xff8000, 0x0080ff, 0.75)
    client.submit(*command(virgl.CREATE_SUB, 2),
                  *virgl.scene(other.name, texture[1], vertices[1], SIZE, (1, 1, 1, 1),
                               first=101, chunk=20))

    second = client.show(other, *BACKGROUND, *virgl.draw())
    vm.expect(colours(second) == 3, f'the host has drawn {colours(second)} colours')
    drawn = client.show(target, *use(1), *BACKGROUND, *virgl.draw())
    vm.expect(colours(drawn) == 3 and drawn != second, 'the host has not drawn a quad')
    cleared = client.show(target, *clear(0, 0.5, 0, 1))
    vm.expect(colours(cleared) == 1, 'nothing was cleared')
    client.show(other, *use(2), *clear(0, 0.5, 0, 1), *use(1))
    client.show(target)
    vm.expect_answers(None)

    for _ in range(2):
        vm.hibernate_and_power_on_again()
        vm.expect_same_picture()
        vm.expect(not vm.count_commands('ctx_submit'), 'something was drawn again')
        vm.expect(client.show(target, *BACKGROUND, *virgl.draw()) == drawn,
                  'the first sub-context draws something else')
        vm.expect(client.show(other, *use(2), *BACKGROUND, *virgl.draw()) == second,
                  'the second sub-context draws something else')
        client.show(target, *use(1), *clear(0, 0.5, 0, 1))

    client.submit(*use(3), *use(1))
    again = client.show(target, *virgl.create(virgl.BLEND, 50, 0, 0, 0x3 << 27, *[0] * 7),
                        *virgl.bind(virgl.BLEND, 50), *virgl.draw())
    vm.expect(again not in (drawn, cleared), 'a new object has no effect')
    vm.expect(vm.virt_pm().contexts == '2 came back, 0 lost', vm.virt_pm().contexts)
    vm.expect_content_renderer()
