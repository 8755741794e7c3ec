# SPDX-License-Identifier: GPL-2.0-only
"""What the host shows of a guest, and what is typed at it."""

import time

from screen import Picture
from verdict import Failure

# some of the colours that distro-scene shows, and no compositor by itself
SCENE = {bytes((r, g, b)) for r in (0, 255) for g in (0, 255) for b in (0, 255)} - \
    {bytes(3), b'\xff' * 3}
TEXT_COLOURS = 16           # what a text console has at most
REST = 3                    # seconds in which a picture at rest does not change


class Display:
    """A part of Machine"""

    def screen(self, head=0):
        path = self.directory / 'screen.ppm'
        self.qmp.execute('screendump', filename=str(path), device=self.gpu, head=head)
        data = path.read_bytes()
        path.unlink()
        return Picture.from_ppm(data)

    def save(self, name, head=0):
        if self.process and self.process.poll() is None:
            number = f'-{head}' if head else ''
            (self.directory / f'{name}{number}.png').write_bytes(self.screen(head).to_png())

    def at_rest(self, head=0):
        """The picture, once nothing moves any more"""
        def look():
            picture = self.screen(head)
            time.sleep(REST)
            return picture if self.screen(head) == picture else None
        return self._wait(look, 120, 'the picture does not come to rest')

    def remember_picture(self):
        """What it has to be again"""
        heads = range(len(self.setup.outputs))
        self._expected = [self.at_rest(head) for head in heads]
        for head in heads:
            self.save('before', head)
        for picture, size in zip(self._expected, self.setup.outputs):
            self.expect((picture.width, picture.height) == size and picture.colours() > 1,
                        'there is nothing on the screen')

    def expect_same_picture(self, pictures=None, heads=None):
        """As it was remembered, or these, one for each output; or only on some outputs"""
        for head, expected in enumerate(pictures or self._expected):
            if heads and head not in heads:
                continue

            def same(head=head, expected=expected):
                return self.screen(head) == expected
            try:
                self._wait(same, 60, '')
            except Failure:
                self.save('after', head)
                raise Failure(f'output {head}: {expected.how_it_differs(self.screen(head))}') \
                    from None
            self.save('after', head)

    def wait_for_black(self):
        self._wait(lambda: self.screen().is_black(), 60, 'the screen does not go dark')

    def wait_for_splash(self):
        """plymouth's: no text console has as many colours, and the desktop has others"""
        def splash():
            picture = self.screen()
            colours = picture.colour_set()
            return picture if len(colours) > TEXT_COLOURS and not SCENE & colours else None
        picture = self._wait(splash, 300, 'there is no splash on the screen')
        (self.directory / 'splash.png').write_bytes(picture.to_png())

    def expect_no_picture(self, typed='date'):
        """The failure of the stock driver: the screen is dark, and stays so."""
        if typed:
            self.type(typed)
        time.sleep(20)
        self.save('after')
        self.expect(self.screen().is_black(),
                    'the screen is not dark, so this test of the failure shows nothing')

    def type(self, text):
        """On the keyboard, and Return"""
        names = {' ': 'spc', '-': 'minus', '/': 'slash', '.': 'dot', '\n': 'ret'}
        for letter in text + '\n':
            self.qmp.execute('send-key', keys=[
                {'type': 'qcode', 'data': names.get(letter, letter)}])
            time.sleep(0.15)

    def expect_typing_draws(self):
        before = self.at_rest()
        self.type('date')
        try:
            self._wait(lambda: self.screen() != before, 60, 'typing changes nothing')
        finally:
            self.save('typed')
