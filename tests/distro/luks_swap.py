# SPDX-License-Identifier: GPL-2.0-only
"""The swap is in LUKS, opened by the initramfs: the same picture after hibernation."""

ENCRYPT = '''
swapoff -a
mkdir -m 700 /etc/keys
dd if=/dev/urandom of=/etc/keys/swap.key bs=64 count=1 status=none
chmod 600 /etc/keys/swap.key
cryptsetup luksFormat -q --type luks2 --pbkdf pbkdf2 --pbkdf-force-iterations 1000 \\
	/dev/vda2 /etc/keys/swap.key
cryptsetup open --key-file /etc/keys/swap.key /dev/vda2 swap_crypt
mkswap -q /dev/mapper/swap_crypt
echo 'swap_crypt /dev/vda2 /etc/keys/swap.key luks,swap,initramfs' >/etc/crypttab
sed -i 's#^[^ ]* none swap#/dev/mapper/swap_crypt none swap#' /etc/fstab
echo 'KEYFILE_PATTERN=/etc/keys/*.key' >>/etc/cryptsetup-initramfs/conf-hook
echo 'UMASK=0077' >>/etc/initramfs-tools/initramfs.conf
echo RESUME=/dev/mapper/swap_crypt >/etc/initramfs-tools/conf.d/resume
update-initramfs -u
'''


def story(vm):
    vm.power_on()
    vm.run(ENCRYPT, timeout=3600)
    vm.say('the swap is encrypted')
    vm.reboot()
    swaps = vm.run('cat /proc/swaps')
    vm.expect('/dev/dm-' in swaps, f'the swap is not encrypted: {swaps}')
    vm.run('drm-virt-pm-check')
    vm.start_desktop('weston')
    vm.remember_picture()
    vm.hibernate_and_power_on_again()
    vm.expect_same_picture()
    vm.expect_typing_draws()
