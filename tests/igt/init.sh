#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Process 1 of the guest: runs the tests that the host names on the second serial port.
set -u
exec >/dev/console 2>&1
export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8
# as the kernel's own CI has it; else IGT leaves out virtio-gpu where any driver will do
export IGT_FORCE_DRIVER=virtio_gpu

mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t debugfs debugfs /sys/kernel/debug
mkdir -p /dev/shm
for directory in /dev/shm /run /tmp; do
	mount -t tmpfs tmpfs "$directory"
done

stty -F /dev/ttyS1 raw -echo
exec 3<>/dev/ttyS1
echo ready >&3
while read -r seconds binary subtest <&3; do
	# its output only afterwards: tests measure time
	timeout -k 10 "$seconds" "/usr/libexec/igt-gpu-tools/$binary" \
		--run-subtest "$subtest" >/tmp/output 2>&1 </dev/null 3>&-
	status=$?
	tail -n 300 /tmp/output >&3
	echo "ended: $status" >&3
done
